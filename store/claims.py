"""Who has which person in hand: what a worker asks before it begins, and before it changes anything (P4)."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import Integer, String, and_, bindparam, exists, func, or_, select, update
from sqlalchemy.exc import IntegrityError

from schemas.changes import changes_text, kinds_of, read_changes
from schemas.errors import Dependency, TransientError
from schemas.graph_user import is_entra_id
from schemas.guards import counts_of
from schemas.outcomes import OPEN_STATUSES, Cause, Outcome, Status
from schemas.written import Written, read_written
from store import tables
from store.collisions import collision
from store.runs import is_run_id
from store.together import Rows, joined

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sqlalchemy import ColumnElement, Connection, FromClause, Row, Select
    from sqlalchemy.types import TypeEngine

    from schemas.attributes import Attribute
    from schemas.sealing import Sealer
    from sharing.coalescer import Coalescer
    from store.database import Database
    from store.guards import Allow, Guards

#: For how long a claim keeps a newer run's worker waiting: longer than a PATCH with its retries takes,
#: short enough for a worker that died over it.
CLAIM_SECONDS: Final = 300

#: What names a person's receipt.
PERSON: Final[dict[str, TypeEngine[Any]]] = {"run_id": Integer(), "entra_id": String()}


@dataclass(frozen=True, kw_only=True)
class Begun:
    """What a worker has to know of a user's receipt and run before it does anything."""

    tenant: str
    tenant_version: int
    status: Status
    dry_run: bool
    outcome: Outcome
    #: The replay whose message the receipt awaits, if its dead letter is being replayed.
    operation: int | None
    #: An earlier delivery has claimed the Skolon user, so it may have been updated already.
    claimed: bool
    #: A newer run has published this user: what we hold is old.
    superseded: bool
    #: An older run has the user in hand at this moment.
    older_run_active: bool
    #: The guard watches: nobody has let the run through, and it is no replay.
    guarded: bool
    #: The run tries settings of its own.
    is_trial: bool
    #: The guard has halted the run, and nobody has looked yet what would have become of the user.
    is_held_by_guard: bool
    #: The run that this one puts back, if it is an undo.
    undoes: int | None

    def awaits(self, operation: int | None) -> bool:
        """Say whether a message is to be worked on that `operation` published, or a run (None)."""
        if self.operation is not None:
            return self.operation == operation
        return self.outcome is Outcome.PENDING and self.status in OPEN_STATUSES


@dataclass(frozen=True, kw_only=True)
class Claim:
    """A Skolon user is ours to update, unless a newer run has published the Entra user meanwhile.

    Or unless the run has been cancelled: an undo cancels the halted run that it puts back, and must not be
    overtaken by what was in its workers' hands.
    """

    superseded: bool


