"""Timestamps as every JSON object of ours writes them."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import datetime as dt


def timestamp(moment: dt.datetime) -> str:
    """Return an aware moment as RFC 3339 in UTC, to the second."""
    return moment.isoformat(timespec="seconds").replace("+00:00", "Z")
