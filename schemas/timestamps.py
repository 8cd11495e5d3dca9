"""Timestamps as every JSON object of ours writes them."""

from __future__ import annotations

import datetime as dt


def timestamp(moment: dt.datetime) -> str:
    """Return a moment (aware, in any zone) as RFC 3339 in UTC, to the second."""
    return moment.astimezone(dt.UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def foreign_timestamp(value: object) -> str | None:
    """Return a date and time that another system wrote (ISO 8601) as ours; None if it is none.

    Without an offset it counts as UTC.
    """
    if not isinstance(value, str):
        return None
    try:
        moment = dt.datetime.fromisoformat(value)
        return timestamp(moment.replace(tzinfo=dt.UTC) if moment.tzinfo is None else moment)
    except (ValueError, OverflowError):
        return None
