"""How the active mapping of a tenant has changed: by whom, when, from what to what."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import insert, select

from schemas.hub.action import Actor
from schemas.tenants.mapping.draft import MappingChange
from schemas.tenants.mapping.sources import dump_sources, restore_sources
from store import tables
from store.timestamps import as_utc, now

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Connection, Row

    from schemas.tenants.tenant import Tenant
    from store.database import Database

#: Changes that are shown; older ones are kept.
_SHOWN: Final = 50


class MappingChanges:
    """The changes' table; may be shared by threads."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def list(self, tenant: str) -> Sequence[MappingChange]:
        """Return the last changes of a tenant's mapping, the newest first."""
        changes = tables.mapping_changes
        query = select(changes).join(tables.tenants).where(tables.tenants.c.key == tenant)
        with self._database.transaction() as connection:
            rows = connection.execute(query.order_by(changes.c.id.desc()).limit(_SHOWN))
            return [_change(row) for row in rows]

    def get(self, tenant: str, change: int) -> MappingChange | None:
        """Return a change of a tenant's mapping by number, None if the tenant has none of that number."""
        changes = tables.mapping_changes
        query = select(changes).join(tables.tenants)
        query = query.where(tables.tenants.c.key == tenant, changes.c.id == change)
        with self._database.transaction() as connection:
            row = connection.execute(query).one_or_none()
        return None if row is None else _change(row)


def record_mapping_change(  # noqa: PLR0913 - what it was, what it is, and who changed it
    connection: Connection,
    tenant_id: int,
    before: Tenant,
    after: Tenant,
    *,
    by: Actor,
    operator: str | None,
    approved_by: int | None = None,
) -> None:
    """Note a change of a tenant's mapping, if there is one."""
    if before.sources == after.sources:
        return
    values = {
        "tenant_id": tenant_id,
        "before": dump_sources(before.sources),
        "after": dump_sources(after.sources),
        "at": now(),
        "member_id": by.member,
        "token_id": by.token,
        "operator": operator,
        "approved_by_member": approved_by,
    }
    connection.execute(insert(tables.mapping_changes).values(values))


def _change(row: Row[Any]) -> MappingChange:
    return MappingChange(
        id=row.id,
        at=as_utc(row.at),
        before=restore_sources(row.before),
        after=restore_sources(row.after),
        by=Actor(member=row.member_id, token=row.token_id),
        operator=row.operator,
        approved_by=row.approved_by_member,
    )
