"""The audit of the Data Hub: sign-ins, what changes them, and which values were shown; kept for good."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import func, insert, select

from schemas.dead_letter_reasons import Reason
from schemas.hub.audit import AuditEntry, AuditPage
from schemas.hub.session import REFUSED_WITHIN, AuditKind
from store import tables
from store.timestamps import as_utc, now

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Connection

    from store.database import Database

#: Entries of a page.
_PAGE_SIZE = 50


class HubAudit:
    """The audit's table; may be shared by threads."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def record(  # noqa: PLR0913 - as `record_event`
        self,
        kind: AuditKind,
        *,
        member: int | None = None,
        by: int | None = None,
        token: int | None = None,
        tenant: str | None = None,
        user: str | None = None,
        address_digest: str | None = None,
    ) -> None:
        """Note what happened just now, as `record_event` does."""
        with self._database.transaction() as connection:
            record_event(
                connection,
                kind,
                member=member,
                by=by,
                token=token,
                tenant=tenant,
                user=user,
                address_digest=address_digest,
            )

    def record_names(self, tenant: str, reason: Reason, users: int, *, member: int) -> None:
        """Note that a member looks at the names of so many users that fail for a reason."""
        with self._database.transaction() as connection:
            record_event(
                connection,
                AuditKind.NAMES_REVEALED,
                member=member,
                tenant=tenant,
                reason=reason,
                users=users,
            )

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
                reason=row.reason and Reason(row.reason),
                users=row.users,
                at=as_utc(row.at),
            )
            for row in rows[:_PAGE_SIZE]
        ]
        return AuditPage(entries=tuple(entries), before=entries[-1].id if len(rows) > _PAGE_SIZE else None)

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


def record_event(  # noqa: PLR0913 - what is known of an event, by name
    connection: Connection,
    kind: AuditKind,
    *,
    member: int | None = None,
    by: int | None = None,
    token: int | None = None,
    tenant: str | None = None,
    user: str | None = None,
    run: int | None = None,
    reason: Reason | None = None,
    users: int | None = None,
    address_digest: str | None = None,
) -> int:
    """Note what happened just now, by or to which member or token, and what it was about.

    `by` is another member who did it to that member.
    The people of the tenant with the key `tenant` may read it; without one, those of all tenants that the
    member belongs to. `user` is an id in Entra. Returns the number of the entry.
    """
    values = {
        "kind": kind,
        "member_id": member,
        "by_member_id": by,
        "token_id": token,
        "tenant": tenant,
        "entra_id": user,
        "run_id": run,
        "reason": reason,
        "users": users,
        "address_digest": address_digest,
        "at": now(),
    }
    key = connection.execute(insert(tables.hub_audit).values(values)).inserted_primary_key
    audit = int(key[0])  # type: ignore[index] # an insert of one row has a key
    about = _tenant_ids(connection, member, tenant)
    if about:
        rows = [{"tenant_id": tenant_id, "audit_id": audit} for tenant_id in about]
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
