"""The audit of the Data Hub: sign-ins, what changes them, and which values were shown; kept for good."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, TypedDict, Unpack

from sqlalchemy import func, insert, select

from schemas.dead_letter_reasons import Reason
from schemas.hub.audit import AuditEntry, AuditPage, Membership
from schemas.hub.session import REFUSED_WITHIN, AuditKind
from store import tables
from store.timestamps import as_utc, now

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Collection, Mapping, Sequence

    from sqlalchemy import Connection

    from store.database import Database

#: Entries of a page.
_PAGE_SIZE = 50


#: What gives a member access, or more of it.
_BRINGING_IN: Final = (AuditKind.INVITED, AuditKind.LINK_MADE, AuditKind.MEMBER_CHANGED)

#: The columns of what has another name here.
_COLUMNS: Final = {
    "member": "member_id",
    "by": "by_member_id",
    "token": "token_id",
    "user": "entra_id",
    "run": "run_id",
    "event": "event_id",
}


class EventFields(TypedDict, total=False):
    """By or to which member or token something happened, and what it was about.

    `by` is another member who did it to the member. The people of the tenant with the key `tenant` may read
    the entry; without one, those of all tenants that the member belongs to. `user` is an id in Entra, and
    `skolon_id` one in Skolon.
    `reason` and `users` are a group of users that fail, and their number. `event` is the id of a trigger.
    `address_digest` tells a browser's address.
    """

    member: int | None
    by: int | None
    token: int | None
    tenant: str | None
    user: str | None
    run: int | None
    skolon_id: str | None
    reason: Reason | None
    users: int | None
    event: str | None
    membership: Membership | None
    mapping: Mapping[str, Any] | None
    address_digest: str | None


class HubAudit:
    """The audit's table; may be shared by threads."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def record(self, kind: AuditKind, **about: Unpack[EventFields]) -> None:
        """Note what happened just now, as `record_event` does."""
        with self._database.transaction() as connection:
            record_event(connection, kind, **about)

    def page(self, tenants: Sequence[str] | None, *, before: int | None = None) -> AuditPage:
        """Return entries, the newest first, that are older than the one with the number `before`.

        Those that are about one of the `tenants`, by their keys; None for all.
        """
        audit, of_tenants = tables.hub_audit, tables.hub_audit_tenants
        query = select(audit).order_by(audit.c.id.desc()).limit(_PAGE_SIZE + 1)
        if before is not None:
            query = query.where(audit.c.id < before)
        if tenants is not None:
            about = (
                select(of_tenants.c.audit_id)
                .join(tables.tenants)
                .where(of_tenants.c.audit_id == audit.c.id, tables.tenants.c.key.in_(tenants))
            )
            query = query.where(about.exists())
        with self._database.transaction() as connection:
            rows = connection.execute(query).all()
        entries = [
            AuditEntry(
                id=row.id,
                kind=AuditKind(row.kind),
                member=row.member_id,
                by=row.by_member_id,
                tenant=row.tenant,
                user=row.entra_id,
                token=row.token_id,
                run=row.run_id,
                skolon_id=row.skolon_id,
                reason=row.reason and Reason(row.reason),
                users=row.users,
                event=row.event_id,
                membership=row.membership and Membership.from_json(row.membership),
                mapping=row.mapping,
                at=as_utc(row.at),
            )
            for row in rows[:_PAGE_SIZE]
        ]
        return AuditPage(entries=tuple(entries), before=entries[-1].id if len(rows) > _PAGE_SIZE else None)

    def was_brought_in(self, member: int, by: Collection[int], *, since: dt.datetime) -> bool:
        """Say whether one of these has invited a member, or given a link or another role, since a time."""
        audit = tables.hub_audit
        query = select(audit.c.id).where(
            audit.c.member_id == member,
            audit.c.by_member_id.in_(by),
            audit.c.kind.in_(_BRINGING_IN),
            audit.c.at > since,
        )
        with self._database.transaction() as connection:
            return connection.scalar(query.limit(1)) is not None

    def count_refused(self, address_digest: str) -> int:
        """Return how many sign-ins of an address were refused lately."""
        audit = tables.hub_audit
        query = select(func.count()).where(
            audit.c.address_digest == address_digest,
            audit.c.kind == AuditKind.SIGN_IN_REFUSED,
            audit.c.at > now() - REFUSED_WITHIN,
        )
        with self._database.transaction() as connection:
            return connection.scalar(query) or 0


def record_event(connection: Connection, kind: AuditKind, **about: Unpack[EventFields]) -> int:
    """Note what happened just now, and return the number of the entry."""
    values = {_COLUMNS.get(name, name): value for name, value in about.items()}
    membership = about.get("membership")
    values |= {"membership": membership and membership.as_json(), "kind": kind, "at": now()}
    key = connection.execute(insert(tables.hub_audit).values(values)).inserted_primary_key
    audit = int(key[0])  # type: ignore[index] # an insert of one row has a key
    readers = _tenant_ids(connection, about.get("member"), about.get("tenant"))
    if readers:
        rows = [{"tenant_id": tenant_id, "audit_id": audit} for tenant_id in readers]
        connection.execute(insert(tables.hub_audit_tenants), rows)
    return audit


def _tenant_ids(connection: Connection, member: int | None, tenant: str | None) -> Sequence[int]:
    if tenant is not None:
        query = select(tables.tenants.c.id).where(tables.tenants.c.key == tenant)
    elif member is not None:
        of_members = tables.hub_member_tenants
        query = select(of_members.c.tenant_id).where(of_members.c.member_id == member)
    else:
        return []
    return connection.scalars(query).all()
