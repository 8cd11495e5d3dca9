"""Validation errors as lines: each names the field, and never the value (promise P6)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from schemas.safe_text import one_line

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

#: Maximum characters of an id or a name that another system chose.
_LONGEST_NAME: Final = 200


def readable_name(value: object) -> str | None:
    """Return an id or a name that another system chose, None if it cannot be shown in a line."""
    usable = isinstance(value, str) and value.isprintable() and 0 < len(value) <= _LONGEST_NAME
    return str(value) if usable else None


def flatten_errors(messages: Mapping[Any, Any] | list[Any] | str) -> list[str]:
    """Turn marshmallow's nested messages into lines such as `guard.changed.count: Not a valid integer.`.

    An unknown field may have any name, so each line is made safe for logs and for the database.
    """
    return [one_line(line) for line in _lines(messages, "")]


def _lines(messages: Any, path: str) -> Iterator[str]:
    if isinstance(messages, dict):
        for key, inner in messages.items():
            step = "" if key == "_schema" else readable_name(str(key)) or "a field whose name cannot be shown"
            yield from _lines(inner, ".".join(part for part in (path, step) if part))
    elif isinstance(messages, list):
        for inner in messages:
            yield from _lines(inner, path)
    else:
        yield f"{path}: {messages}" if path else str(messages)
