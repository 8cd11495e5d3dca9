"""The users of a tenant that fail as things stand, in groups by reason and page by page."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import and_, exists, func, or_, select

from schemas.dead_letter_reasons import Reason
from schemas.details.detail import from_stored
from schemas.outcomes import Mode, Outcome
from store import tables
from store.reports.failing_since import ENDS_NO_FAILURE, all_failing_since, failing_since
from store.reports.users import full_run
from store.timestamps import as_utc

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Collection, Iterator, Sequence

    from sqlalchemy import ColumnElement, Connection, Row, Select

    from schemas.dead_letters.task import FailureSelection
    from store.database import Database
    from store.report_cache import ReportCache

#: Users that are read at a time.
_PORTION: Final = 500

#: Such an outcome tells nothing of a user.
_TELLS_NOTHING: Final = (Outcome.PENDING, Outcome.SUPERSEDED)


@dataclass(frozen=True, kw_only=True)
class FailureGroup:
    """Users that fail for one reason: since when the first and the last of them do (aware).

    `recent` of them have failed since a moment that was asked for, or later. `settled_before` is when users
    last failed for the reason that were settled since, None if there were none: such a group has come back.
    """

    reason: Reason
    users: int
    first: dt.datetime
    last: dt.datetime
    recent: int
    settled_before: dt.datetime | None
    #: Whether any of them should get what another user in Entra has.
    is_held_in_entra: bool


@dataclass(frozen=True, kw_only=True)
class OpenFailure:
    """A user that fails: in which run the last time, why, and since when (aware)."""

    entra_id: str
    run: int
    reason: Reason
    detail: str | None
    since: dt.datetime


class OpenFailures:
    """Reads receipts; may be shared by threads."""

    def __init__(self, database: Database, cache: ReportCache) -> None:
        self._database = database
        self._cache = cache

    def groups(self, tenant: str, *, recently: dt.datetime | None = None) -> tuple[FailureGroup, ...]:
        """Return the groups of a tenant, the largest first; `recently` (aware) is when recent ones begin."""
        with self._database.transaction() as connection:
            tenant_id, query = _open(connection, tenant)
            if tenant_id is None:
                return ()
            return self._cache.of_tenant(
                connection,
                ("failure_groups", recently),
                tenant_id,
                lambda: _groups(connection, tenant_id, query, recently),
            )

    def page(  # noqa: PLR0913 - which users, of which reasons
        self,
        tenant: str,
        reason: Reason | None,
        *,
        after: str,
        limit: int,
        users: Collection[str] = (),
        but: Collection[Reason] = (),
    ) -> list[OpenFailure]:
        """Return the users that fail for a reason, or for any `but` some, by Entra id: those behind `after`.

        Those of the named `users` alone, if there are some.
        """
        with self._database.transaction() as connection:
            tenant_id, query = _open(connection, tenant)
            receipts = tables.receipts
            query = query.where(receipts.c.entra_id > after).order_by(receipts.c.entra_id).limit(limit)
            if users:
                query = query.where(receipts.c.entra_id.in_(users))
            if but:
                query = query.where(receipts.c.reason.not_in(but))
            if reason is not None:
                query = query.where(receipts.c.reason == reason)
                # The index of those that fail has them in this order.
                self._database.prefer_order(connection)
            return _failures(connection, tenant_id, connection.execute(query).all())

    def chosen(
        self,
        tenant: str,
        selection: FailureSelection,
        *,
        among: Collection[str] | None = None,
        after: str = "",
        portion: int = _PORTION,
    ) -> Iterator[list[OpenFailure]]:
        """Yield the users of a selection, some at a time, by Entra id: those behind `after`.

        What the selection's forecast has found is for the caller to say, by the users `among` which they are.
        """
        while found := self.page(tenant, selection.reason, after=after, limit=portion, users=selection.users):
            after = found[-1].entra_id
            yield [
                each
                for each in found
                if selection.matches_age(each.since) and (among is None or each.entra_id in among)
            ]


def _groups(
    connection: Connection, tenant_id: int, query: Select[Any], recently: dt.datetime | None
) -> tuple[FailureGroup, ...]:
    since = all_failing_since(connection, tenant_id)
    by_reason: defaultdict[Reason, list[dt.datetime]] = defaultdict(list)
    held = set()
    for row in connection.execute(query):
        by_reason[Reason(row.reason)].append(since.get(row.entra_id) or _settled_at(row))
        if row.holder_entra_id is not None:
            held.add(Reason(row.reason))
    groups = [
        FailureGroup(
            reason=reason,
            users=len(moments),
            first=min(moments),
            last=max(moments),
            recent=sum(recently is not None and each >= recently for each in moments),
            settled_before=_settled_before(connection, tenant_id, reason, min(moments)),
            is_held_in_entra=reason in held,
        )
        for reason, moments in by_reason.items()
    ]
    return tuple(sorted(groups, key=lambda group: (-group.users, group.reason)))


def _open(
    connection: Connection, tenant: str, *, is_set_aside: bool = False
) -> tuple[int | None, Select[Any]]:
    """Return a tenant's id and the query for the receipts of users that fail, each user once.

    As in a tenant's overview, they are of the last complete run of all users and of newer ones. Those that
    a member has set aside are left out, or are the only ones.
    """
    receipts, runs = tables.receipts, tables.runs
    tenant_id = connection.scalar(select(tables.tenants.c.id).where(tables.tenants.c.key == tenant))
    since = full_run(connection, tenant_id) or 0
    query = (
        select(
            receipts.c.entra_id,
            receipts.c.run_id,
            receipts.c.reason,
            receipts.c.detail,
            receipts.c.holder_entra_id,
            receipts.c.published_at,
            receipts.c.finished_at,
        )
        .join(runs, runs.c.id == receipts.c.run_id)
        .where(
            receipts.c.tenant_id == tenant_id,
            receipts.c.outcome == Outcome.DEAD_LETTERED,
            receipts.c.discard_id.is_not(None) if is_set_aside else receipts.c.discard_id.is_(None),
            runs.c.id >= since,
            ~runs.c.dry_run,
            ~_told_elsewhere(tenant_id, since),
        )
    )
    return tenant_id, query


def _told_elsewhere(tenant_id: int | None, since: int) -> ColumnElement[bool]:
    """Say whether the outcome of a receipt's user in another run, from `since` on, counts for more.

    An undo that succeeds settles only other undos (`schemas/reports/user_status.py`).
    """
    receipts, runs = tables.receipts, tables.runs
    other, other_runs = tables.receipts.alias(), tables.runs.alias()
    later, later_runs = tables.receipts.alias(), tables.runs.alias()
    # Such an undo fails as things stand: it stands for the user, who is listed once.
    is_open_undo = and_(
        other.c.outcome == Outcome.DEAD_LETTERED,
        ~exists().where(
            later.c.tenant_id == tenant_id,
            later.c.entra_id == other.c.entra_id,
            later.c.run_id > other.c.run_id,
            later.c.outcome.not_in(_TELLS_NOTHING),
            later_runs.c.id == later.c.run_id,
            later_runs.c.mode == Mode.UNDO,
            ~later_runs.c.dry_run,
        ),
    )
    told = select(other.c.run_id).where(
        other.c.tenant_id == tenant_id,
        other.c.entra_id == receipts.c.entra_id,
        other.c.run_id != receipts.c.run_id,
        other.c.run_id >= since,
        other.c.outcome.not_in(_TELLS_NOTHING),
        other_runs.c.id == other.c.run_id,
        ~other_runs.c.dry_run,
        tables.outranks(other, other_runs, receipts, runs),
        or_(other_runs.c.mode != Mode.UNDO, runs.c.mode == Mode.UNDO, is_open_undo),
    )
    # A fence: PostgreSQL would otherwise read all results to join them, instead of looking up those of the
    # few users that fail.
    return exists(told.correlate(receipts, runs).offset(0))


def _failures(connection: Connection, tenant_id: int | None, rows: Sequence[Row[Any]]) -> list[OpenFailure]:
    users = [] if tenant_id is None else [(tenant_id, row.entra_id) for row in rows]
    since = {user: moment for (_, user), moment in failing_since(connection, users).items()}
    return [
        OpenFailure(
            entra_id=row.entra_id,
            run=row.run_id,
            reason=Reason(row.reason),
            detail=from_stored(row.detail),
            since=since.get(row.entra_id) or _settled_at(row),
        )
        for row in rows
    ]


def _settled_at(row: Row[Any]) -> dt.datetime:
    return as_utc(row.finished_at or row.published_at)


def _settled_before(
    connection: Connection, tenant_id: int | None, reason: Reason, first: dt.datetime
) -> dt.datetime | None:
    """Return when a user last failed for a reason, before `first`, that a newer run has settled."""
    receipts, runs = tables.receipts, tables.runs
    newer, newer_runs = tables.receipts.alias(), tables.runs.alias()
    settled = select(newer.c.run_id).where(
        newer.c.tenant_id == tenant_id,
        newer.c.entra_id == receipts.c.entra_id,
        newer.c.run_id > receipts.c.run_id,
        newer.c.outcome.not_in(ENDS_NO_FAILURE),
        newer_runs.c.id == newer.c.run_id,
        ~newer_runs.c.dry_run,
        or_(newer_runs.c.mode != Mode.UNDO, runs.c.mode == Mode.UNDO),
    )
    query = (
        select(func.max(receipts.c.finished_at))
        .join(runs, runs.c.id == receipts.c.run_id)
        .where(
            receipts.c.tenant_id == tenant_id,
            receipts.c.outcome == Outcome.DEAD_LETTERED,
            receipts.c.reason == reason,
            receipts.c.finished_at < first,
            ~runs.c.dry_run,
            # A fence, as above.
            exists(settled.correlate(receipts, runs).offset(0)),
        )
    )
    found = connection.scalar(query)
    return found and as_utc(found)
