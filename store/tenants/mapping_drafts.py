"""Drafts of a tenant's mapping: kept beside the active one, and changed by one person at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import delete, func, insert, select, update

from schemas.errors import UsageError
from schemas.hub.action import ActionRefusal, ActionRefusedError, Actor
from schemas.tenants.mapping.draft import MappingDraft
from schemas.tenants.mapping.sources import dump_sources, restore_sources
from schemas.users.attributes import Attribute
from store import tables
from store.timestamps import as_utc, now

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from sqlalchemy import Connection, Row

    from schemas.tenants.mapping.sources import Sources
    from store.database import Database

#: Drafts of a tenant that are open at a time.
MAX_OPEN: Final = 20

_SELECT: Final = select(tables.mapping_drafts, tables.tenants.c.key).join(tables.tenants)


class MappingDrafts:
    """The drafts' table; may be shared by threads."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(
        self,
        tenant: str,
        sources: Sources,
        by: Actor,
        *,
        base: Sources,
        releases: Collection[Attribute] = (),
    ) -> int:
        """Store a new draft beside the active mapping `base`, and return its number.

        `releases` are attributes that need no second person once it is active. Raises `ActionRefusedError`
        if there are too many.
        """
        drafts, tenants, created = tables.mapping_drafts, tables.tenants, now()
        with self._database.transaction() as connection:
            is_tenant = tenants.c.key == tenant
            tenant_id = connection.scalar(select(tenants.c.id).where(is_tenant).with_for_update())
            if tenant_id is None:
                raise UsageError("There is no tenant of this name.")
            is_open = (drafts.c.tenant_id == tenant_id) & drafts.c.activated.is_(None)
            if (connection.scalar(select(func.count()).where(is_open)) or 0) >= MAX_OPEN:
                raise ActionRefusedError(
                    ActionRefusal.TOO_MANY, f"There are {MAX_OPEN} drafts: discard one first."
                )
            values = {
                "tenant_id": tenant_id,
                "sources": dump_sources(sources),
                "base": dump_sources(base),
                "releases": sorted(map(str, releases)),
                "authors": sorted(_members(connection, by)),
                "version": 1,
                "created": created,
                "created_by_member": by.member,
                "created_by_token": by.token,
                "updated": created,
                "updated_by_member": by.member,
                "updated_by_token": by.token,
            }
            key = connection.execute(insert(drafts).values(values)).inserted_primary_key
        return int(key[0])  # type: ignore[index] # an insert of one row has a key

    def get(self, tenant: str, draft: int) -> MappingDraft | None:
        """Return a draft of a tenant by number, None if the tenant has none of that number."""
        with self._database.transaction() as connection:
            row = self._row(connection, tenant, draft)
        return None if row is None else _draft(row)

    def list(self, tenant: str) -> Sequence[MappingDraft]:
        """Return the open drafts of a tenant, the newest first."""
        drafts = tables.mapping_drafts
        query = _SELECT.where(tables.tenants.c.key == tenant, drafts.c.activated.is_(None))
        with self._database.transaction() as connection:
            return [_draft(row) for row in connection.execute(query.order_by(drafts.c.id.desc()))]

    def change(  # noqa: PLR0913 - which draft, what it becomes, and who changes which version of it
        self,
        tenant: str,
        draft: int,
        sources: Sources,
        by: Actor,
        *,
        version: int,
        key: str,
        base: Sources | None = None,
    ) -> None:
        """Change a draft, once for each `key` in a row; with a `base` it stands beside that mapping now.

        Raises `ActionRefusedError` if it has another version by now, or is open no more.
        """
        drafts = tables.mapping_drafts
        with self._database.transaction() as connection:
            row = self._row(connection, tenant, draft, lock=True)
            if row is not None and row.edit_key == key:
                return
            _check(row, version)
            values = {
                "sources": dump_sources(sources),
                **({} if base is None else {"base": dump_sources(base)}),
                "authors": sorted({*(row.authors if row else ()), *_members(connection, by)}),
                "version": version + 1,
                "edit_key": key,
                "updated": now(),
                "updated_by_member": by.member,
                "updated_by_token": by.token,
            }
            connection.execute(update(drafts).where(drafts.c.id == draft).values(values))

    def approve(self, tenant: str, draft: int, member: int, *, version: int, active: str) -> None:
        """Note that a member approves a version of a draft, beside the active mapping of a state.

        Raises as `change` does.
        """
        drafts = tables.mapping_drafts
        with self._database.transaction() as connection:
            _check(self._row(connection, tenant, draft, lock=True), version)
            values = {
                "approved": now(),
                "approved_by_member": member,
                "approved_version": version,
                "approved_beside": active,
            }
            connection.execute(update(drafts).where(drafts.c.id == draft).values(values))

    def set_forecast(self, tenant: str, draft: int, event: str, *, version: int) -> None:
        """Note the event of a dry run with a version of a draft."""
        drafts = tables.mapping_drafts
        with self._database.transaction() as connection:
            if self._row(connection, tenant, draft, lock=True) is not None:
                values = {"forecast_event": event, "forecast_version": version}
                connection.execute(update(drafts).where(drafts.c.id == draft).values(values))

    def record_activation(self, tenant: str, draft: int, by: Actor) -> None:
        """Note that a draft has become the active mapping."""
        drafts = tables.mapping_drafts
        with self._database.transaction() as connection:
            if self._row(connection, tenant, draft, lock=True) is not None:
                values = {
                    "activated": now(),
                    "activated_by_member": by.member,
                    "activated_by_token": by.token,
                }
                connection.execute(update(drafts).where(drafts.c.id == draft).values(values))

    def remove(self, tenant: str, draft: int) -> None:
        """Remove an open draft; one that is gone is gone."""
        drafts = tables.mapping_drafts
        with self._database.transaction() as connection:
            row = self._row(connection, tenant, draft, lock=True)
            if row is not None and row.activated is None:
                connection.execute(delete(drafts).where(drafts.c.id == draft))

    def _row(self, connection: Connection, tenant: str, draft: int, *, lock: bool = False) -> Row[Any] | None:
        query = _SELECT.where(tables.tenants.c.key == tenant, tables.mapping_drafts.c.id == draft)
        if lock:
            query = query.with_for_update(of=tables.mapping_drafts)
        return connection.execute(query).one_or_none()


