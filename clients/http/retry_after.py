"""`Retry-After`: how long the other side asks us to stay away (RFC 9110 section 10.2.3)."""

from __future__ import annotations

import datetime as dt
import re
from email.utils import parsedate_to_datetime
from typing import Final

#: Seconds. A longer wait is cut to this.
MAX_WAIT: Final = 3600.0

#: RFC 9110 knows whole seconds; Graph sends fractions as well (`2.128`).
_SECONDS: Final = re.compile(r"[0-9]{1,300}(\.[0-9]{0,300})?\Z", re.ASCII)


def retry_after(header: str | None, *, now: dt.datetime) -> float | None:
    """Return the seconds to wait, from 0 to `MAX_WAIT`; None when nothing sensible was asked for.

    `now` is an aware time, against which an HTTP date is counted; a date that has passed is 0.
    """
    if header is None:
        return None
    text = header.strip()
    if _SECONDS.match(text):
        return min(float(text), MAX_WAIT)
    try:
        moment = parsedate_to_datetime(text)
        if moment.tzinfo is None:  # "-0000": a time in UTC that says nothing about its place
            moment = moment.replace(tzinfo=dt.UTC)
        seconds = (moment - now).total_seconds()
    except (ValueError, OverflowError):
        return None
    return min(max(seconds, 0.0), MAX_WAIT)
