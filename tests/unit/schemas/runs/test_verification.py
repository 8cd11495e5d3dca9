"""For how long a verification counts, and of which values."""

from __future__ import annotations

import datetime as dt

import pytest

from schemas.runs.verification import VerifiedReceipt

NOW = dt.datetime(2026, 11, 1, tzinfo=dt.UTC)
DAYS = 3


def verified(age: dt.timedelta) -> VerifiedReceipt:
    """Return a verification of that age; a negative one lies in the future."""
    return VerifiedReceipt(fingerprint="values", verified_at=NOW - age, skolon_id="s1", skolon_version=None)


@pytest.mark.parametrize(
    ("age", "valid"),
    [
        (dt.timedelta(), True),
        (dt.timedelta(days=DAYS), True),
        (dt.timedelta(days=DAYS, seconds=1), False),
        (-dt.timedelta(hours=1), True),
        (-dt.timedelta(hours=1, seconds=1), False),
        (-dt.timedelta(days=DAYS), False),
    ],
)
def test_a_verification_counts_for_some_days_and_not_from_the_future(
    age: dt.timedelta, *, valid: bool
) -> None:
    """Clocks may differ by an hour; a time further ahead came from a wrong clock, and is not trusted."""
    assert verified(age).is_valid(NOW, DAYS, ["values"]) is valid


def test_a_verification_covers_its_own_values_alone() -> None:
    """The fingerprint may be that of any key; with other values Skolon is asked."""
    receipt = verified(dt.timedelta(days=1))
    assert receipt.is_valid(NOW, DAYS, ["by the new key", "values"])
    assert not receipt.is_valid(NOW, DAYS, ["other values"])
    assert not receipt.is_valid(NOW, DAYS, [])
