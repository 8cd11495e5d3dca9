"""Personal numbers of four countries: made up here, with check digits worked out here.

The Swedish ones have birth numbers from 980 to 999, which are given to nobody.
"""

from __future__ import annotations

import datetime as dt
from typing import Final

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from workers.rules.national_ids import has_personal_number, is_personal_number

COUNTRIES: Final = ("SE", "NO", "DK", "FI")
BIRTHS: Final = st.dates(dt.date(1930, 1, 1), dt.date(2020, 12, 31))
NOBODYS: Final = st.integers(980, 999)


def modulus_10(nine_digits: str) -> str:
    """Return the check digit of SKV 704: digits weighted 2, 1, 2 …, their digits added up."""
    products = [int(digit) * (2 - position % 2) for position, digit in enumerate(nine_digits)]
    return str(-sum(product // 10 + product % 10 for product in products) % 10)


def swedish(birth: dt.date, number: int, *, plus: int = 0) -> str:
    """Return twelve digits; with `plus` 60 they are a co-ordination number."""
    date = f"{birth.year:04}{birth.month:02}{birth.day + plus:02}"
    return f"{date}{number:03}{modulus_10(f'{date[2:]}{number:03}')}"


def norwegian(birth: dt.date, number: int) -> str | None:
    """Return eleven digits, or None where the rule gives no check digit."""
    digits = f"{birth:%d%m%y}{number:03}"
    for weights in ((3, 7, 6, 1, 8, 9, 4, 5, 2), (5, 4, 3, 2, 7, 6, 5, 4, 3, 2)):
        pairs = zip(weights, digits, strict=True)
        check = -sum(weight * int(digit) for weight, digit in pairs) % 11
        if check == 10:
            return None
        digits += str(check)
    return digits


def finnish(birth: dt.date, number: int) -> str:
    sign = "A" if birth.year >= 2000 else "-"
    check = "0123456789ABCDEFHJKLMNPRSTUVWXY"[int(f"{birth:%d%m%y}{number:03}") % 31]
    return f"{birth:%d%m%y}{sign}{number:03}{check}"


@given(birth=BIRTHS, number=NOBODYS, plus=st.sampled_from([0, 60]))
def test_swedish_numbers_are_taken(birth: dt.date, number: int, plus: int) -> None:
    """Twelve digits with the right check digit pass, as personal and as co-ordination number (day + 60)."""
    text = swedish(birth, number, plus=plus)
    assert is_personal_number(text, "SE")
    assert is_personal_number(f"{text[:8]}-{text[8:]}", "SE")
    assert is_personal_number(text[2:], "SE")


@given(
    birth=BIRTHS,
    number=NOBODYS,
    plus=st.sampled_from([0, 60]),
    position=st.integers(2, 11),
    change=st.integers(1, 9),
)
def test_one_wrong_digit_of_a_swedish_number_shows(
    birth: dt.date, number: int, plus: int, position: int, change: int
) -> None:
    """Whichever of the last ten digits is wrong, the number is refused."""
    text = swedish(birth, number, plus=plus)
    wrong = f"{text[:position]}{(int(text[position]) + change) % 10}{text[position + 1 :]}"
    assert not is_personal_number(wrong, "SE")


@pytest.mark.parametrize(
    "text",
    ["20130101TF01", "130101TF01", "20130101-TF01", "20121231R123", "20130101tf01", "20130101TFAB"],
)
def test_temporary_swedish_numbers_are_let_through(text: str) -> None:
    """A school's temporary number has a birth date, then a letter, and no check digit."""
    assert is_personal_number(text, "SE")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "anna",
        "201301010000",
        "20130230TF01",
        "20131301TF01",
        "20130101T01",
        "20130101TF012",
        "20130101T_01",
        "TF0120130101",
        "20130101 TF01",
        "2013-01-01",
        "00000000TF01",
        swedish(dt.date(2013, 4, 28), 980, plus=3),
        swedish(dt.date(2013, 2, 28), 980, plus=62),
        swedish(dt.date(2013, 1, 1), 980)[:-1],
        swedish(dt.date(2013, 1, 1), 980) + "0",
        swedish(dt.date(2013, 1, 1), 980, plus=49),
    ],
)
def test_what_is_no_swedish_number_is_refused(text: str) -> None:
    """Wrong lengths, days that do not exist and stray signs are no personal numbers."""
    assert not is_personal_number(text, "SE")


