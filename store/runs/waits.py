"""What the messages of runs wait for: a row for each user that has waited, written when a try has failed.

All goes well without a single row. A row tells nothing any more once its receipt has an outcome, so that
it need not be removed then; it goes when its run is complete.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import (
    DateTime,
    Integer,
    String,
    and_,
    case,
    delete,
    exists,
    func,
    literal,
    or_,
    select,
    true,
)
from sqlalchemy.dialects import postgresql, sqlite

from schemas.errors import Dependency, FailureKind
from schemas.outcomes import OPEN_STATUSES, Outcome, Status
from schemas.runs.waits import Wait, Waiting
from schemas.users.graph_user import is_entra_id
from store import tables
from store.batch_statements import BatchRows, coalesced, lookup_join
from store.runs.rows import is_run_id
from store.timestamps import as_utc, now

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Collection, Sequence

    from sqlalchemy import ColumnElement, Connection, FromClause, Row, Select
    from sqlalchemy.types import TypeEngine

    from runtime.coalescer import Coalescer
    from store.database import Database

#: Who waits when it is no user: the page of the run that is to be read next.
PAGE: Final = ""

_FACTS: Final[dict[str, TypeEngine[Any]]] = {
    "service": String(),
    "reported": DateTime(timezone=True),
    "next_try": DateTime(timezone=True),
    "failed_at": DateTime(timezone=True),
    "status": Integer(),
    "kind": String(),
}
_KEYS: Final[dict[str, TypeEngine[Any]]] = {"run_id": Integer(), "entra_id": String()}


class Waits:
    """The waits' table; may be shared by threads."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._dialect: Any = sqlite if database.is_sqlite else postgresql
        self._given = BatchRows({**_KEYS, **_FACTS}, is_sqlite=database.is_sqlite)
        self._upsert_users = self._upsert(self._batch_source())
        self._recording: Coalescer[None, tuple[int, str, Wait], None] = coalesced(self._record_batch)

    def record_user(self, run_id: int, entra_id: str, wait: Wait) -> None:
        """Record that a user waits, with others in one statement; a user with an outcome does not."""
        if is_run_id(run_id) and is_entra_id(entra_id):
            self._recording.call(None, (run_id, entra_id, wait))

    def since(self, run_id: int, entra_id: str) -> dt.datetime | None:
        """Return since when a user has waited, None if it has not."""
        waits = tables.waits
        query = select(waits.c.since).where(waits.c.run_id == run_id, waits.c.entra_id == entra_id)
        with self._database.transaction() as connection:
            since = connection.scalar(query)
        return None if since is None else as_utc(since)

    def record_page(self, run_id: int, wait: Wait) -> None:
        """Note that a page of a run waits, if the run is being read."""
        if not is_run_id(run_id):
            return
        runs, facts = tables.runs, _facts(wait)
        source = select(
            runs.c.id,
            literal(PAGE),
            *(literal(facts[name], kind) for name, kind in _FACTS.items()),
            literal(wait.reported, DateTime(timezone=True)),
        ).where(runs.c.id == run_id, runs.c.status == Status.READING)
        with self._database.transaction() as connection:
            connection.execute(self._upsert(source))

    def _record_batch(self, _: None, told: Sequence[tuple[int, str, Wait]]) -> list[None]:
        # Of a user that comes twice the last word counts; in one order no process locks another one out.
        rows = {(run_id, entra_id): _facts(wait) for run_id, entra_id, wait in told}
        given = [
            {"run_id": run_id, "entra_id": entra_id, **facts}
            for (run_id, entra_id), facts in sorted(rows.items())
        ]
        with self._database.statement() as connection:
            self._given.write(connection, self._upsert_users, given)
        return [None] * len(told)

    def _batch_source(self) -> Select[Any]:
        given = self._given.table
        people, receipts = lookup_join(given, tables.receipts, *_KEYS, is_sqlite=self._database.is_sqlite)
        return (
            select(
                given.c.run_id,
                given.c.entra_id,
                *(given.c[name] for name in _FACTS),
                given.c.reported.label("since"),
            )
            .select_from(people)
            .where(true(), tables.awaits_outcome(receipts))
        )

    def _upsert(self, source: Select[Any]) -> Any:
        waits = tables.waits
        statement = self._dialect.insert(waits).from_select(["run_id", "entra_id", *_FACTS, "since"], source)
        new = statement.excluded
        same = waits.c.service.is_not_distinct_from(new.service)
        failure = {
            name: case((new.failed_at.is_not(None), new[name]), (same, waits.c[name]))
            for name in ("failed_at", "status", "kind")
        }
        return statement.on_conflict_do_update(
            index_elements=["run_id", "entra_id"],
            set_={
                "service": new.service,
                "reported": new.reported,
                "next_try": new.next_try,
                "since": case((same, waits.c.since), else_=new.since),
                **failure,
            },
        )