class Claims:
    """Claims of workers on people, kept in their receipts; may be shared by threads."""

    def __init__(self, database: Database, guards: Guards, sealer: Sealer) -> None:
        self._database = database
        self._guards = guards
        self._sealer = sealer
        self._people = Rows(PERSON, is_sqlite=database.is_sqlite)
        self._begin = _begin_query(self._people.table, self._claims_since())
        self._too_late = _too_late_query()
        self._beginnings: Coalescer[None, tuple[int, str], Begun | None] = joined(self._begin_together)

    def begin(self, run_id: int, entra_id: str) -> Begun | None:
        """Return what there is to know before a user is worked on, or None if there is no such receipt."""
        if not (is_run_id(run_id) and is_entra_id(entra_id)):
            return None
        return self._beginnings.call(None, (run_id, entra_id))

    def _begin_together(self, _: None, asked: Sequence[tuple[int, str]]) -> list[Begun | None]:
        people = [{"run_id": run_id, "entra_id": entra_id} for run_id, entra_id in sorted(set(asked))]
        with self._database.reading() as connection:
            found = {
                (row.run_id, row.entra_id): _begun(row)
                for row in self._people.carry_out(connection, self._begin, people)
            }
        return [found.get(person) for person in asked]

    def claim(  # noqa: PLR0913 - what a claim is made of
        self,
        run_id: int,
        entra_id: str,
        skolon_id: str,
        old_values: Mapping[Attribute, str | None],
        *,
        allow: Allow | None = None,
        new_values: Mapping[Attribute, str | None] | None = None,
    ) -> Claim:
        """Claim a Skolon user before it is changed, and keep the values of what will change, sealed.

        Of the `new_values` it is kept how they differ (filled, changed or erased), and traces by which an
        undo knows them again. A second claim of the same user renews the first and keeps its old values: what
        is there now may be what we wrote. Raises `CollisionError` when somebody else of the run has it. With
        `allow`, a first claim counts for the guard, and what `allow` raises of the counts undoes it.
        """
        try:
            with self._database.transaction() as connection:
                mine = and_(tables.receipts.c.run_id == run_id, tables.receipts.c.entra_id == entra_id)
                first = self._renew(connection, mine, skolon_id, old_values, new_values or {})
                if first and allow is not None:
                    self._guards.add(connection, run_id, counts_of(old_values), allow)
        except IntegrityError:
            raise collision(self._database, run_id, skolon_id) from None
        # In a transaction of its own, after the commit: a newer run that does not see our claim yet
        # has published its receipt before, and is seen here; one that comes later sees the claim.
        with self._database.reading() as connection:
            return Claim(
                superseded=bool(connection.scalar(self._too_late, {"run_id": run_id, "entra_id": entra_id}))
            )

    def holder(self, run_id: int, skolon_id: str) -> str | None:
        """Return the Entra id of who has a Skolon user in a run, None if nobody has."""
        receipts = tables.receipts
        query = select(receipts.c.entra_id).where(
            receipts.c.run_id == run_id, receipts.c.skolon_id == skolon_id
        )
        with self._database.transaction() as connection:
            return connection.scalar(query)

    def old_values(self, run_id: int, entra_id: str) -> dict[str, str | None]:
        """Return the values from before the run changed them, by attribute name; empty if it did not."""
        receipts = tables.receipts
        query = select(receipts.c.old_values).where(
            receipts.c.run_id == run_id, receipts.c.entra_id == entra_id
        )
        with self._database.transaction() as connection:
            sealed = connection.scalar(query)
        if sealed is None:
            return {}
        written = read_written(self._sealer.open_json(sealed))
        return {str(attribute): value for attribute, value in written.old.items()}

    def _renew(
        self,
        connection: Connection,
        mine: ColumnElement[bool],
        skolon_id: str,
        old_values: Mapping[Attribute, str | None],
        new_values: Mapping[Attribute, str | None],
    ) -> bool:
        """Write the claim; True if it is the user's first."""
        receipts = tables.receipts
        before = connection.execute(
            select(
                receipts.c.skolon_id,
                receipts.c.changed,
                receipts.c.changes,
                receipts.c.old_values,
                receipts.c.claimed_at,
            )
            .where(mine, tables.is_open(receipts))
            .with_for_update()
        ).one_or_none()
        if before is None:
            raise TransientError(Dependency.ORDER, "somebody else has settled this user meanwhile")
        # What was noted of another Skolon user says nothing about this one.
        same = before.skolon_id == skolon_id
        earlier = (
            read_written(self._sealer.open_json(before.old_values))
            if same and before.old_values
            else Written()
        )
        written = earlier.and_then(old_values, new_values)
        kinds = {**kinds_of(old_values, new_values), **(read_changes(before.changes) if same else {})}
        connection.execute(
            update(receipts)
            .where(mine)
            .values(
                skolon_id=skolon_id,
                changed=sorted({*((same and before.changed) or ()), *map(str, old_values)}),
                changes=changes_text(kinds),
                old_values=self._sealer.seal_json(written.as_json()),
                claimed_at=func.now(),
            )
        )
        return before.claimed_at is None

    def _claims_since(self) -> ColumnElement[Any]:
        """Return the moment before which claims no longer count, by the database's own clock."""
        if self._database.is_sqlite:
            return func.datetime("now", f"-{CLAIM_SECONDS} seconds")
        return func.now() - dt.timedelta(seconds=CLAIM_SECONDS)


