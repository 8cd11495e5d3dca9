"""Receipts whose dead letters are replayed: the same receipt, opened once more for a new outcome.

A receipt that is being replayed keeps the outcome `dead_lettered`, and its run its sums (promise P3),
until the replay has brought another one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import func, or_, select, tuple_, update

from schemas.dead_letter_reasons import Reason
from schemas.outcomes import Outcome, Status
from schemas.runs.operation import ReplayResults
from schemas.users.graph_user import is_entra_id
from store import tables
from store.runs.rows import is_run_id
from store.tables.other_results import awaits_answer, newest_outcome, told_elsewhere

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from sqlalchemy import ColumnElement

    from store.database import Database
    from store.report_cache import ReportCache

#: The run and the Entra id of a user: what a receipt is found by.
Key = tuple[int, str]


@dataclass(frozen=True, kw_only=True)
class ReceiptState:
    """How a receipt stands: `operation` is the replay that was the last to take it up, if one has.

    `is_outranked` says whether another run has told more of the user, and `is_settled` whether that is final:
    no run that is open or waits for an answer can change it. `awaits_answer` says whether a newer run has the
    user that waits for an answer.
    """

    tenant: str
    status: Status
    dry_run: bool
    outcome: Outcome
    replaying: bool
    operation: int | None
    is_outranked: bool
    is_settled: bool
    awaits_answer: bool

    def as_json(self) -> dict[str, Any]:
        """Return it for programs."""
        return {
            "tenant": self.tenant,
            "run_status": str(self.status),
            "outcome": str(self.outcome),
            "replaying": self.replaying,
            "operation": None if self.operation is None else str(self.operation),
        }

    def is_orphaned(self, operation: int | None) -> bool:
        """Say whether the receipt still awaits a message of `operation` (None: of its run) that is dead."""
        if self.replaying:
            return self.operation == operation
        return self.outcome is Outcome.PENDING

    @property
    def is_stale(self) -> bool:
        """Whether a dead letter of the receipt needs no person as things stand.

        Nothing awaits its message, and either the receipt has another outcome by now, or another run has
        told more of the user, or the run was a dry one.
        """
        return self._is_over or (self.is_at_rest and self.is_outranked)

    @property
    def is_removable(self) -> bool:
        """Whether a dead letter of the receipt is stale for good."""
        return self._is_over or (self.is_at_rest and self.is_settled)

    @property
    def is_at_rest(self) -> bool:
        """Whether the receipt awaits no message."""
        return not self.replaying and self.outcome is not Outcome.PENDING

    @property
    def _is_over(self) -> bool:
        return self.is_at_rest and (self.outcome is not Outcome.DEAD_LETTERED or self.dry_run)


class Replays:
    """The receipts of dead letters; may be shared by threads."""

    def __init__(self, database: Database, cache: ReportCache) -> None:
        self._database = database
        self._cache = cache

    def states(self, keys: Collection[Key]) -> dict[Key, ReceiptState]:
        """Return how the receipts of these users stand; who has none is left out."""
        receipts, tenants, runs = tables.receipts, tables.tenants, tables.runs
        known = _possible(keys)
        if not known:
            return {}
        query = (
            select(
                receipts.c.run_id,
                receipts.c.entra_id,
                tenants.c.key,
                runs.c.status,
                runs.c.dry_run,
                receipts.c.outcome,
                receipts.c.replaying,
                receipts.c.operation_id,
                told_elsewhere().label("is_outranked"),
                told_elsewhere(for_good=True).label("is_settled"),
                awaits_answer().label("awaits_answer"),
            )
            .join(tenants, tenants.c.id == receipts.c.tenant_id)
            .join(runs, runs.c.id == receipts.c.run_id)
            .where(_any_of(known))
        )
        with self._database.transaction() as connection:
            return {
                (row.run_id, row.entra_id): ReceiptState(
                    tenant=row.key,
                    status=Status(row.status),
                    dry_run=row.dry_run,
                    outcome=Outcome(row.outcome),
                    replaying=row.replaying,
                    operation=row.operation_id,
                    is_outranked=row.is_outranked,
                    is_settled=row.is_settled,
                    awaits_answer=row.awaits_answer,
                )
                for row in connection.execute(query)
            }

    def reopen(self, operation: int, keys: Collection[Key]) -> set[Key]:
        """Open the receipts of dead letters for a new outcome; return those that were opened.

        A user that has another outcome by now, or was taken up by this very operation before, is left
        out. What another operation took up and did not settle is taken over: it may have been killed
        before it published anything, and a message of it that is on its way will do nothing any more.
        """
        receipts, runs = tables.receipts, tables.runs
        known = _possible(keys)
        if not known:
            return set()
        to_open = (
            select(receipts.c.run_id, receipts.c.entra_id)
            .where(
                _any_of(known),
                receipts.c.outcome == Outcome.DEAD_LETTERED,
                or_(receipts.c.operation_id.is_(None), receipts.c.operation_id != operation),
            )
            # In one order, so that two operators do not lock each other out.
            .order_by(receipts.c.run_id, receipts.c.entra_id)
            .with_for_update()
        )
        with self._database.transaction() as connection:
            opened = {(row.run_id, row.entra_id) for row in connection.execute(to_open)}
            if opened:
                connection.execute(
                    update(receipts).where(_any_of(opened)).values(operation_id=operation, replaying=True)
                )
                # A second copy, or one that a killed replay leaves, is stale once the user has an outcome.
                of_opened = runs.c.id.in_({run for run, _ in opened})
                connection.execute(update(runs).where(of_opened, runs.c.cleaned_up).values(cleaned_up=False))
        return opened

    def release(self, keys: Collection[Key], *, discarded_by: int | None = None) -> None:
        """End the wait for an outcome of dead letters that an operation is about to discard."""
        receipts = tables.receipts
        known = _possible(keys)
        if known:
            with self._database.transaction() as connection:
                connection.execute(
                    update(receipts).where(_any_of(known)).values(replaying=False, discard_id=discarded_by)
                )

    def count_discarded(self, operations: Collection[int]) -> int:
        """Return how many users these operations have discarded the dead letters of."""
        receipts = tables.receipts
        query = select(func.count()).where(receipts.c.discard_id.in_(operations))
        with self._database.transaction() as connection:
            return connection.scalar(query) or 0

    def settled_later(self, run_id: int) -> int:
        """Return how many users that are dead letters in a run have been settled by newer runs.

        The newest run that tells of a user decides: one that fails again is not settled.
        """
        receipts, runs = tables.receipts, tables.runs
        newest = newest_outcome()
        query = (
            select(func.count())
            .select_from(receipts)
            .join(runs, runs.c.id == receipts.c.run_id)
            .where(
                receipts.c.run_id == run_id,
                receipts.c.outcome == Outcome.DEAD_LETTERED,
                # Without a newer run it is NULL, and the user does not count.
                newest != Outcome.DEAD_LETTERED,
            )
        )
        with self._database.transaction() as connection:
            tenant_id = connection.scalar(select(runs.c.tenant_id).where(runs.c.id == run_id)) or 0
            return self._cache.of_tenant(
                connection, ("settled_later", run_id), tenant_id, lambda: connection.scalar(query) or 0
            )

    def results(self, *operations: int) -> ReplayResults:
        """Return the results of the users that a replay has taken up so far, or several have together."""
        receipts = tables.receipts
        query = (
            select(receipts.c.replaying, receipts.c.outcome, receipts.c.reason, func.count().label("users"))
            .where(receipts.c.operation_id.in_(operations))
            .group_by(receipts.c.replaying, receipts.c.outcome, receipts.c.reason)
        )
        open_now, outcomes, reasons = 0, dict[Outcome, int](), dict[Reason, int]()
        with self._database.transaction() as connection:
            for row in connection.execute(query):
                if row.replaying:
                    open_now += row.users
                    continue
                outcome = Outcome(row.outcome)
                outcomes[outcome] = outcomes.get(outcome, 0) + row.users
                if row.reason is not None:
                    reasons[Reason(row.reason)] = reasons.get(Reason(row.reason), 0) + row.users
        return ReplayResults(open=open_now, outcomes=outcomes, reasons=reasons)


def _possible(keys: Iterable[Key]) -> list[Key]:
    """Return those that can be in the books: a letter may name anything."""
    return [(run, user) for run, user in keys if is_run_id(run) and is_entra_id(user)]


def _any_of(keys: Collection[Key]) -> ColumnElement[bool]:
    return tuple_(tables.receipts.c.run_id, tables.receipts.c.entra_id).in_(list(keys))