def is_still_waiting(waits: FromClause, receipts: FromClause) -> ColumnElement[bool]:
    """Say whether a row, joined with its run and with its receipt if it has one, tells of who waits now."""
    runs = tables.runs
    return or_(
        and_(waits.c.entra_id == PAGE, runs.c.status == Status.READING),
        and_(receipts.c.outcome == Outcome.PENDING, runs.c.status.in_(OPEN_STATUSES)),
        receipts.c.replaying,
    )


def waiting_by_run(connection: Connection, run_ids: Collection[int]) -> dict[int, tuple[Waiting, ...]]:
    """Return what the users and the page of each run wait for, by the services' names."""
    found: defaultdict[int, list[Waiting]] = defaultdict(list)
    # Most runs wait for nothing: that is found out without their receipts.
    waits = tables.waits
    if run_ids and connection.scalar(select(exists().where(waits.c.run_id.in_(run_ids)))):
        for row in connection.execute(_waiting_query(run_ids)):
            found[row.run_id].append(_waiting(row))
    return {run_id: tuple(found[run_id]) for run_id in run_ids}


def last_finished_by_run(connection: Connection, run_ids: Collection[int]) -> dict[int, dt.datetime]:
    """Return when a user of each run had an outcome last; a run without one is left out."""
    receipts = tables.receipts
    if not run_ids:
        return {}
    query = (
        select(receipts.c.run_id, func.max(receipts.c.finished_at).label("last"))
        .where(receipts.c.run_id.in_(run_ids), receipts.c.finished_at.is_not(None))
        .group_by(receipts.c.run_id)
    )
    return {row.run_id: as_utc(row.last) for row in connection.execute(query)}


def delete_waits(connection: Connection, run_id: int) -> None:
    """Forget what a run has waited for: it is complete, or begins anew."""
    connection.execute(delete(tables.waits).where(tables.waits.c.run_id == run_id))


def delete_page_wait(connection: Connection, run_id: int) -> None:
    """Forget that a page of a run has waited: it has been read."""
    waits = tables.waits
    connection.execute(delete(waits).where(waits.c.run_id == run_id, waits.c.entra_id == PAGE))


def _waiting_query(run_ids: Collection[int]) -> Select[Any]:
    waits, receipts, runs = tables.waits, tables.receipts, tables.runs
    newest = func.row_number().over(
        partition_by=(waits.c.run_id, waits.c.service), order_by=waits.c.failed_at.desc().nulls_last()
    )
    ranked = (
        select(waits, newest.label("place"))
        .join(runs, runs.c.id == waits.c.run_id)
        .outerjoin(
            receipts, and_(receipts.c.run_id == waits.c.run_id, receipts.c.entra_id == waits.c.entra_id)
        )
        .where(waits.c.run_id.in_(run_ids), is_still_waiting(waits, receipts))
        .subquery()
    )
    to_come = case((ranked.c.next_try > now(), ranked.c.next_try))
    of_last = {name: func.max(case((ranked.c.place == 1, ranked.c[name]))) for name in ("status", "kind")}
    return (
        select(
            ranked.c.run_id,
            ranked.c.service,
            func.min(ranked.c.since).label("since"),
            func.sum(case((ranked.c.entra_id != PAGE, 1), else_=0)).label("users"),
            func.sum(case((ranked.c.entra_id == PAGE, 1), else_=0)).label("pages"),
            func.max(ranked.c.failed_at).label("failed_at"),
            of_last["status"].label("status"),
            of_last["kind"].label("kind"),
            func.coalesce(func.min(to_come), func.max(ranked.c.next_try)).label("next_try"),
        )
        .group_by(ranked.c.run_id, ranked.c.service)
        .order_by(ranked.c.run_id, ranked.c.service.nulls_last())
    )


def _facts(wait: Wait) -> dict[str, Any]:
    return {
        "service": wait.service and str(wait.service),
        "reported": wait.reported,
        "next_try": wait.next_try,
        "failed_at": wait.failed_at,
        "status": wait.status,
        "kind": None if wait.kind is None else str(wait.kind),
    }


def _waiting(row: Row[Any]) -> Waiting:
    return Waiting(
        service=row.service and Dependency(row.service),
        since=as_utc(row.since),
        users=row.users,
        page=bool(row.pages),
        last_failed=row.failed_at and as_utc(row.failed_at),
        last_status=row.status,
        last_kind=row.kind and FailureKind(row.kind),
        next_try=as_utc(row.next_try),
    )
