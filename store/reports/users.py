"""What receipts tell of users across runs: their ids, their history, and how fresh a tenant is."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import and_, exists, func, select, true

from schemas.dead_letter_reasons import Reason
from schemas.details.detail import from_stored
from schemas.outcomes import VERIFYING_OUTCOMES, Cause, Mode, NotFoundReason, Outcome, RunKind, Status
from schemas.reports.user_status import HistoryEntry, with_undos
from schemas.users.attributes import Attribute
from store import tables
from store.reports.failing_since import failing_since
from store.runs.rows import KIND_OF_RUN
from store.timestamps import as_utc

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Collection, Sequence

    from sqlalchemy import ColumnElement, Connection, Row, Select

    from store.database import Database

#: People that one search finds at most.
MAX_SEARCH_RESULTS: Final = 20

_TELLING_NOTHING: Final = (Outcome.PENDING, Outcome.SUPERSEDED)


class UserHistory:
    """Reads receipts across runs; may be shared by threads."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def find_user_ids(self, tenant: str, who: str, marks: Sequence[str]) -> list[str]:
        """Return the Entra ids of those who have that Entra id, or an EPPN of these marks.

        By EPPN those of the last complete full run or since, the latest first.
        """
        receipts, runs, tenants = tables.receipts, tables.runs, tables.tenants
        with self._database.transaction() as connection:
            tenant_id = connection.scalar(select(tenants.c.id).where(tenants.c.key == tenant))
            by_id = (
                select(receipts.c.entra_id)
                .where(receipts.c.tenant_id == tenant_id, receipts.c.entra_id == who)
                .limit(1)
            )
            found = connection.scalars(by_id).all()
            if found or not marks:
                return list(found)
            full = full_run(connection, tenant_id) or 0
            return _search(connection, tenant_id, and_(receipts.c.eppn_digest.in_(marks), runs.c.id >= full))

    def find_by_skolon_id(self, tenant: str, skolon_id: str) -> list[str]:
        """Return the Entra ids of those who had that Skolon user in any run, the latest first."""
        tenants = tables.tenants
        with self._database.transaction() as connection:
            tenant_id = connection.scalar(select(tenants.c.id).where(tenants.c.key == tenant))
            return _search(connection, tenant_id, tables.receipts.c.skolon_id == skolon_id)

    def is_known(self, entra_id: str) -> bool:
        """Say whether a run of any tenant has had the user."""
        receipts = tables.receipts
        known = exists().where(
            receipts.c.tenant_id.in_(select(tables.tenants.c.id)), receipts.c.entra_id == entra_id
        )
        with self._database.transaction() as connection:
            return bool(connection.scalar(select(known)))

    def entries(self, tenant: str, entra_id: str) -> list[HistoryEntry]:
        """Return what the runs did about a person, the newest first, and which undo took it back."""
        query = _entries(tenant, entra_id)
        with self._database.transaction() as connection:
            return with_undos([_entry(row) for row in connection.execute(query)])

    def last_verification(self, tenant: str, entra_id: str) -> HistoryEntry | None:
        """Return the newest entry of a person that confirms what Skolon holds, None if there is none.

        It is of the moment when Skolon was asked, also where the run trusted an earlier one.
        """
        receipts, runs = tables.receipts, tables.runs
        first = tables.most_telling_first(receipts, runs)
        query = _entries(tenant, entra_id).where(_confirms(receipts, runs))
        query = query.order_by(None).order_by(*first).limit(1)
        with self._database.transaction() as connection:
            row = connection.execute(query).one_or_none()
        if row is None:
            return None
        asked = row.verified_at or row.finished_at
        return replace(_entry(row), at=asked and as_utc(asked))

    def failing_since(self, users: Collection[tuple[str, str]]) -> dict[tuple[str, str], dt.datetime]:
        """Return since when (aware) each of these users that fails has done so; the others are left out.

        A user is named by the tenant's key and the id in Entra.
        """
        tenants = tables.tenants
        if not users:
            return {}
        with self._database.transaction() as connection:
            keys = {tenant for tenant, _ in users}
            rows = connection.execute(select(tenants.c.id, tenants.c.key).where(tenants.c.key.in_(keys)))
            ids = {row.key: row.id for row in rows}
            known = {(ids[tenant], user): (tenant, user) for tenant, user in users if tenant in ids}
            found = failing_since(connection, known)
        return {known[user]: since for user, since in found.items()}


