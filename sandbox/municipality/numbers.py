"""Made-up Swedish personal numbers, right and wrong ones.

Serials from 980 to 999 are what the Swedish Tax Agency uses for its test numbers, so
that no living user has them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import date

#: The first serial of the test numbers, and how many there are.
FIRST_SERIAL = 980
SERIALS = 20
#: A co-ordination number has this added to its day.
_COORDINATION = 60


def check_digit(digits: str) -> int:
    """Return the modulus-10 check digit for YYMMDDNNN: every other digit doubled, the first one too."""
    doubled = (int(digit) * (2 - position % 2) for position, digit in enumerate(digits))
    return -sum(sum(divmod(value, 10)) for value in doubled) % 10


def personal_number(born: date, serial: int) -> str:
    """Return the twelve digits for a date of birth and a serial of three digits."""
    return _complete(f"{born:%Y%m%d}", serial)


def coordination_number(born: date, serial: int) -> str:
    """Return the twelve digits of a co-ordination number: day + 60, the same check digit."""
    return _complete(f"{born:%Y%m}{born.day + _COORDINATION}", serial)


def temporary_number(born: date, serial: int) -> str:
    """Return a school's temporary number: letters after the date, and no check digit."""
    return f"{born:%Y%m%d}TF{serial % 100:02d}"


def with_wrong_check_digit(number: str) -> str:
    """Return a personal number with a wrong check digit."""
    return f"{number[:-1]}{(int(number[-1]) + 1) % 10}"


def _complete(day: str, serial: int) -> str:
    return f"{day}{serial:03d}{check_digit(f'{day[2:]}{serial:03d}')}"
