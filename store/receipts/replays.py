"""Receipts whose dead letters are replayed: the same receipt, opened once more for a new outcome.

A receipt that is being replayed keeps the outcome `dead_lettered`, and its run its sums (promise P3),
until the replay has brought another one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import exists, func, or_, select, tuple_, update

from schemas.dead_letter_reasons import Reason
from schemas.outcomes import ENDED_STATUSES, Mode, Outcome, Status
from schemas.runs.operation import ReplayResults
from schemas.users.graph_user import is_entra_id
from store import tables
from store.runs.rows import is_run_id

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from sqlalchemy import ColumnElement

    from store.database import Database
    from store.report_cache import ReportCache

#: Outcomes that leave a user to another message.
_SETTLES_NOTHING: Final = (Outcome.PENDING, Outcome.SUPERSEDED)

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
        return self._is_over or (self._is_at_rest and self.is_outranked)

    @property
    def is_removable(self) -> bool:
        """Whether a dead letter of the receipt is stale for good."""
        return self._is_over or (self._is_at_rest and self.is_settled)

    @property
    def _is_at_rest(self) -> bool:
        return not self.replaying and self.outcome is not Outcome.PENDING

    @property
    def _is_over(self) -> bool:
        return self._is_at_rest and (self.outcome is not Outcome.DEAD_LETTERED or self.dry_run)


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
                _told_elsewhere().label("is_outranked"),
                _told_elsewhere(for_good=True).label("is_settled"),
                _awaits_answer().label("awaits_answer"),
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

        A user that fails in the newest run that tells of it is not settled, whatever others have said.
        """
        receipts, runs = tables.receipts, tables.runs
        query = (
            select(func.count())
            .select_from(receipts)
            .join(runs, runs.c.id == receipts.c.run_id)
            .where(
                receipts.c.run_id == run_id,
                receipts.c.outcome == Outcome.DEAD_LETTERED,
                _told_elsewhere(by_newer_run=True),
                ~_fails_in_newest(),
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


def _told_elsewhere(*, by_newer_run: bool = False, for_good: bool = False) -> ColumnElement[bool]:
    """Say whether another run, no dry one, has told more of a receipt's user.

    With `by_newer_run` only newer runs count. With `for_good` only runs count that have ended and were not
    halted by a question: an open run may still be, and then what it judged is in doubt.
    An undo says nothing about a user's fault in Entra or Skolon: it settles only what another undo left.
    """
    receipts, runs = tables.receipts, tables.runs
    other, other_runs = receipts.alias(), runs.alias()
    conditions: list[ColumnElement[bool]] = [
        other.c.tenant_id == receipts.c.tenant_id,
        other.c.entra_id == receipts.c.entra_id,
        other.c.run_id != receipts.c.run_id,
        other.c.outcome.not_in(_SETTLES_NOTHING),
        other_runs.c.id == other.c.run_id,
        ~other_runs.c.dry_run,
        or_(other_runs.c.mode != Mode.UNDO, runs.c.mode == Mode.UNDO),
    ]
    if by_newer_run:
        is_newer = other.c.run_id > receipts.c.run_id
        return exists().where(*conditions, is_newer, ~tables.is_in_doubt(other, other_runs))
    conditions.append(tables.outranks(other, other_runs, receipts, runs))
    if for_good:
        conditions += [
            other_runs.c.status.in_(ENDED_STATUSES),
            ~tables.is_unconfirmed(other_runs),
            or_(~tables.is_unconfirmed(runs), runs.c.status.in_(ENDED_STATUSES)),
        ]
    return exists().where(*conditions)


def _fails_in_newest() -> ColumnElement[bool]:
    """Say whether the newest run that tells of a receipt's user, no dry one, says that the user fails."""
    receipts, other, runs = tables.receipts, tables.receipts.alias(), tables.runs.alias()
    newest = (
        select(other.c.outcome)
        .join(runs, runs.c.id == other.c.run_id)
        .where(
            other.c.tenant_id == receipts.c.tenant_id,
            other.c.entra_id == receipts.c.entra_id,
            other.c.outcome.not_in(_SETTLES_NOTHING),
            ~runs.c.dry_run,
            ~tables.is_in_doubt(other, runs),
        )
        .order_by(other.c.run_id.desc())
        .limit(1)
        .scalar_subquery()
    )
    return newest == Outcome.DEAD_LETTERED


def _awaits_answer() -> ColumnElement[bool]:
    """Say whether a newer run that waits for an answer has a receipt's user, and has not changed the user."""
    receipts, newer, newer_runs = tables.receipts, tables.receipts.alias(), tables.runs.alias()
    return exists().where(
        newer.c.tenant_id == receipts.c.tenant_id,
        newer.c.entra_id == receipts.c.entra_id,
        newer.c.run_id > receipts.c.run_id,
        newer_runs.c.id == newer.c.run_id,
        ~newer_runs.c.dry_run,
        newer_runs.c.status == Status.HALTED,
        tables.is_judgement(newer, newer_runs),
    )


def _any_of(keys: Collection[Key]) -> ColumnElement[bool]:
    return tuple_(tables.receipts.c.run_id, tables.receipts.c.entra_id).in_(list(keys))
