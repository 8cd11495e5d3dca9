"""Since when users fail without a break, over all their runs."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import exists, func, select

from schemas.outcomes import Outcome
from store import tables
from store.timestamps import as_utc

if TYPE_CHECKING:
    from collections.abc import Collection

    from sqlalchemy import Connection, Select

#: Outcomes that end no failure: the user still has one, or got none in that run.
_ENDS_NO_FAILURE: Final = (Outcome.DEAD_LETTERED, Outcome.PENDING, Outcome.SUPERSEDED)


#: Users of one query: databases limit the parameters of one.
_BATCH: Final = 1000


def failing_since(
    connection: Connection, tenant_id: int | None, entra_ids: Collection[str]
) -> dict[str, dt.datetime]:
    """Return since when (aware) each of a tenant's users that fails has done so; the others are left out.

    It is the rule of `schemas/reports/user_status.py`: a run in which the user fails again does not change
    it, and dry runs do not count.
    """
    ids, found = list(entra_ids), dict[str, dt.datetime]()
    for start in range(0, len(ids), _BATCH):
        for row in connection.execute(_query(tenant_id, ids[start : start + _BATCH])):
            if row.since is not None:
                found[row.entra_id] = as_utc(row.since)
    return found


def _query(tenant_id: int | None, entra_ids: Collection[str]) -> Select[Any]:
    receipts, runs = tables.receipts, tables.runs
    newer, newer_runs = tables.receipts.alias(), tables.runs.alias()
    ended = exists().where(
        newer.c.tenant_id == tenant_id,
        newer.c.entra_id == receipts.c.entra_id,
        newer.c.run_id > receipts.c.run_id,
        newer.c.outcome.not_in(_ENDS_NO_FAILURE),
        newer_runs.c.id == newer.c.run_id,
        ~newer_runs.c.dry_run,
    )
    return (
        select(receipts.c.entra_id, func.min(receipts.c.finished_at).label("since"))
        .join(runs, runs.c.id == receipts.c.run_id)
        .where(
            receipts.c.tenant_id == tenant_id,
            receipts.c.entra_id.in_(entra_ids),
            receipts.c.outcome == Outcome.DEAD_LETTERED,
            ~runs.c.dry_run,
            ~ended,
        )
        .group_by(receipts.c.entra_id)
    )
