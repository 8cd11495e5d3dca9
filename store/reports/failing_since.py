"""Since when users fail without a break, over all their runs."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import and_, exists, func, or_, select

from schemas.outcomes import Mode, Outcome
from store import tables
from store.timestamps import as_utc

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from sqlalchemy import ColumnElement, Connection, Select

#: Outcomes that end no failure: the user still has one, or got none in that run.
ENDS_NO_FAILURE: Final = (Outcome.DEAD_LETTERED, Outcome.PENDING, Outcome.SUPERSEDED)

#: Users of one query: databases limit the parameters of one.
_BATCH: Final = 500

#: A tenant's row and the user's id in Entra.
User = tuple[int, str]


def failing_since(connection: Connection, users: Collection[User]) -> dict[User, dt.datetime]:
    """Return since when (aware) each of these users that fails has done so; the others are left out.

    It is the rule of `schemas/reports/user_status.py`: a run in which the user fails again does not change
    it, and dry runs do not count, nor do outcomes in doubt. An undo ends only the failures of other undos.
    """
    asked, found = list(users), dict[User, dt.datetime]()
    for start in range(0, len(asked), _BATCH):
        for row in connection.execute(_query(_are(asked[start : start + _BATCH]))):
            if row.since is not None:
                found[row.tenant_id, row.entra_id] = as_utc(row.since)
    return found


def all_failing_since(connection: Connection, tenant_id: int) -> dict[str, dt.datetime]:
    """Return since when (aware) each user of a tenant that fails has done so, by the id in Entra.

    It is quicker than to name many users.
    """
    rows = connection.execute(_query(tables.receipts.c.tenant_id == tenant_id))
    return {row.entra_id: as_utc(row.since) for row in rows if row.since is not None}


def _are(users: Sequence[User]) -> ColumnElement[bool]:
    """Return whether a receipt is of one of these users.

    So both databases look up the users of each tenant in the index. For a list of pairs SQLite reads the
    whole table; for a list of tenants and one of users PostgreSQL tries all pairs.
    """
    receipts = tables.receipts
    by_tenant: dict[int, list[str]] = {}
    for tenant_id, entra_id in users:
        by_tenant.setdefault(tenant_id, []).append(entra_id)
    return or_(
        *(
            and_(receipts.c.tenant_id == tenant_id, receipts.c.entra_id.in_(ids))
            for tenant_id, ids in by_tenant.items()
        )
    )


def _query(are_wanted: ColumnElement[bool]) -> Select[Any]:
    receipts, runs = tables.receipts, tables.runs
    newer, newer_runs = tables.receipts.alias(), tables.runs.alias()
    ended = select(newer.c.run_id).where(
        newer.c.tenant_id == receipts.c.tenant_id,
        newer.c.entra_id == receipts.c.entra_id,
        newer.c.run_id > receipts.c.run_id,
        newer.c.outcome.not_in(ENDS_NO_FAILURE),
        newer_runs.c.id == newer.c.run_id,
        ~newer_runs.c.dry_run,
        or_(newer_runs.c.mode != Mode.UNDO, runs.c.mode == Mode.UNDO),
        ~tables.is_in_doubt(newer, newer_runs),
    )
    return (
        select(receipts.c.tenant_id, receipts.c.entra_id, func.min(receipts.c.finished_at).label("since"))
        .join(runs, runs.c.id == receipts.c.run_id)
        .where(
            are_wanted,
            receipts.c.outcome == Outcome.DEAD_LETTERED,
            ~runs.c.dry_run,
            ~tables.is_in_doubt(receipts, runs),
            # A fence: PostgreSQL would otherwise read all results of a tenant to join them.
            ~exists(ended.correlate(receipts, runs).offset(0)),
        )
        .group_by(receipts.c.tenant_id, receipts.c.entra_id)
    )
