"""Foreign bytes in hex, so that they cannot control a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

#: Bytes of one line.
_LINE: Final = 16

#: ASCII that can be printed.
_PRINTABLE: Final = range(0x20, 0x7F)


def hexdump(body: bytes) -> Iterator[str]:
    """Yield lines of offset, hex and ASCII, a full stop for what cannot be printed."""
    for offset in range(0, len(body), _LINE):
        line = body[offset : offset + _LINE]
        text = "".join(chr(byte) if byte in _PRINTABLE else "." for byte in line)
        yield f"{offset:08x}  {line.hex(' '):<{_LINE * 3 - 1}}  {text}"