def _members(connection: Connection, by: Actor) -> set[int]:
    """Return who works on a draft: the member, or the one whose program does."""
    tokens = tables.hub_api_tokens
    maker = (
        None
        if by.token is None
        else connection.scalar(select(tokens.c.member_id).where(tokens.c.id == by.token))
    )
    return {each for each in (by.member, maker) if each is not None}


def _check(row: Row[Any] | None, version: int) -> None:
    if row is None or row.activated is not None:
        raise ActionRefusedError(ActionRefusal.ENDED, "The draft is open no more.")
    if row.version != version:
        raise ActionRefusedError(
            ActionRefusal.CHANGED_MEANWHILE, "The draft was changed in the meantime: read it again."
        )


def _draft(row: Row[Any]) -> MappingDraft:
    has_end = row.activated is not None
    return MappingDraft(
        id=row.id,
        tenant=row.key,
        sources=restore_sources(row.sources),
        base=restore_sources(row.base),
        version=row.version,
        created=as_utc(row.created),
        created_by=Actor(member=row.created_by_member, token=row.created_by_token),
        updated=as_utc(row.updated),
        updated_by=Actor(member=row.updated_by_member, token=row.updated_by_token),
        forecast_event=row.forecast_event,
        forecast_version=row.forecast_version,
        releases=frozenset(map(Attribute, row.releases)),
        authors=frozenset(row.authors),
        approved=None if row.approved is None else as_utc(row.approved),
        approved_by=None if row.approved is None else Actor(member=row.approved_by_member),
        approved_version=row.approved_version,
        approved_beside=row.approved_beside,
        activated=as_utc(row.activated) if has_end else None,
        activated_by=Actor(member=row.activated_by_member, token=row.activated_by_token) if has_end else None,
    )
