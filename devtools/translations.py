"""The pages' texts: finds them in `hub/`, and brings the Swedish catalogue up to date.

`make translations` adds what is new to `hub/translations/sv/LC_MESSAGES/messages.po`, without a translation,
and takes out what is used no more. A test fails while a text lacks its Swedish.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po, write_po

if TYPE_CHECKING:
    from collections.abc import Iterator

    from babel.messages.catalog import Message

_ROOT: Final = Path(__file__).parents[1]
SOURCE: Final = _ROOT / "hub"
SWEDISH: Final = SOURCE / "translations" / "sv" / "LC_MESSAGES" / "messages.po"

_METHODS: Final = [("**.py", "python"), ("templates/**.html", "jinja2")]
_KEYWORDS: Final = {"_": None, "gettext": None, "ngettext": (1, 2)}


def texts_in_use() -> Catalog:
    """Return a catalogue of the texts that the pages have."""
    found = Catalog()
    options = {"templates/**.html": {"trimmed": "true", "silent": "false"}}
    for file, _, text, _, context in extract_from_dir(
        str(SOURCE), _METHODS, options, keywords=_KEYWORDS, comment_tags=()
    ):
        found.add(text, locations=[(file, 0)], context=context)
    return found


def swedish() -> Catalog:
    """Return the Swedish catalogue as it is."""
    with SWEDISH.open("rb") as file:
        return read_po(file, locale="sv")


def messages(catalog: Catalog) -> Iterator[Message]:
    """Yield a catalogue's messages without its header."""
    return (message for message in catalog if message.id)


def main() -> None:
    """Bring the Swedish catalogue up to date."""
    catalog = swedish()
    catalog.update(texts_in_use(), no_fuzzy_matching=True)
    catalog.obsolete.clear()
    for message in messages(catalog):
        # A file's name is enough to find a text: line numbers would change with every edit.
        message.locations = sorted({(file, 0) for file, _ in message.locations})
    with SWEDISH.open("wb") as file:
        write_po(file, catalog, omit_header=True, include_lineno=False, sort_output=True, width=110)


if __name__ == "__main__":
    main()
