"""Made-up personal numbers, judged by python-stdnum where it knows them."""

from __future__ import annotations

from datetime import date

from hypothesis import given
from hypothesis import strategies as st
from stdnum import luhn
from stdnum.se import personnummer

from sandbox.municipality.numbers import (
    coordination_number,
    personal_number,
    temporary_number,
    with_wrong_check_digit,
)

_DAYS = st.dates(date(1950, 1, 1), date(2020, 12, 31))
_SERIALS = st.integers(980, 999)


@given(_DAYS, _SERIALS)
def test_personal_numbers_are_right(born: date, serial: int) -> None:
    """A made-up number passes the check of an independent library, and keeps its date."""
    number = personal_number(born, serial)
    assert len(number) == 12
    assert personnummer.is_valid(number)
    assert personnummer.get_birth_date(number) == born


@given(_DAYS, _SERIALS)
def test_misspelt_numbers_are_wrong(born: date, serial: int) -> None:
    """One digit off is noticed."""
    assert not personnummer.is_valid(with_wrong_check_digit(personal_number(born, serial)))


@given(_DAYS, _SERIALS)
def test_coordination_numbers_have_sixty_more_days(born: date, serial: int) -> None:
    """The day is over 60, and the check digit is right over the last ten digits."""
    number = coordination_number(born, serial)
    assert int(number[6:8]) == born.day + 60
    assert luhn.is_valid(number[2:])


def test_temporary_numbers_have_letters() -> None:
    """A temporary number looks as the schools write it."""
    assert temporary_number(date(2013, 1, 1), 1) == "20130101TF01"
