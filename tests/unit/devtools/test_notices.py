"""Third-party notices: complete, and made of what the libraries say of themselves."""

from __future__ import annotations

import re
from email.message import Message
from typing import TYPE_CHECKING, cast

import pytest

from devtools.notices import NOTICES, PINNED, NotInstalledError, home_page, licence, notices, pinned

if TYPE_CHECKING:
    from importlib.metadata import PackageMetadata

_ROW = re.compile(r"^\| ([A-Za-z0-9._-]+) \| (\d\S*) \| ([^|]+) \|", re.MULTILINE)


def about(*headers: tuple[str, str]) -> PackageMetadata:
    message = Message()
    for name, value in headers:
        message[name] = value
    return cast("PackageMetadata", message)


def test_the_notices_name_exactly_what_the_product_pins() -> None:
    """Each library that the product pins is named with its version and licence, and no other."""
    rows = _ROW.findall(NOTICES.read_text(encoding="utf-8"))

    assert {name: version for name, version, _ in rows} == pinned(PINNED.read_text(encoding="utf-8"))
    assert [name for name, _, named in rows if named == "unknown"] == []


def test_extras_and_markers_are_no_part_of_a_pin() -> None:
    """The name and the version of a pin are read, whatever stands between and behind them."""
    text = "pydantic[email]==2.14.3 \\\n    --hash=sha256:00\ncffi==2.1.1 ; python_version > '3' \\\n"

    assert pinned(text) == {"pydantic": "2.14.3", "cffi": "2.1.1"}


@pytest.mark.parametrize(
    ("headers", "named"),
    [
        ([("License-Expression", "MIT"), ("Classifier", "License :: OSI Approved :: BSD License")], "MIT"),
        ([("License", "BSD"), ("Classifier", "License :: OSI Approved :: BSD License")], "BSD License"),
        ([("License", "MPL-2.0")], "MPL-2.0"),
        ([], "unknown"),
    ],
)
def test_the_best_that_metadata_says_of_a_licence_counts(headers: list[tuple[str, str]], named: str) -> None:
    """An SPDX expression wins over classifiers, and these over the free field."""
    assert licence(about(*headers)) == named


@pytest.mark.parametrize(
    ("headers", "address"),
    [
        ([("Project-URL", "Source, https://a"), ("Project-URL", "Homepage, https://b")], "https://b"),
        ([("Project-URL", "Source, https://a"), ("Home-page", "https://c")], "https://c"),
        ([("Project-URL", "Source, https://a")], "https://a"),
        ([], ""),
    ],
)
def test_a_home_page_is_found_by_its_label(headers: list[tuple[str, str]], address: str) -> None:
    """The home page is named, or else the source."""
    assert home_page(about(*headers)) == address


@pytest.mark.parametrize("pins", [{"no-such-library": "1.0"}, {"click": "0.0.1"}])
def test_what_is_not_installed_as_pinned_is_an_error(pins: dict[str, str]) -> None:
    """Notices of a version that is not there are not made up."""
    with pytest.raises(NotInstalledError, match=next(iter(pins))):
        notices(pins)
