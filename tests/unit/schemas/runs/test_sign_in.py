"""Values of sign-in are compared to the letter."""

from __future__ import annotations

import pytest

from schemas.runs.sign_in import ValueMatch, compare_values


@pytest.mark.parametrize(
    ("in_skolon", "in_entra", "match"),
    [
        ("anna@k.example", "anna@k.example", ValueMatch.EXACT),
        ("Anna@k.example", "anna@k.example", ValueMatch.CASE_DIFFERS),
        ("anna@k.example", "bo@k.example", ValueMatch.DIFFERENT),
        (None, "anna@k.example", ValueMatch.DIFFERENT),
        ("anna@k.example", None, ValueMatch.BLANK_IN_ENTRA),
        (None, None, ValueMatch.BLANK_IN_ENTRA),
        ("strasse", "straße", ValueMatch.DIFFERENT),
    ],
)
def test_values_are_compared_to_the_letter(
    in_skolon: str | None, in_entra: str | None, match: ValueMatch
) -> None:
    """A value in other capital letters is no match, and nor is a user without one in Entra."""
    assert compare_values(in_skolon, in_entra) is match
