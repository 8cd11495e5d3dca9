"""Validates personal numbers by the rules of the tenant's country."""

from __future__ import annotations

import datetime as dt
import re
from typing import TYPE_CHECKING, Final

from stdnum import luhn
from stdnum.dk import cpr
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

#: Characters of a personal number with its century: YYYYMMDDNNNN.
_WITH_CENTURY: Final = 12

#: Fewer letters and digits, or fewer different ones, are no number but a sign that there is none.
_LEAST_LENGTH: Final = 9
_LEAST_DIFFERENT: Final = 3

#: The end of a number whose last digits are not known.
_UNKNOWN_END: Final = "0000"


def compare_numbers(left: str | None, right: str | None) -> bool | None:
    """Say whether two personal numbers are one person's; None if they do not tell.

    A century, a separator and a leading zero may be missing. Two schools may give the same temporary number.
    Co-ordination numbers and D-numbers are unique, and are replaced by another number.
    """
    one, other = _bare(left or ""), _bare(right or "")
    if not (_is_number(one) and _is_number(other)) or _temporary(left or "") or _temporary(right or ""):
        return None
    short, long = sorted((one, other), key=len)
    without_century = long[2:] if len(long) == _WITH_CENTURY else long
    if short in (long, without_century) or "0" + short in (long, without_century):
        return True
    return None if _is_provisional(left or "") or _is_provisional(right or "") else False


def birth_date_of(text: str, country: str | None) -> str | None:
    """Return the birth date in a number of `country` as YYMMDD; None if there is none in it.

    Without a country only the forms count that no other country has: Swedish ones with a century.
    """
    if country is None:
        century = len(_bare(text)) == _WITH_CENTURY
        return _swedish_birth_date(text) if century else None
    try:
        return _BIRTH_DATES[country](text)
    except (ValueError, IndexError):
        # stdnum's own errors are `ValueError`s; what is no number at all meets others.
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


def _is_number(bare: str) -> bool:
    is_long = len(bare) >= _LEAST_LENGTH and len(set(bare)) >= _LEAST_DIFFERENT
    return is_long and any(map(str.isdecimal, bare)) and not bare.endswith(_UNKNOWN_END)


def _is_provisional(text: str) -> bool:
    return _coordination(text) or _is_d_number(text)


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
    "NO": lambda text: f"{fodselsnummer.get_birth_date(fodselsnummer.validate(text)):%y%m%d}",
    "DK": lambda text: f"{cpr.get_birth_date(cpr.validate(text)):%y%m%d}",
    "FI": _finnish_birth_date,
}
