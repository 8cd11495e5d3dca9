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

#: What may be a Swedish personal number in a longer text.
_NUMBER_IN_TEXT: Final = re.compile(r"(?<!\d)(?:\d{2})?\d{6}[-+]?\d{4}(?!\d)")


#: A Norwegian D-number is a personal number with 40 added to the day (Skatteetaten). An H-number has 40 added
#: to the month: an institution gives it for its own use until it knows the real one (KITH-rapport R 11/98).
_SHIFT: Final = 40
_NORWEGIAN_LENGTH: Final = 11

#: A Norwegian DUF number, which the immigration authorities give: a year, six digits, and the remainder by 11
#: of these with weights (https://www.udi.no/en/word-definitions/duf-number/,
#: https://lovas.info/2013/12/01/identitetsnummer-i-norge/).
_DUF: Final = re.compile(r"(?:19|20)\d{10}", re.ASCII)
_DUF_WEIGHTS: Final = (4, 6, 3, 2, 4, 6, 3, 2, 7, 5)

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

    A century, a separator and a leading zero may be missing. Numbers that schools and hospitals give tell
    nothing: two may give the same one. Co-ordination, D- and DUF numbers are unique, and another number
    replaces them.
    """
    one, other = _bare(left or ""), _bare(right or "")
    if not (_is_number(one) and _is_number(other)) or _is_local(left or "") or _is_local(right or ""):
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
    if _is_duf_number(text):
        return None
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

    Provisional numbers are valid: Sweden's co-ordination numbers and schools' temporary ones, Norway's D-, H-
    and DUF numbers, and Finland's temporary ones.
    """
    return _CHECKS[country](text)


def has_personal_number(text: str) -> bool:
    """Say whether a Swedish personal number stands in a text, as in `20120304-1234@school.example`."""
    return any(_is_swedish_number(found[0]) for found in _NUMBER_IN_TEXT.finditer(text))


def _is_swedish_number(text: str) -> bool:
    return bool(personnummer.is_valid(text)) or _coordination(text)


def _swedish(text: str) -> bool:
    return _is_swedish_number(text) or _temporary(text)


def _norwegian(text: str) -> bool:
    return bool(fodselsnummer.is_valid(text)) or _is_duf_number(text)


def _finnish(text: str) -> bool:
    return bool(hetu.is_valid(text, allow_temporary=True))


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
    digits = hetu.validate(text, allow_temporary=True)[:6]
    return f"{digits[4:]}{digits[2:4]}{digits[:2]}"


def _temporary(text: str) -> bool:
    found = _SWEDISH_TEMPORARY.fullmatch(text)
    return found is not None and _is_date(found["date"])


def _is_number(bare: str) -> bool:
    is_long = len(bare) >= _LEAST_LENGTH and len(set(bare)) >= _LEAST_DIFFERENT
    return is_long and any(map(str.isdecimal, bare)) and not bare.endswith(_UNKNOWN_END)


def _is_local(text: str) -> bool:
    """Say whether an institution has given a number itself, which nothing keeps another from giving too.

    Finnish individual numbers from 900 on are never in the population register (decree 128/2010).
    """
    is_finnish = _finnish(text) and not hetu.is_valid(text)
    return _temporary(text) or is_finnish or _is_shifted(text, slice(2, 4))


def _is_provisional(text: str) -> bool:
    return _coordination(text) or _is_shifted(text, slice(0, 2)) or _is_duf_number(text)


def _is_shifted(text: str, part: slice) -> bool:
    """Say whether a Norwegian number has 40 added to a part of its birth date."""
    digits = _bare(text)
    is_long = digits.isdecimal() and len(digits) == _NORWEGIAN_LENGTH
    return is_long and int(digits[part]) > _SHIFT and bool(fodselsnummer.is_valid(digits))


def _is_duf_number(text: str) -> bool:
    digits = _bare(text)
    if not _DUF.fullmatch(digits) or _swedish(digits):
        return False
    weighted = sum(weight * int(digit) for weight, digit in zip(_DUF_WEIGHTS, digits, strict=False))
    return int(digits[-2:]) == weighted % 11


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
    "NO": _norwegian,
    "DK": cpr.is_valid,
    "FI": _finnish,
}

_BIRTH_DATES: Final[dict[str, Callable[[str], str | None]]] = {
    "SE": _swedish_birth_date,
    "NO": lambda text: f"{fodselsnummer.get_birth_date(fodselsnummer.validate(text)):%y%m%d}",
    "DK": lambda text: f"{cpr.get_birth_date(cpr.validate(text)):%y%m%d}",
    "FI": _finnish_birth_date,
}
