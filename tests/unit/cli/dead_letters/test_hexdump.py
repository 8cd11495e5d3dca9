"""Foreign bytes in hex."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from cli.dead_letters.hexdump import hexdump


@given(st.binary(max_size=60))
def test_any_bytes_are_shown_whole_and_harmless(body: bytes) -> None:
    """P6: every byte is there in hex, and nothing that a terminal would obey."""
    lines = list(hexdump(body))
    assert bytes.fromhex("".join(line[10:57] for line in lines)) == body
    assert all(line.isascii() and line.isprintable() for line in lines)
