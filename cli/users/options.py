"""How commands take a user's id."""

from __future__ import annotations

import sys


def read_identifier(text: str) -> str:
    """Return an argument; `-` reads it from standard input, to keep it out of the shell history."""
    return (sys.stdin.readline() if text == "-" else text).strip()
