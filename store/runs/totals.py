"""The sums of runs: of receipts that are there, and of those that housekeeping has removed (promise P3)."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

from sqlalchemy import case, func, literal, select, union_all

from schemas.dead_letter_reasons import Reason
from schemas.outcomes import Outcome
from store import tables

if TYPE_CHECKING:
    from collections.abc import Collection

    from sqlalchemy import Connection

    from store.report_cache import ReportCache


@dataclass(kw_only=True)
class RunTotals:
    """How many people of a run had which outcome, and which reason; `pruned` of them have no receipt now.

    Of `left` people an undo has left something as it is.
    """

    outcomes: Counter[Outcome] = field(default_factory=Counter)
    reasons: Counter[Reason] = field(default_factory=Counter)
    pruned: int = 0
    skipped: int = 0
    #: The unchanged ones of whom nothing was skipped: an undo finds their former values in Skolon.
    as_before: int = 0
    skipped_verified: int = 0
    read_again: int = 0


def totals_by_run(
    connection: Connection, run_ids: Collection[int], cache: ReportCache
) -> dict[int, RunTotals]:
    """Return the sums of each run."""
    return cache.of_runs(connection, "totals", run_ids, partial(_totals_by_run, connection))


def _totals_by_run(connection: Connection, run_ids: Collection[int]) -> dict[int, RunTotals]:
    """Return the sums of each run.

    One statement reads both tables: what is removed between two would be counted twice, or not at all.
    """
    receipts, pruned = tables.receipts, tables.pruned_counts
    there = (
        select(
            receipts.c.run_id,
            receipts.c.outcome,
            receipts.c.reason,
            func.count().label("users"),
            literal(0).label("pruned"),
            func.count(receipts.c.skipped_attributes).label("skipped"),
            func.sum(case((receipts.c.verified_at < receipts.c.published_at, 1), else_=0)).label(
                "skipped_verified"
            ),
            func.sum(case((receipts.c.read_again, 1), else_=0)).label("read_again"),
        )
        .where(receipts.c.run_id.in_(run_ids))
        .group_by(receipts.c.run_id, receipts.c.outcome, receipts.c.reason)
    )
    gone = select(
        pruned.c.run_id,
        pruned.c.outcome,
        func.nullif(pruned.c.reason, ""),
        pruned.c.users,
        pruned.c.users,
        pruned.c.skipped_attributes,
        literal(0),
        literal(0),
    ).where(pruned.c.run_id.in_(run_ids))
    sums = {run_id: RunTotals() for run_id in run_ids}
    for row in connection.execute(union_all(there, gone)):
        of_run = sums[row.run_id]
        of_run.outcomes[Outcome(row.outcome)] += row.users
        of_run.pruned += row.pruned
        of_run.skipped += row.skipped
        if row.outcome == Outcome.UNCHANGED:
            of_run.as_before += row.users - row.skipped
        of_run.skipped_verified += row.skipped_verified
        of_run.read_again += row.read_again
        if row.reason is not None:
            of_run.reasons[Reason(row.reason)] += row.users
    return sums
