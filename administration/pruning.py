"""Removes old receipts and runs."""

from __future__ import annotations

import datetime as dt
from typing import Final

from store.maintenance.pruning import Limits

#: Days that runs stay at least, with their event ids: a trigger that is delivered again within that time
#: belongs to the same run.
EVENT_DAYS: Final = 30


def pruning_limits(keep_days: int, now: dt.datetime) -> Limits:
    """Return the times before which receipts and runs are removed; `now` is aware."""
    return Limits(
        receipts=now - dt.timedelta(days=keep_days),
        runs=now - dt.timedelta(days=max(keep_days, EVENT_DAYS)),
    )
