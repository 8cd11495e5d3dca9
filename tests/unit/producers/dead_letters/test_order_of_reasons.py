"""The order in which a replay tries the reasons of dead letters."""

from __future__ import annotations

from producers.dead_letters.ramp import in_order
from schemas.dead_letter_reasons import Reason


def test_what_a_person_must_correct_comes_last() -> None:
    """Outages and crashes come first, wrong data in Entra or Skolon last, always in the same order."""
    reasons = [Reason.INVALID_USER, Reason.GAVE_UP, Reason.AMBIGUOUS_MATCH, Reason.REJECTED_BY_SKOLON]
    assert in_order(reasons) == [
        Reason.GAVE_UP,
        Reason.REJECTED_BY_SKOLON,
        Reason.AMBIGUOUS_MATCH,
        Reason.INVALID_USER,
    ]
    assert in_order(list(Reason)) == in_order(list(reversed(Reason)))