@given(birth=st.dates(dt.date(1930, 1, 1), dt.date(1999, 12, 31)), number=st.integers(0, 499))
def test_norwegian_numbers_are_taken(birth: dt.date, number: int) -> None:
    """Eleven digits with both check digits right pass, and with either of them wrong do not."""
    text = norwegian(birth, number)
    assume(text is not None)
    assert text is not None
    assert is_personal_number(text, "NO")
    assert not is_personal_number(f"{text[:10]}{(int(text[10]) + 1) % 10}", "NO")
    assert not is_personal_number(f"{text[:9]}{(int(text[9]) + 1) % 10}{text[10]}", "NO")


@given(birth=st.dates(dt.date(1930, 1, 1), dt.date(1999, 12, 31)), number=st.integers(0, 3999))
def test_danish_numbers_are_taken(birth: dt.date, number: int) -> None:
    """Ten digits with a real date pass; Denmark gave up its check digit in 2007."""
    text = f"{birth:%d%m%y}{number:04}"
    assert is_personal_number(text, "DK")
    assert is_personal_number(f"{text[:6]}-{text[6:]}", "DK")
    assert not is_personal_number(f"32{text[2:]}", "DK")
    assert not is_personal_number(text[:-1], "DK")


@given(birth=BIRTHS, number=st.integers(2, 899))
def test_finnish_numbers_are_taken(birth: dt.date, number: int) -> None:
    """A Finnish number passes with the right check sign and with no other."""
    text = finnish(birth, number)
    assert is_personal_number(text, "FI")
    signs = "0123456789ABCDEFHJKLMNPRSTUVWXYGIOQZ".replace(text[-1], "")
    assert not any(is_personal_number(f"{text[:-1]}{sign}", "FI") for sign in signs)


@given(text=st.text(max_size=14) | st.text("0123456789\u0660\u0661²½-+ABT_\u00a0", max_size=13))
@pytest.mark.parametrize("country", COUNTRIES)
def test_any_text_has_an_answer(country: str, text: str) -> None:
    """Whatever stands in the attribute, the check says yes or no and never fails."""
    assert is_personal_number(text, country) in (True, False)


@pytest.mark.parametrize("country", ["NO", "DK", "FI"])
def test_a_number_is_checked_by_the_tenants_country_alone(country: str) -> None:
    """A Swedish number of twelve digits is none of another country."""
    assert not is_personal_number(swedish(dt.date(2013, 1, 1), 980), country)


@pytest.mark.parametrize(
    ("country", "number"),
    [
        ("NO", "04431250093"),
        ("NO", "44031250185"),
        ("NO", "201506129907"),
        ("FI", "040312A9004"),
        ("FI", "040312A9015"),
    ],
)
def test_provisional_numbers_are_taken(country: str, number: str) -> None:
    """D-, H- and DUF numbers of Norway, and Finland's from 900 on; a wrong check digit shows in each."""
    assert is_personal_number(number, country)
    wrong = "0" if number[-1] != "0" else "1"
    assert not is_personal_number(number[:-1] + wrong, country)


@pytest.mark.parametrize("number", ["189906129904", "20150612990", "2015061299070", "201506129908"])
def test_what_is_no_duf_number_is_refused(number: str) -> None:
    """A DUF number has twelve digits, begins with a year since 1900, and ends with its remainder."""
    assert not is_personal_number(number, "NO")


@pytest.mark.parametrize(
    ("text", "has_one"),
    [
        ("201203049810@k.example", True),
        ("1203049810@k.example", True),
        ("elev.20120304-9810@k.example", True),
        ("p120304-9810@k.example", True),
        ("201203049811@k.example", False),
        ("anna.0123456789@k.example", False),
        ("99201203049810@k.example", False),
        ("anna.2012@k.example", False),
        ("", False),
    ],
)
def test_a_number_in_an_address_is_found(text: str, *, has_one: bool) -> None:
    """Only digits that are a possible number count, and no part of a longer row of digits."""
    assert has_personal_number(text) is has_one