def _begin_query(given: FromClause, claims_since: ColumnElement[Any]) -> Select[Any]:
    receipts, runs, tenants = tables.receipts, tables.runs, tables.tenants
    return (
        select(
            given.c.run_id,
            given.c.entra_id,
            tenants.c.key,
            tenants.c.version,
            runs.c.status,
            runs.c.dry_run,
            runs.c.guard_accepted,
            runs.c.trial.is_not(None).label("is_trial"),
            runs.c.cause,
            receipts.c.foreseen,
            runs.c.undoes,
            receipts.c.outcome,
            receipts.c.claimed_at,
            receipts.c.replaying,
            receipts.c.operation_id,
            _newer_run_has(receipts.c.tenant_id, given.c.entra_id, given.c.run_id).label("superseded"),
            _older_run_works_on(receipts.c.tenant_id, given.c.entra_id, given.c.run_id, claims_since).label(
                "active"
            ),
        )
        .select_from(given)
        .join(receipts, and_(receipts.c.run_id == given.c.run_id, receipts.c.entra_id == given.c.entra_id))
        .join(runs, runs.c.id == receipts.c.run_id)
        .join(tenants, tenants.c.id == receipts.c.tenant_id)
    )


def _begun(row: Row[Any]) -> Begun:
    return Begun(
        tenant=row.key,
        tenant_version=row.version,
        status=Status(row.status),
        dry_run=row.dry_run,
        outcome=Outcome(row.outcome),
        operation=row.operation_id if row.replaying else None,
        claimed=row.claimed_at is not None,
        # A dry run changes nothing, so it can neither be late nor in the way.
        superseded=bool(row.superseded) and not row.dry_run,
        older_run_active=bool(row.active) and not row.dry_run,
        guarded=not row.guard_accepted and not row.replaying,
        is_trial=row.is_trial,
        is_held_by_guard=(
            (row.status, row.cause) == (Status.HALTED, Cause.GUARD_EXCEEDED)
            and row.outcome == Outcome.PENDING
            and row.foreseen is None
        ),
        undoes=row.undoes,
    )


def _newer_run_has(tenant_id: Any, entra_id: Any, run_id: Any) -> ColumnElement[bool]:
    """Say whether a newer run, no dry one, has published the user and did or will do something."""
    receipts, runs = tables.receipts.alias(), tables.runs.alias()
    return exists().where(
        receipts.c.tenant_id == tenant_id,
        receipts.c.entra_id == entra_id,
        receipts.c.run_id > run_id,
        runs.c.id == receipts.c.run_id,
        runs.c.dry_run.is_(False),
        or_(runs.c.status != Status.CANCELLED, receipts.c.outcome != Outcome.PENDING),
    )


def _too_late_query() -> Select[Any]:
    """Say whether a person may no longer be changed by a run; parameters are `run_id` and `entra_id`."""
    receipts = tables.receipts
    run_id, entra_id = bindparam("run_id", type_=Integer()), bindparam("entra_id", type_=String())
    tenant_id = (
        select(receipts.c.tenant_id)
        .where(receipts.c.run_id == run_id, receipts.c.entra_id == entra_id)
        .scalar_subquery()
    )
    return select(or_(_newer_run_has(tenant_id, entra_id, run_id), _is_cancelled(run_id, entra_id)))


def _is_cancelled(run_id: Any, entra_id: Any) -> ColumnElement[bool]:
    """Say whether the run has been cancelled, and the user is not being replayed."""
    receipts, runs = tables.receipts.alias(), tables.runs.alias()
    return exists().where(
        receipts.c.run_id == run_id,
        receipts.c.entra_id == entra_id,
        runs.c.id == receipts.c.run_id,
        runs.c.status == Status.CANCELLED,
        ~receipts.c.replaying,
    )


def _older_run_works_on(
    tenant_id: Any, entra_id: Any, run_id: Any, since: ColumnElement[Any]
) -> ColumnElement[bool]:
    receipts = tables.receipts.alias()
    return exists().where(
        receipts.c.tenant_id == tenant_id,
        receipts.c.entra_id == entra_id,
        receipts.c.run_id < run_id,
        tables.is_open(receipts),
        receipts.c.claimed_at > since,
    )
