"""How long the other side wants us to wait."""

from __future__ import annotations

import datetime as dt
import math
from email.utils import parsedate_to_datetime
from typing import Final

#: Seconds at most: whoever asks for more is asked again sooner.
LONGEST: Final = 3600.0


def retry_after(header: str | None, now: dt.datetime) -> float | None:
    """Return the seconds that a `Retry-After` header asks for, or None if it says nothing useful.

    RFC 9110 section 10.2.3 allows whole seconds or a date; Graph sends fractions of seconds as well.
    """
    if header is None:
        return None
    seconds = _number(header.strip())
    if seconds is None:
        seconds = _until(header, now)
    if seconds is None or not math.isfinite(seconds):
        return None
    return min(max(seconds, 0.0), LONGEST)


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def _until(text: str, now: dt.datetime) -> float | None:
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=dt.UTC)
    return (moment - now).total_seconds()
