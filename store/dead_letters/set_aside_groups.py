"""Groups of users that fail that are set aside until a day."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import delete, insert, select

from schemas.dead_letter_reasons import Reason
from schemas.dead_letters.set_aside import SetAsideGroup
from schemas.errors import UsageError
from store import tables
from store.timestamps import as_utc, now

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from schemas.crypto.encryption import FieldCipher
    from store.database import Database


class SetAsideGroups:
    """The table of groups that are set aside; may be shared by threads."""

    def __init__(self, database: Database, cipher: FieldCipher) -> None:
        self._database = database
        self._cipher = cipher

    def add(self, group: SetAsideGroup) -> None:
        """Set a group aside, in the place of what was said of it before; `UsageError` without its tenant."""
        groups, tenants = tables.set_aside_groups, tables.tenants
        with self._database.transaction() as connection:
            # Of two at once the second one waits here, and the later one holds.
            mine = select(tenants.c.id).where(tenants.c.key == group.tenant).with_for_update(key_share=True)
            tenant_id = connection.scalar(mine)
            if tenant_id is None:
                raise UsageError("There is no tenant of this name.")
            is_group = groups.c.tenant_id == tenant_id, groups.c.reason == group.reason
            connection.execute(delete(groups).where(*is_group))
            values = {
                "tenant_id": tenant_id,
                "reason": group.reason,
                "until": group.until,
                "set_at": group.set_at,
                "note": None if group.note is None else self._cipher.encrypt(group.note),
                "member_id": group.member,
                "token_id": group.token,
                "operator": group.operator,
            }
            connection.execute(insert(groups).values(values))

    def remove(self, tenant: str, reason: Reason) -> bool:
        """Have a group back that is set aside; False if it is not, or not any more."""
        groups, tenants = tables.set_aside_groups, tables.tenants
        tenant_id = select(tenants.c.id).where(tenants.c.key == tenant).scalar_subquery()
        with self._database.transaction() as connection:
            removed = connection.execute(
                delete(groups).where(
                    groups.c.tenant_id == tenant_id, groups.c.reason == reason, groups.c.until > now()
                )
            )
        return bool(removed.rowcount)

    def list(self, tenants: Collection[str] | None = None) -> Sequence[SetAsideGroup]:
        """Return the groups of some tenants, or of all, also those that are back since."""
        groups = tables.set_aside_groups
        query = (
            select(groups, tables.tenants.c.key)
            .join(tables.tenants, tables.tenants.c.id == groups.c.tenant_id)
            .order_by(tables.tenants.c.key, groups.c.reason)
        )
        if tenants is not None:
            query = query.where(tables.tenants.c.key.in_(tenants))
        with self._database.transaction() as connection:
            rows = connection.execute(query).all()
        return [
            SetAsideGroup(
                tenant=row.key,
                reason=Reason(row.reason),
                until=as_utc(row.until),
                set_at=as_utc(row.set_at),
                note=None if row.note is None else self._cipher.decrypt(row.note),
                member=row.member_id,
                token=row.token_id,
                operator=row.operator,
            )
            for row in rows
        ]
