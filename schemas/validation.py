"""Validation errors as lines: each names the field, and never the value (promise P6)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Self

from schemas.safe_text import one_line

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

#: Maximum characters of an id or a name that another system chose.
_LONGEST_NAME: Final = 200


def readable_name(value: object) -> str | None:
    """Return an id or a name that another system chose, None if it cannot be shown in a line."""
    usable = isinstance(value, str) and value.isprintable() and 0 < len(value) <= _LONGEST_NAME
    return str(value) if usable else None


class FieldFault(str):
    """A line about a field, such as `guard.changed.count: Not a valid integer.`, made safe for logs.

    `path` has the names and the numbers that lead to the field, none of a fault of the whole; `message` says
    what is wrong.
    """

    __slots__ = ("message", "path")

    path: tuple[str, ...]
    message: str

    def __new__(cls, path: tuple[str, ...], message: str) -> Self:
        """Make the line out of its parts."""
        line = super().__new__(cls, one_line(f"{'.'.join(path)}: {message}" if path else message))
        line.path, line.message = path, one_line(message)
        return line


def flatten_errors(messages: Mapping[Any, Any] | list[Any] | str) -> list[FieldFault]:
    """Turn marshmallow's nested messages into lines.

    An unknown field may have any name, so each line is made safe for logs and for the database.
    """
    return list(_lines(messages, ()))


def _lines(messages: Any, path: tuple[str, ...]) -> Iterator[FieldFault]:
    if isinstance(messages, dict):
        for key, inner in messages.items():
            name = readable_name(str(key)) or "a field whose name cannot be shown"
            yield from _lines(inner, path if key == "_schema" else (*path, name))
    elif isinstance(messages, list):
        for inner in messages:
            yield from _lines(inner, path)
    else:
        yield FieldFault(path, str(messages))
