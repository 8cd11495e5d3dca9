"""What is said of a word that is not allowed."""

from __future__ import annotations

import pytest

from schemas.words import allowed_words, is_word, unknown_word


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("departement", "Did you mean department? Allowed are: city, department, a1 to a3."),
        ("CITY", "Did you mean city? Allowed are: city, department, a1 to a3."),
        ("shoe", "Allowed are: city, department, a1 to a3."),
    ],
)
def test_the_nearest_word_is_named(typed: str, said: str) -> None:
    """Without regard to case, and a series of numbered words is short."""
    assert allowed_words(typed, ["city", "department", "a1", "a2", "a3"]) == said


@pytest.mark.parametrize("typed", ["anna@skola.example", "Anna Andersson", "", "\x1b[2J", "x" * 60, 7, None])
def test_what_may_be_a_value_is_not_repeated(typed: object) -> None:
    """P6: it may stand in a wrong place of a file."""
    assert not (isinstance(typed, str) and is_word(typed))
    assert unknown_word(typed, ["city"]) == "Not one of the words that are allowed. Allowed are: city."
