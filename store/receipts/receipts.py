"""Receipts: what became of each Entra user in each run (promises P3 and P4)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import (
    String,
    exists,
    literal,
    or_,
    select,
    true,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import IntegrityError

from schemas.dead_letter_reasons import Reason
from schemas.details.detail import Detail, from_stored
from schemas.details.kinds import DetailKind
from schemas.details.protection import HARMLESS_KINDS
from schemas.errors import HaltError, NotYetError
from schemas.outcomes import NotFoundReason, Outcome, Stage, Status
from schemas.runs.changes import parse_changes
from schemas.runs.receipt import Receipt
from schemas.users.attributes import Attribute
from schemas.users.graph_user import is_entra_id
from store import tables
from store.batch_statements import BatchRows
from store.receipts.collisions import collision, collision_of
from store.receipts.dead_letters import dead_letter_values, incomplete_values
from store.receipts.outcomes import OutcomeWriter
from store.runs.rows import is_run_id
from store.tenants.failed_undos import record_failed_undo
from store.timestamps import as_utc, now

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from sqlalchemy import Connection, Row
    from sqlalchemy.sql.base import Executable

    from schemas.runs.changes import ChangeKind
    from schemas.runs.identity_digests import IdentityDigests
    from schemas.runs.sync_result import Failure, SyncResult
    from store.database import Database
    from store.receipts.outcomes import FinishedReceipt
    from store.runs.guard_counters import GuardCounters, Increment


class Receipts:
    """The receipts' table; may be shared by threads."""

    def __init__(self, database: Database, guard_counters: GuardCounters) -> None:
        self._database = database
        self._guard_counters = guard_counters
        self._inserted = BatchRows({"entra_id": String()}, is_sqlite=database.is_sqlite)
        self._finishing = OutcomeWriter(database)

    def create_pending(self, run_id: int, entra_ids: Sequence[str], *, read_again: bool = False) -> set[str]:
        """Write a pending receipt for each user that has none; return those that are still pending.

        `read_again` marks users of whom Graph told no change. Those that the run has from elsewhere are not
        returned. Raises `NotYetError` when the run is not being read any more.
        """
        if not entra_ids:
            return set()
        receipts = tables.receipts
        with self._database.transaction() as connection:
            values = {"outcome": Outcome.PENDING, "published_at": now(), "read_again": read_again}
            written = self.insert(connection, run_id, entra_ids, values)
            others = [entra_id for entra_id in entra_ids if entra_id not in written]
            if not others:
                return written
            pending = connection.scalars(
                select(receipts.c.entra_id).where(
                    receipts.c.run_id == run_id,
                    receipts.c.entra_id.in_(others),
                    receipts.c.outcome == Outcome.PENDING,
                    receipts.c.read_again.is_(read_again),
                )
            )
            return written.union(pending)

    def insert(
        self, connection: Connection, run_id: int, entra_ids: Collection[str], values: Mapping[str, object]
    ) -> set[str]:
        """Write a receipt with `values` for each user that has none; return who had none.

        Raises `NotYetError` when the run is not being read any more.
        """
        runs = tables.runs
        # Locked, so that the reading does not end before these receipts are there to be seen.
        tenant_id = connection.scalar(
            select(runs.c.tenant_id)
            .where(runs.c.id == run_id, runs.c.status == Status.READING)
            .with_for_update(read=True)
        )
        if tenant_id is None:
            raise NotYetError(Detail(DetailKind.RUN_NOT_BEING_READ, run=run_id))
        same = {"run_id": run_id, "tenant_id": tenant_id, **values}
        statement = self._insert_statement(same)
        # In one order, so that two deliveries of a page do not lock each other out.
        rows = [{"entra_id": entra_id} for entra_id in sorted(entra_ids)]
        return {row.entra_id for row in self._inserted.execute(connection, statement, rows)}

    def _insert_statement(self, same: Mapping[str, object]) -> Executable:
        receipts, given = tables.receipts, self._inserted.table
        values = [literal(value, receipts.c[name].type) for name, value in same.items()]
        # SQLite would take what follows for the condition of a join, did it not stand after one.
        source = select(*values, given.c.entra_id).where(true())
        dialect = sqlite if self._database.is_sqlite else postgresql
        statement: Executable = (
            dialect.insert(receipts)
            .from_select([*same, "entra_id"], source)
            .on_conflict_do_nothing()
            .returning(receipts.c.entra_id)
        )
        return statement

    def finish(self, run_id: int, entra_id: str, result: SyncResult) -> FinishedReceipt | None:
        """Give an open receipt its outcome; None if it has one already.

        Raises `CollisionError` when another user of the run has claimed the result's Skolon user.
        """
        return self._finishing.finish(run_id, entra_id, result)

    def mark_dead_lettered(  # noqa: PLR0913 - whose, why, and what it counts as
        self,
        run_id: int,
        entra_id: str,
        dead_letter: Failure,
        attempts: int | None,
        *,
        operation: int | None = None,
        counted: Increment | None = None,
    ) -> bool:
        """Record that a message is a dead letter now; False if the user's receipt does not await it.

        `counted` is what the user then counts as for the guard: a run that has all its outcomes has counted
        all its failures. Raises `HaltError` when the run has gone too far; the user is a dead letter all the
        same, and counted.

        `operation` is the replay that published the message, None for one of its run. While another replay
        has the user, its message is to decide, and not one that was on its way before: that one's letter may
        have been taken up already, and then nothing would be left of the user to be worked on.

        The claim, if there was one, stays: the Skolon user may have been changed. A user for whom an undo
        fails waits for a person from now on.
        """
        if not (is_run_id(run_id) and is_entra_id(entra_id)):
            return False
        receipts = tables.receipts
        awaited = receipts.c.outcome == Outcome.PENDING
        if operation is not None:
            awaited = or_(awaited, receipts.c.replaying & (receipts.c.operation_id == operation))
        values = {**dead_letter_values(dead_letter, attempts), "replaying": False}
        halted: HaltError | None = None
        with self._database.transaction() as connection:
            is_it = (receipts.c.run_id == run_id) & (receipts.c.entra_id == entra_id)
            settled = connection.execute(update(receipts).where(is_it, awaited).values(values))
            if settled.rowcount:
                record_failed_undo(connection, run_id, entra_id, is_sqlite=self._database.is_sqlite)
            if settled.rowcount and counted is not None:
                try:
                    self._guard_counters.add(connection, [counted])
                except HaltError as error:
                    # Raised after the commit: that the user failed is a fact, whatever becomes of the run.
                    halted = error
        if halted is not None:
            raise halted
        return bool(settled.rowcount)

    def record_digests(  # noqa: PLR0913 - whose they are, and what is noted
        self,
        run_id: int,
        entra_id: str,
        marks: IdentityDigests,
        *,
        eppn_has_number: bool | None = None,
        mapping_comparison: str | None = None,
        source_facts: str | None = None,
    ) -> None:
        """Note the marks of a user who comes to no outcome: duplicates are found by them all the same."""
        receipts = tables.receipts
        with self._database.transaction() as connection:
            connection.execute(
                update(receipts)
                .where(receipts.c.run_id == run_id, receipts.c.entra_id == entra_id)
                .values(
                    eppn_digest=marks.eppn,
                    ssn_digest=marks.ssn,
                    mail_digest=marks.mail,
                    eppn_has_number=eppn_has_number,
                    mapping_comparison=mapping_comparison,
                    source_facts=source_facts,
                )
            )

    def record_incomplete(self, run_id: int, entra_id: str, result: SyncResult) -> None:
        """Note what was written of a user that becomes a dead letter, and what was not.

        Raises `CollisionError` when another user of the run has claimed the result's Skolon user.
        """
        receipts = tables.receipts
        try:
            with self._database.transaction() as connection:
                connection.execute(
                    update(receipts)
                    .where(
                        receipts.c.run_id == run_id,
                        receipts.c.entra_id == entra_id,
                        tables.awaits_outcome(receipts),
                    )
                    .values(incomplete_values(result))
                )
        except IntegrityError:
            raise collision(self._database, run_id, result.skolon_id or "") from None

    def get(self, run_id: int, entra_id: str) -> Receipt | None:
        """Return a user's receipt in a run, or None."""
        receipts = tables.receipts
        query = select(receipts).where(receipts.c.run_id == run_id, receipts.c.entra_id == entra_id)
        with self._database.transaction() as connection:
            row = connection.execute(query).one_or_none()
        return None if row is None else _receipt(row)

    def list(  # noqa: PLR0913 - which ones, and which page of them
        self,
        run_id: int,
        *,
        outcome: Outcome | None = None,
        reason: Reason | None = None,
        change: tuple[Attribute, ChangeKind] | None = None,
        after: str = "",
        limit: int = 100,
        with_protected: bool = True,
    ) -> list[Receipt]:
        """Return receipts of a run, by Entra id: those behind `after`.

        With a `change` they are those of users whom the run changed so, or would have.

        Without `with_protected` they are not those of users who are left out for a reason that may protect
        them (`schemas/details/protection.py`).
        """
        receipts = tables.receipts
        query = select(receipts).where(receipts.c.run_id == run_id, receipts.c.entra_id > after)
        if outcome is not None:
            query = query.where(receipts.c.outcome == outcome)
        if reason is not None:
            query = query.where(receipts.c.reason == reason)
        if change is not None:
            # As `format_changes` writes them: no attribute's name ends as another one is called.
            query = query.where(receipts.c.changes.contains(f"{change[0]}:{change[1]}", autoescape=True))
        if not with_protected:
            harmless = [receipts.c.detail.contains(f'"kind":"{kind}"') for kind in HARMLESS_KINDS]
            query = query.where(or_(receipts.c.outcome != Outcome.OUT_OF_SCOPE, *harmless))
        with self._database.transaction() as connection:
            rows = connection.execute(query.order_by(receipts.c.entra_id).limit(limit)).all()
        return [_receipt(row) for row in rows]

    def is_held_in_entra(self, run_id: int, reason: Reason) -> bool:
        """Say whether a user that failed in a run should get what another user in Entra has."""
        receipts = tables.receipts
        held = exists().where(
            receipts.c.run_id == run_id,
            receipts.c.outcome == Outcome.DEAD_LETTERED,
            receipts.c.reason == reason,
            receipts.c.holder_entra_id.is_not(None),
        )
        with self._database.transaction() as connection:
            return bool(connection.scalar(select(held)))


def _receipt(row: Row[Any]) -> Receipt:
    return Receipt(
        run=row.run_id,
        entra_id=row.entra_id,
        outcome=Outcome(row.outcome),
        reason=row.reason and Reason(row.reason),
        stage=row.stage and Stage(row.stage),
        detail=from_stored(row.detail),
        not_found_reason=row.not_found_reason and NotFoundReason(row.not_found_reason),
        collision=collision_of(row),
        candidates=tuple(row.candidate_skolon_ids or ()),
        attempts=row.attempts,
        skolon_id=row.skolon_id,
        changed=tuple(Attribute(name) for name in row.changed or ()),
        changes=parse_changes(row.changes),
        skipped=tuple(Attribute(name) for name in row.skipped_attributes or ()),
        unwritten=tuple(Attribute(name) for name in row.unwritten_attributes or ()),
        altered=tuple(Attribute(name) for name in row.altered_attributes or ()),
        identity_kept=tuple(Attribute(name) for name in row.identity_kept or ()),
        published=as_utc(row.published_at),
        finished=row.finished_at and as_utc(row.finished_at),
        operation=row.operation_id,
        replaying=row.replaying,
    )
