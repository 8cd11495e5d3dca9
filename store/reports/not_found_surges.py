"""Whether a run that has read all users found suspiciously few of those that the last one had found."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from sqlalchemy import and_, case, func, or_, select

from schemas.outcomes import NOT_MISSING_IN_SKOLON, VERIFYING_OUTCOMES, Outcome, Status
from schemas.runs.not_found_surge import not_found_surge
from store import tables

if TYPE_CHECKING:
    from sqlalchemy import Connection

#: Skolon was not asked about these.
_NOT_LOOKED_UP: Final = (Outcome.OUT_OF_SCOPE, Outcome.SUPERSEDED)


def surge_of(connection: Connection, run_id: int) -> str | None:
    """Return why a run that has read all users is suspicious, None if it is not or has none to compare with.

    Dry runs are for looking: they are not compared. Nor is a run that an operator let through.
    """
    runs, read_plans = tables.runs, tables.read_plans
    of_lists = (
        select(runs.c.id, runs.c.tenant_id, runs.c.guard_overridden)
        .join(read_plans)
        .where(
            tables.IS_FULL_SCOPE_SYNC,
            tables.READS_WHOLE_LIST,
        )
    )
    run = connection.execute(of_lists.where(runs.c.id == run_id)).one_or_none()
    if run is None or run.guard_overridden:
        return None
    earlier = connection.scalar(
        of_lists.where(
            runs.c.tenant_id == run.tenant_id, runs.c.id < run_id, runs.c.status == Status.COMPLETED
        )
        .order_by(runs.c.id.desc())
        .limit(1)
    )
    if earlier is None:
        return None
    return not_found_surge(*_missing_and_sought(connection, run_id, earlier))


def _missing_and_sought(connection: Connection, run_id: int, earlier: int) -> tuple[int, int]:
    """Return how many users that an earlier run found a run did not find, and how many of them it sought."""
    receipts, before = tables.receipts, tables.receipts.alias()
    query = (
        select(
            func.coalesce(func.sum(case((receipts.c.outcome == Outcome.NOT_FOUND, 1), else_=0)), 0),
            func.count(),
        )
        .select_from(receipts)
        .join(before, and_(before.c.run_id == earlier, before.c.entra_id == receipts.c.entra_id))
        .where(
            receipts.c.run_id == run_id,
            before.c.outcome.in_(VERIFYING_OUTCOMES),
            receipts.c.outcome.not_in(_NOT_LOOKED_UP),
            or_(
                receipts.c.not_found_reason.is_(None),
                receipts.c.not_found_reason.not_in(NOT_MISSING_IN_SKOLON),
            ),
        )
    )
    missing, sought = connection.execute(query).one()
    return int(missing), int(sought)
