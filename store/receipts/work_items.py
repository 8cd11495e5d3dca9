"""What a worker loads of a user's receipt and run before it begins (P4)."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import Integer, String, and_, exists, func, or_, select

from schemas.outcomes import OPEN_STATUSES, Cause, Mode, Outcome, Status
from schemas.users.graph_user import is_entra_id
from store import tables
from store.batch_statements import BatchRows, coalesced, lookup_join
from store.runs.rows import is_run_id

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import ColumnElement, FromClause, Row, Select
    from sqlalchemy.types import TypeEngine

    from runtime.coalescer import Coalescer
    from store.database import Database

#: For how long a claim keeps a newer run's worker waiting: longer than a PATCH with its retries takes,
#: short enough for a worker that died over it.
CLAIM_SECONDS: Final = 300

#: What names a person's receipt.
RECEIPT_KEY: Final[dict[str, TypeEngine[Any]]] = {"run_id": Integer(), "entra_id": String()}


@dataclass(frozen=True, kw_only=True)
class WorkItem:
    """What a worker has to know of a user's receipt and run before it does anything."""

    tenant: str
    tenant_id: int
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
    #: An older run has the user in hand at this moment; or it is a replay, and an undo has yet to come to it.
    other_run_active: bool
    #: The guard watches: the run has not been let through, and it is no replay.
    guarded: bool
    #: The run tries settings of its own.
    has_settings_override: bool
    #: The guard has halted the run, and the user has no forecast yet.
    needs_forecast: bool
    #: The run that this one puts back, if it is an undo.
    undoes: int | None
    #: A delta run reads the user again, because the run before could not bring the user up to date.
    read_again: bool

    def awaits(self, operation: int | None) -> bool:
        """Say whether a message is to be worked on that `operation` published, or a run (None)."""
        if self.operation is not None:
            return self.operation == operation
        return self.outcome is Outcome.PENDING and self.status in OPEN_STATUSES


class WorkItems:
    """What workers ask before anything else, of people's receipts; may be shared by threads."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._people = BatchRows(RECEIPT_KEY, is_sqlite=database.is_sqlite)
        self._begin = _load_query(self._people.table, is_sqlite=database.is_sqlite)
        self._beginning: Coalescer[None, tuple[int, str], WorkItem | None] = coalesced(self._load_batch)

    def load(self, run_id: int, entra_id: str) -> WorkItem | None:
        """Return what there is to know before a user is worked on, or None if there is no such receipt."""
        if not (is_run_id(run_id) and is_entra_id(entra_id)):
            return None
        return self._beginning.call(None, (run_id, entra_id))

    def _load_batch(self, _: None, asked: Sequence[tuple[int, str]]) -> list[WorkItem | None]:
        people = [{"run_id": run_id, "entra_id": entra_id} for run_id, entra_id in sorted(set(asked))]
        with self._database.statement() as connection:
            found = {
                (row.run_id, row.entra_id): _work_item(row)
                for row in self._people.execute(connection, self._begin, people)
            }
        return [found.get(person) for person in asked]


def is_superseded(
    tenant_id: Any, entra_id: Any, run_id: Any, *, is_failure: ColumnElement[bool]
) -> ColumnElement[bool]:
    """Say whether a newer run, no dry one, has published the user and did or will do something.

    What a cancelled run only judged while it asked whether it is right is nothing that it did. `is_failure`
    says whether a failure of a sync is tried again: an undo takes care of none.
    """
    receipts, runs = tables.receipts.alias(), tables.runs.alias()
    return exists().where(
        receipts.c.tenant_id == tenant_id,
        receipts.c.entra_id == entra_id,
        receipts.c.run_id > run_id,
        runs.c.id == receipts.c.run_id,
        runs.c.dry_run.is_(False),
        or_(runs.c.mode != Mode.UNDO, ~is_failure),
        or_(
            runs.c.status != Status.CANCELLED,
            and_(receipts.c.outcome != Outcome.PENDING, ~tables.is_judgement(receipts, runs)),
        ),
    )


def is_failure_of_sync(some_receipts: FromClause) -> ColumnElement[bool]:
    """Say whether a receipt, joined with its run, is a failure of a sync: only a replay works on it again."""
    return and_(some_receipts.c.outcome == Outcome.DEAD_LETTERED, tables.runs.c.mode != Mode.UNDO)


def _claims_since(*, is_sqlite: bool) -> ColumnElement[Any]:
    """Return the moment before which claims no longer count, by the database's own clock."""
    if is_sqlite:
        return func.datetime("now", f"-{CLAIM_SECONDS} seconds")
    return func.now() - dt.timedelta(seconds=CLAIM_SECONDS)


