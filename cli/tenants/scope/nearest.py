"""Tells which words are allowed, and which of them was probably meant."""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


def allowed_words(typed: str, allowed: Iterable[str]) -> str:
    """Return a sentence that names the allowed words, the nearest one to what was typed in front."""
    by_folded = {word.casefold(): str(word) for word in allowed}
    near = get_close_matches(typed.casefold(), by_folded, n=1)
    meant = f"Did you mean {by_folded[near[0]]}? " if near else ""
    return f"{meant}Allowed are: {', '.join(by_folded.values())}."
