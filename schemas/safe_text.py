"""Makes foreign text safe for a terminal, a database and JSON.

Whatever cannot be printed becomes an escape that says which character it was: control characters and the
escape sequences that they begin, line breaks, marks that turn the direction of writing, halves of surrogate
pairs. So no text moves a cursor, fakes a line, or crashes the process that prints it.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

#: Up to here an escape has two hexadecimal digits, and up to there four.
_TWO_DIGITS: Final = 0xFF
_FOUR_DIGITS: Final = 0xFFFF

_SURROGATES: Final = range(0xD800, 0xE000)


def one_line(value: object) -> str:
    """Return a value as one line of text that can play no tricks on a terminal or with columns."""
    text = "" if value is None else str(value)
    return text if text.isprintable() else "".join(map(_escaped, text))


def safe_json(value: object, *, indent: int | None = None, default: Callable[[object], object] = str) -> str:
    """Return a value as JSON in which every character can be printed; to a reader of JSON it is the same.

    `default` says what becomes of what JSON has no form for.
    """
    text = json.dumps(value, indent=indent, ensure_ascii=False, default=default)
    # JSON's own signs are ASCII, so what cannot be printed stands inside of a text, or is a line's end.
    return "".join(sign if sign.isprintable() or sign == "\n" else json.dumps(sign)[1:-1] for sign in text)


def is_storable(text: str) -> bool:
    """Say whether a database takes a text: PostgreSQL takes no NUL, and UTF-8 no half of a surrogate pair.

    https://www.postgresql.org/docs/current/datatype-character.html says so of NUL.
    """
    return "\0" not in text and (text.isascii() or not any(ord(sign) in _SURROGATES for sign in text))


def _escaped(sign: str) -> str:
    if sign.isprintable():
        return sign
    code = ord(sign)
    if code <= _TWO_DIGITS:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code <= _FOUR_DIGITS else f"\\U{code:08x}"
