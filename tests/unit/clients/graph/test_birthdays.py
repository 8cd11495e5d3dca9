"""Birthdays as Graph gives them."""

from __future__ import annotations

import pytest

from clients.graph.birthdays import read_birthday

ODD = "Graph's birthday is no date"


@pytest.mark.parametrize(
    ("raw", "value", "problem"),
    [
        ("2013-01-01T00:00:00Z", "2013-01-01", None),
        ("2013-01-01T00:00:00.0000000Z", "2013-01-01", None),
        ("2013-01-01T07:00:00+02:00", "2013-01-01", None),
        ("2013-01-01", "2013-01-01", None),
        ("0001-01-01T00:00:00Z", None, None),
        (None, None, None),
        ("", None, ODD),
        ("2013-02-30T00:00:00Z", None, ODD),
        ("1/1/2013", None, ODD),
        ("2013-01-01T00:00:00Z\n", None, ODD),
        (20130101, None, ODD),
        (["2013-01-01"], None, ODD),
    ],
)
def test_forms(raw: object, value: str | None, problem: str | None) -> None:
    """A date is a date, the year 0001 is none, and anything else is a problem that quotes nothing (P6)."""
    birthday = read_birthday({"birthday": raw})
    assert (birthday.value, birthday.problem) == (value, problem)


def test_absent() -> None:
    """A birthday that was not given is not set."""
    assert read_birthday({}).value is None
