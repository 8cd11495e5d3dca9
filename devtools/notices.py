"""THIRD-PARTY-NOTICES.md, made from the metadata of what requirements/product.txt pins.

`make notices` writes it, after `make lock` has chosen other versions and they are installed.
"""

from __future__ import annotations

import json
import re
from importlib.metadata import PackageNotFoundError, metadata
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from importlib.metadata import PackageMetadata

_ROOT: Final = Path(__file__).parents[1]
PINNED: Final = _ROOT / "requirements" / "product.txt"
NOTICES: Final = _ROOT / "THIRD-PARTY-NOTICES.md"

#: The pages' files that come from npm.
_VENDORED: Final = _ROOT / "hub" / "static" / "vendor" / "pinned.json"

_PIN: Final = re.compile(r"^(?P<name>[A-Za-z0-9._-]+)(?:\[[^\]]*\])?==(?P<version>[^\s;\\]+)", re.MULTILINE)
_LICENSE: Final = "License :: "
#: Labels of `Project-URL` (core metadata, "well-known labels") that lead to a project's home, the best first.
_HOME: Final = ("homepage", "home", "repository", "source", "source code", "github", "code", "documentation")
_INTRODUCTION: Final = """\
# Third-party notices

The Update Sync is licensed under [Apache-2.0](LICENSE). It runs on the libraries below, which are not part of
this repository. Each has its own licence, named here as the library's metadata names it. The text is in
the library's package.

Made by `make notices` from `requirements/product.txt`.

| library | version | licence | home page |
| --- | --- | --- | --- |
"""
_FILES: Final = """
These files of others are part of this repository, beside the texts of their licences (`hub/static/vendor/`).

| file | npm package | version | licence | home page |
| --- | --- | --- | --- | --- |
"""


class NotInstalledError(Exception):
    """A pinned library is missing from this Python, or has another version."""


def pinned(requirements: str) -> Mapping[str, str]:
    """Return the version that a requirements file pins of each library."""
    return {pin["name"]: pin["version"] for pin in _PIN.finditer(requirements)}


def licence(about: PackageMetadata) -> str:
    """Return a library's SPDX expression, else the names of its classifiers, else its licence field."""
    if expression := _field(about, "License-Expression"):
        return expression
    classifiers = [each for each in about.get_all("Classifier", []) if each.startswith(_LICENSE)]
    return (
        "; ".join(each.rpartition(" :: ")[2] for each in classifiers) or _field(about, "License") or "unknown"
    )


def home_page(about: PackageMetadata) -> str:
    """Return the address of a library's home page, or else of its source; empty if it names none."""
    links = dict(link.split(", ", 1) for link in about.get_all("Project-URL", []))
    labelled = {label.lower(): address for label, address in links.items()}
    labelled.setdefault("homepage", _field(about, "Home-page"))
    return next((labelled[label] for label in _HOME if labelled.get(label)), "")


def _field(about: PackageMetadata, name: str) -> str:
    return next(iter(about.get_all(name, [])), "")


def notices(pins: Mapping[str, str]) -> str:
    """Return the page about these libraries. Raises `NotInstalledError`."""
    return _INTRODUCTION + _table(_rows(pins)) + _FILES + _table(_vendored())


def _table(rows: Iterator[tuple[str, ...]]) -> str:
    return "".join(f"| {' | '.join(row)} |\n" for row in rows)


def _vendored() -> Iterator[tuple[str, ...]]:
    for each in json.loads(_VENDORED.read_text(encoding="utf-8")):
        file = f"hub/static/vendor/{each['file']}"
        yield file, each["package"], each["version"], each["licence"], each["home_page"]


def _rows(pins: Mapping[str, str]) -> Iterator[tuple[str, ...]]:
    for name, version in pins.items():
        try:
            about = metadata(name)
        except PackageNotFoundError as error:
            raise NotInstalledError(f"{name} is not installed: run make test once") from error
        if about["Version"] != version:
            raise NotInstalledError(f"{name} {about['Version']} is installed, and {version} is pinned")
        yield name, version, licence(about), home_page(about)


if __name__ == "__main__":
    NOTICES.write_text(notices(pinned(PINNED.read_text(encoding="utf-8"))), encoding="utf-8")
