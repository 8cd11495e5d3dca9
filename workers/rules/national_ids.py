"""Validates personal numbers by the rules of the tenant's country."""

from __future__ import annotations

import datetime as dt
import re
from typing import TYPE_CHECKING, Final

from stdnum import luhn
from stdnum.dk import cpr
from stdnum.exceptions import ValidationError as StdnumError
from stdnum.fi import hetu
from stdnum.no import fodselsnummer
from stdnum.se import personnummer

if TYPE_CHECKING:
    from collections.abc import Callable

#: A temporary number of a Swedish school: a birth date, a letter, then three letters or digits.
_SWEDISH_TEMPORARY: Final = re.compile(r"(?P<date>\d{6}|\d{8})-?[^\W\d_][^\W_]{3}")

#: A Swedish co-ordination number is a personal number with 60 added to the day (Skatteverket, SKV 707).
_SWEDISH: Final = re.compile(
    r"(?P<century>\d\d)?(?P<year>\d\d)(?P<month>\d\d)(?P<day>\d\d)[-+]?(?P<last>\d{4})"
)
_COORDINATION: Final = 60


#: A Norwegian D-number is a personal number with 40 added to the day (Skatteetaten).
_D_NUMBER: Final = 40

_LETTERS_AND_DIGITS: Final = re.compile(r"[^\W_]+")

#: Characters of a personal number from which its century can be left out: YYYYMMDDNNNN.
_WITH_CENTURY: Final = 12


def same_number(left: str, right: str) -> bool:
    """Say whether two personal numbers are the same, however they are written: a century may be left out."""
    one, other = _bare(left), _bare(right)
    if {len(one), len(other)} == {_WITH_CENTURY, _WITH_CENTURY - 2}:
        return one[-10:] == other[-10:]
    return one == other


def is_provisional(text: str) -> bool:
    """Say whether a number is one that its holder has until there is a personal number.

    These are a school's temporary numbers, Swedish co-ordination numbers and Norwegian D-numbers.
    """
    return _temporary(text) or _coordination(text) or _is_d_number(text)


def birth_date_of(text: str, country: str | None) -> str | None:
    """Return the birth date in a number of `country` as YYMMDD; None if there is none in it."""
    read = _BIRTH_DATES.get(country or "")
    try:
        return read(text) if read else None
    except StdnumError:
        return None


def is_personal_number(text: str, country: str) -> bool:
    """Say whether `text` is a possible personal number of `country` (ISO 3166-1: SE, NO, DK or FI).

    Swedish co-ordination numbers and temporary numbers of schools are valid.
    """
    return _CHECKS[country](text)


def _swedish(text: str) -> bool:
    return bool(personnummer.is_valid(text)) or _coordination(text) or _temporary(text)


def _coordination(text: str) -> bool:
    found = _SWEDISH.fullmatch(text)
    if found is None:
        return False
    day = int(found["day"]) - _COORDINATION
    digits = f"{found['year']}{found['month']}{found['day']}{found['last']}"
    date = f"{found['century'] or ''}{found['year']}{found['month']}{day:02}"
    return _is_date(date) and bool(luhn.is_valid(digits))


def _swedish_birth_date(text: str) -> str | None:
    found = _SWEDISH.fullmatch(text)
    if found is not None:
        day = int(found["day"])
        date = f"{found['year']}{found['month']}{day - _COORDINATION if day > _COORDINATION else day:02}"
    elif (temporary := _SWEDISH_TEMPORARY.fullmatch(text)) is not None:
        date = temporary["date"][-6:]
    else:
        return None
    return date if _is_date(date) else None


def _finnish_birth_date(text: str) -> str:
    digits = hetu.validate(text)[:6]
    return f"{digits[4:]}{digits[2:4]}{digits[:2]}"


def _temporary(text: str) -> bool:
    found = _SWEDISH_TEMPORARY.fullmatch(text)
    return found is not None and _is_date(found["date"])


def _is_d_number(text: str) -> bool:
    digits = _bare(text)
    is_shifted = digits.isdecimal() and len(digits) == 11 and int(digits[:2]) > _D_NUMBER  # noqa: PLR2004
    return is_shifted and bool(fodselsnummer.is_valid(digits))


def _bare(text: str) -> str:
    return "".join(_LETTERS_AND_DIGITS.findall(text)).casefold()


def _is_date(digits: str) -> bool:
    # A number without a century is checked with 2000, which has a 29th of February.
    text = digits if len(digits) == len("YYYYMMDD") else f"20{digits}"
    try:
        dt.datetime.strptime(text, "%Y%m%d").replace(tzinfo=dt.UTC)
    except ValueError:
        return False
    return True


_CHECKS: Final[dict[str, Callable[[str], bool]]] = {
    "SE": _swedish,
    "NO": fodselsnummer.is_valid,
    "DK": cpr.is_valid,
    "FI": hetu.is_valid,
}

_BIRTH_DATES: Final[dict[str, Callable[[str], str | None]]] = {
    "SE": _swedish_birth_date,
    "NO": lambda text: f"{fodselsnummer.get_birth_date(text):%y%m%d}",
    "DK": lambda text: f"{cpr.get_birth_date(text):%y%m%d}",
    "FI": _finnish_birth_date,
}
