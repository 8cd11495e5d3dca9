"""Moments as the database keeps them: in UTC, whatever it says of time zones."""

from __future__ import annotations

import datetime as dt


def now() -> dt.datetime:
    """Return the present moment, aware, in UTC."""
    return dt.datetime.now(dt.UTC)


def as_utc(moment: dt.datetime) -> dt.datetime:
    """Return a moment read from the database: SQLite drops the zone, PostgreSQL gives the session's."""
    return moment.astimezone(dt.UTC) if moment.tzinfo else moment.replace(tzinfo=dt.UTC)
