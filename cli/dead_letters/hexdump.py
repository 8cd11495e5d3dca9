"""Bytes of anybody's, shown so that they can play no tricks on a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

#: Bytes of one line, and of a letter that is shown without being asked for more.
LINE: Final = 16
FIRST_BYTES: Final = 256

#: ASCII that can be printed.
_PRINTABLE: Final = range(0x20, 0x7F)


def hexdump(body: bytes) -> Iterator[str]:
    """Yield lines of offset, hex and ASCII, a full stop for what cannot be printed."""
    for offset in range(0, len(body), LINE):
        line = body[offset : offset + LINE]
        text = "".join(chr(byte) if byte in _PRINTABLE else "." for byte in line)
        yield f"{offset:08x}  {line.hex(' '):<{LINE * 3 - 1}}  {text}"


def text_of(body: bytes) -> str:
    """Return the bytes as text in one line, with a space for what cannot be printed."""
    text = body.decode("utf-8", errors="replace")
    return "".join(sign if sign.isprintable() else " " for sign in text)
