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


def _temporary(text: str) -> bool:
    found = _SWEDISH_TEMPORARY.fullmatch(text)
    return found is not None and _is_date(found["date"])


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