def _load_query(given: FromClause, *, is_sqlite: bool) -> Select[Any]:
    runs, tenants = tables.runs, tables.tenants
    claims_since = _claims_since(is_sqlite=is_sqlite)
    people, receipts = lookup_join(given, tables.receipts, *RECEIPT_KEY, is_sqlite=is_sqlite)
    is_failure = is_failure_of_sync(receipts)
    user = receipts.c.tenant_id, given.c.entra_id, given.c.run_id
    return (
        select(
            given.c.run_id,
            given.c.entra_id,
            tenants.c.key,
            tenants.c.id.label("tenant_id"),
            tenants.c.version,
            runs.c.status,
            runs.c.dry_run,
            runs.c.guard_overridden,
            runs.c.settings_override.is_not(None).label("has_settings_override"),
            runs.c.cause,
            receipts.c.forecast_outcome,
            runs.c.reverts_run_id,
            receipts.c.outcome,
            receipts.c.claimed_at,
            receipts.c.read_again,
            receipts.c.replaying,
            receipts.c.operation_id,
            is_superseded(*user, is_failure=is_failure).label("superseded"),
            or_(_older_run_works_on(*user, claims_since), and_(is_failure, _awaits_undo(*user))).label(
                "active"
            ),
        )
        .select_from(people)
        .join(runs, runs.c.id == receipts.c.run_id)
        .join(tenants, tenants.c.id == receipts.c.tenant_id)
    )


def _work_item(row: Row[Any]) -> WorkItem:
    return WorkItem(
        tenant=row.key,
        tenant_id=row.tenant_id,
        tenant_version=row.version,
        status=Status(row.status),
        dry_run=row.dry_run,
        outcome=Outcome(row.outcome),
        operation=row.operation_id if row.replaying else None,
        claimed=row.claimed_at is not None,
        # A dry run changes nothing, so it can neither be late nor in the way.
        superseded=bool(row.superseded) and not row.dry_run,
        other_run_active=bool(row.active) and not row.dry_run,
        guarded=not row.guard_overridden and not row.replaying,
        has_settings_override=row.has_settings_override,
        needs_forecast=(
            (row.status, row.cause) == (Status.HALTED, Cause.GUARD_EXCEEDED)
            and row.outcome == Outcome.PENDING
            and row.forecast_outcome is None
        ),
        undoes=row.reverts_run_id,
        read_again=row.read_again,
    )


def _older_run_works_on(
    tenant_id: Any, entra_id: Any, run_id: Any, since: ColumnElement[Any]
) -> ColumnElement[bool]:
    receipts = tables.receipts.alias()
    return exists().where(
        receipts.c.tenant_id == tenant_id,
        receipts.c.entra_id == entra_id,
        receipts.c.run_id < run_id,
        tables.awaits_outcome(receipts),
        receipts.c.claimed_at > since,
    )


def _awaits_undo(tenant_id: Any, entra_id: Any, run_id: Any) -> ColumnElement[bool]:
    """Say whether an undo that is open has yet to restore the user: both would write at the same time."""
    receipts, runs = tables.receipts.alias(), tables.runs.alias()
    # Not a join: PostgreSQL would begin with the few runs, and read all results of each.
    of_open_undo = (
        select(runs.c.id)
        .where(
            runs.c.id == receipts.c.run_id,
            runs.c.mode == Mode.UNDO,
            ~runs.c.dry_run,
            runs.c.status.in_(OPEN_STATUSES),
        )
        .correlate(receipts)
        .scalar_subquery()
    )
    return exists().where(
        receipts.c.tenant_id == tenant_id,
        receipts.c.entra_id == entra_id,
        receipts.c.run_id > run_id,
        tables.awaits_outcome(receipts),
        of_open_undo.is_not(None),
    )
