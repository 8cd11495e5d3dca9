"""What is built has every package: pyproject.toml names them, and nothing on the way leaves one out."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
from hatchling.builders.wheel import WheelBuilder

ROOT = Path(__file__).parents[3]
PYPROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
#: Packages that are for those who work on the product, not of it.
OURS = {"bench", "devtools", "tests"}
#: What pages are made of; `.mo` are compiled when the wheel is built.
PAGE_FILES = {".css", ".html", ".js", ".json", ".mo", ".svg", ".txt"}
PACKAGES = {folder.parent.name for folder in ROOT.glob("*/__init__.py")} - OURS


def in_the_wheel() -> dict[str, str]:
    """Return the path here of each file in the wheel, by its path there."""
    files = WheelBuilder(str(ROOT)).recurse_included_files()
    return {file.distribution_path: file.relative_path for file in files}


def ignored_by_docker(path: str) -> bool:
    """Tell whether .dockerignore keeps a path out of the image's context (the patterns that it uses)."""
    ignored = False
    for line in (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines():
        pattern = line.strip()
        if not pattern or pattern.startswith("#"):
            continue
        wanted = re.escape(pattern.lstrip("!").strip("/"))
        wanted = wanted.replace(r"\*\*/", "(?:.*/)?").replace(r"\*", "[^/]*")
        if re.match(rf"{wanted}(?:/|$)", path):
            ignored = not pattern.startswith("!")
    return ignored


@pytest.mark.parametrize(
    "named",
    [
        pytest.param(PYPROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"], id="wheel"),
        pytest.param(PYPROJECT["tool"]["importlinter"]["root_packages"], id="imports"),
        pytest.param(PYPROJECT["tool"]["ruff"]["lint"]["isort"]["known-first-party"], id="isort"),
    ],
)
def test_pyproject_names_every_package(named: list[str]) -> None:
    """Each folder of the product's code is a package of the wheel, of the import contracts and of isort."""
    assert set(named) - OURS == PACKAGES


def test_the_wheel_holds_every_file_of_every_package() -> None:
    """Every module of the product, and what lies beside it, is in the wheel."""
    modules = {str(path.relative_to(ROOT)) for name in PACKAGES for path in (ROOT / name).rglob("*.py")}
    pages = {str(path.relative_to(ROOT)) for path in (ROOT / "hub").rglob("*") if path.suffix in PAGE_FILES}

    assert in_the_wheel().keys() >= modules | pages


def test_docker_is_given_all_that_the_wheel_is_made_of() -> None:
    """What the wheel is built from gets into the image's context, and what is secret or ours does not."""
    needed = {*in_the_wheel().values(), "pyproject.toml", "hatch_build.py", "requirements/product.txt"}
    needed |= {PYPROJECT["project"]["readme"], *PYPROJECT["project"]["license-files"]}

    assert [path for path in sorted(needed) if ignored_by_docker(path)] == []
    for path in (".env", "production.env", ".git/config", ".venv/bin/python", "tests/conftest.py"):
        assert ignored_by_docker(path), path
