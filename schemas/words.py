"""Tells which words are allowed, and which of them was probably meant."""

from __future__ import annotations

import re
from difflib import get_close_matches
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

#: What may be repeated in an error: the names of settings look like that, and names of users do not.
_WORD: Final = re.compile(r"[A-Za-z]\w{0,49}")

_NUMBERED: Final = re.compile(r"(\D+)(\d+)")


def is_word(text: str) -> bool:
    """Say whether a text looks like the name of a setting, and not like a value (promise P6)."""
    return _WORD.fullmatch(text) is not None


def allowed_words(typed: str, allowed: Iterable[str]) -> str:
    """Return a sentence that names the allowed words, the nearest one to what was typed in front."""
    words = [str(word) for word in allowed]
    by_folded = {word.casefold(): word for word in words}
    near = get_close_matches(typed.casefold(), by_folded, n=1)
    meant = f"Did you mean {by_folded[near[0]]}? " if near else ""
    return f"{meant}Allowed are: {', '.join(_without_series(words))}."


def unknown_word(typed: object, allowed: Iterable[str]) -> str:
    """Return what is wrong with a word that is not allowed; what does not look like one is not repeated."""
    if isinstance(typed, str) and is_word(typed):
        return f"There is no {typed} here. {allowed_words(typed, allowed)}"
    return f"Not one of the words that are allowed. {allowed_words('', allowed)}"


def _without_series(words: list[str]) -> list[str]:
    """Return the words; of those that differ in a number alone, the first and the last."""
    series: dict[str, list[str]] = {}
    for word in words:
        numbered = _NUMBERED.fullmatch(word)
        series.setdefault(numbered[1] if numbered else word, []).append(word)
    return [each[0] if len(each) == 1 else f"{each[0]} to {each[-1]}" for each in series.values()]
