"""The audit of the Data Hub: sign-ins, what changes them, and revealed values; kept for good."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import func, insert, select

from schemas.hub.session import REFUSED_WITHIN, AuditKind
from store import tables
from store.timestamps import now

if TYPE_CHECKING:
    from store.database import Database


class HubAudit:
    """The audit's table; may be shared by threads."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def record(
        self,
        kind: AuditKind,
        *,
        member: int | None = None,
        address_digest: str | None = None,
        tenant: str | None = None,
        user: str | None = None,
    ) -> None:
        """Note what happened just now, by or to which member, from which address, about which tenant or user.

        `user` is an id in Entra.
        """
        values = {
            "kind": kind,
            "member_id": member,
            "address_digest": address_digest,
            "tenant": tenant,
            "entra_id": user,
            "at": now(),
        }
        with self._database.transaction() as connection:
            connection.execute(insert(tables.hub_audit).values(values))

    def count_refused(self, address_digest: str) -> int:
        """Return how many links of an address were refused lately."""
        audit = tables.hub_audit
        query = select(func.count()).where(
            audit.c.address_digest == address_digest,
            audit.c.kind == AuditKind.SIGN_IN_REFUSED,
            audit.c.at > now() - REFUSED_WITHIN,
        )
        with self._database.transaction() as connection:
            return connection.scalar(query) or 0