def _search(connection: Connection, tenant_id: int | None, condition: ColumnElement[bool]) -> list[str]:
    """Return the Entra ids of a tenant's receipts that meet a condition, those of the latest run first."""
    receipts, runs = tables.receipts, tables.runs
    users = (
        select(receipts.c.entra_id, func.max(receipts.c.run_id).label("newest"))
        # The other way round a unique index on run and Skolon user would be no help.
        .join(runs, runs.c.id == receipts.c.run_id)
        .where(runs.c.tenant_id == tenant_id, condition)
        .group_by(receipts.c.entra_id)
        .order_by(func.max(receipts.c.run_id).desc(), receipts.c.entra_id)
        .limit(MAX_SEARCH_RESULTS)
    )
    return [row.entra_id for row in connection.execute(users)]


def full_run(connection: Connection, tenant_id: int | None, *, before: int | None = None) -> int | None:
    """Return the tenant's last complete run that read all users, or the last one `before` another run."""
    runs = tables.runs
    earlier = true() if before is None else runs.c.id < before
    newest: int | None = connection.scalar(
        select(func.max(runs.c.id)).where(
            runs.c.tenant_id == tenant_id,
            earlier,
            tables.IS_COMPLETE_SYNC,
        )
    )
    return newest


def _confirms(receipts: Any, runs: Any) -> ColumnElement[bool]:
    """Say which receipts confirm: of a run that reads Entra and writes, which asked Skolon."""
    return and_(
        receipts.c.outcome.in_(VERIFYING_OUTCOMES),
        ~runs.c.dry_run,
        runs.c.mode.in_((Mode.FULL, Mode.DELTA)),
    )


def asked_at(receipts: Any) -> ColumnElement[Any]:
    """Return when Skolon was really asked: a receipt that trusts an earlier one has that one's moment."""
    return func.coalesce(receipts.c.verified_at, receipts.c.finished_at)


def _entries(tenant: str, entra_id: str) -> Select[Any]:
    receipts, runs, tenants = tables.receipts, tables.runs, tables.tenants
    return (
        select(
            receipts,
            *(runs.c[name] for name in ("mode", "dry_run", "status", "cause", "reverts_run_id")),
            tables.is_in_doubt(receipts, runs).label("in_doubt"),
            KIND_OF_RUN.label("kind"),
        )
        .join(tenants, tenants.c.id == receipts.c.tenant_id)
        .join(runs, runs.c.id == receipts.c.run_id)
        .where(tenants.c.key == tenant, receipts.c.entra_id == entra_id)
        .order_by(receipts.c.run_id.desc())
    )


def _entry(row: Row[Any]) -> HistoryEntry:
    return HistoryEntry(
        run=row.run_id,
        kind=RunKind(row.kind),
        mode=Mode(row.mode),
        dry_run=row.dry_run,
        status=Status(row.status),
        cause=row.cause and Cause(row.cause),
        outcome=Outcome(row.outcome),
        reason=row.reason and Reason(row.reason),
        detail=from_stored(row.detail),
        not_found_reason=row.not_found_reason and NotFoundReason(row.not_found_reason),
        changed=tuple(Attribute(name) for name in row.changed or ()),
        skolon_id=row.skolon_id,
        at=row.finished_at and as_utc(row.finished_at),
        reverts_run=row.reverts_run_id,
        link_forgotten=row.forgotten_link_users is not None,
        in_doubt=row.in_doubt,
    )
