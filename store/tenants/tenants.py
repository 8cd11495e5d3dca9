"""Tenants: settings, and the client secret, which is sealed and never shown."""

from __future__ import annotations

from dataclasses import dataclass, field
from threading import Lock
from typing import TYPE_CHECKING, Any, Final

from cachetools import LRUCache
from sqlalchemy import delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from schemas.crypto.encryption import DecryptionError
from schemas.errors import UsageError
from schemas.hub.action import NO_ACTOR
from schemas.outcomes import OPEN_STATUSES
from schemas.tenants.mapping_fingerprint import mapping_fingerprint
from schemas.tenants.match_decision import MatchDecisions
from schemas.tenants.tenant import Credentials, Tenant, change_tenant, dump_tenant, restore_tenant
from store import tables
from store.encryption.scope_rules import decrypt_rules, encrypt_rules, names_all_rules, without_rules
from store.runs.delta_state import forget_delta_links
from store.tenants.connections import check_connected, check_tenant_version, is_other_connection
from store.tenants.failed_undos import load_failed_undos
from store.tenants.mapping_changes import record_mapping_change
from store.tenants.match_decisions import load_decisions
from store.tenants.schedule_pauses import check_version
from store.tenants.shared_organisations import renew_sharing, sharing_tenants
from store.tenants.skolon_capabilities import remove_without_tenant
from store.timestamps import as_utc, now

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Collection, Mapping, Sequence

    from sqlalchemy import Connection, Row

    from schemas.crypto.encryption import FieldCipher
    from schemas.hub.action import Actor
    from store.database import Database

#: How many tenants a process keeps at hand (promise P10).
KEPT: Final = 1000


@dataclass(frozen=True, kw_only=True)
class TenantRecord:
    """A tenant as it is stored; `version` grows with each change.

    `sharing` are the keys of the other enabled tenants with the same organisation, by their ids.
    `saved` are the saved settings of a run that tries others.
    """

    id: int
    version: int
    tenant: Tenant
    credentials: Credentials
    decisions: MatchDecisions = field(default_factory=MatchDecisions)
    sharing: Mapping[int, str] = field(default_factory=dict)
    saved: Tenant | None = None


@dataclass(frozen=True, kw_only=True)
class SecretOrigin:
    """When a client secret was set (aware), and by which user of the machine; None if that is unknown."""

    set_at: dt.datetime | None
    operator: str | None


class Tenants:
    """The tenants' table; may be shared by threads."""

    def __init__(self, database: Database, cipher: FieldCipher) -> None:
        self._database = database
        self._cipher = cipher
        self._kept: LRUCache[str, TenantRecord] = LRUCache(KEPT)
        self._lock = Lock()
        self._reading_locks: LRUCache[str, Lock] = LRUCache(KEPT)

    def add(self, tenant: Tenant, client_secret: str | None, *, operator: str | None = None) -> None:
        """Store a new tenant; raise `UsageError` when the key is taken.

        Without a client secret its connection to Entra is set up later. `operator` is the user of the machine
        who sets the secret, if known.
        """
        added = now()
        values = {
            "key": tenant.key,
            "settings": encrypt_rules(dump_tenant(tenant), self._cipher),
            "client_secret": self._cipher.encrypt(client_secret or ""),
            "version": 1,
            "created": added,
            "updated": added,
            "client_secret_set": added if client_secret else None,
            "client_secret_set_by": operator,
        }
        try:
            with self._database.transaction() as connection:
                connection.execute(insert(tables.tenants).values(values))
                renew_sharing(connection, tenant.key, {tenant.organisation})
        except IntegrityError:
            raise UsageError(f"There is a tenant '{tenant.key}' already; 'tenants set' changes it.") from None

    def change(  # noqa: PLR0913 - what is changed, by whom, and what it was
        self,
        key: str,
        changes: object,
        *,
        operator: str | None = None,
        seen_schedule: str | None = None,
        version: int | None = None,
        by: Actor = NO_ACTOR,
        approved_by: int | None = None,
    ) -> Tenant:
        """Change what `changes` names, as `tenants set --from` takes it; return the tenant as it is now.

        `operator` is the user of the machine who does it, if known, and `by` a member or a program of the
        Data Hub; member `approved_by` was the second person. Raises `ActionRefusedError` if the schedule
        is not as `seen_schedule` says, or the tenant has another `version` by now.
        """
        with self._database.transaction() as connection:
            row = self._row(connection, key, lock=True)
            check_version(row, seen_schedule)
            check_tenant_version(row, version)
            before, changed = self._before(row, changes), now()
            tenant, secret = change_tenant(before, changes)
            check_connected(row, tenant, secret)
            values: dict[str, Any] = {
                "settings": encrypt_rules(dump_tenant(tenant), self._cipher),
                "version": row.version + 1,
                "updated": changed,
                **_schedule_begins(before, tenant, changed),
            }
            if secret is not None or is_other_connection(before, tenant):
                values["connection_proven"] = None
            if secret is not None:
                values["client_secret"] = self._cipher.encrypt(secret)
                values |= {"client_secret_set": changed, "client_secret_set_by": operator}
            connection.execute(update(tables.tenants).where(tables.tenants.c.id == row.id).values(values))
            record_mapping_change(
                connection, row.id, before, tenant, by=by, operator=operator, approved_by=approved_by
            )
            if mapping_fingerprint(tenant) != mapping_fingerprint(before):
                forget_delta_links(connection, row.id)
            renew_sharing(connection, key, {before.organisation, tenant.organisation})
            remove_without_tenant(connection)
        return tenant

    def changed_at(self, key: str) -> dt.datetime:
        """Return when a tenant's settings were last changed (aware); raises as `get` does."""
        with self._database.transaction() as connection:
            return as_utc(self._row(connection, key).updated)

    def get(self, key: str) -> TenantRecord:
        """Return a tenant; raise `UsageError` when there is none of that key."""
        with self._database.transaction() as connection:
            return self._record(connection, self._row(connection, key))

    def settings(self, key: str) -> Tenant:
        """Return a tenant's settings, its secret left sealed; raises as `get` does.

        Raises `DecryptionError` when its scope has rules, and no key opens their values.
        """
        with self._database.transaction() as connection:
            return self._opened(self._row(connection, key))

    def outline(self, key: str) -> Tenant:
        """Return a tenant's settings but for the rules of its scope, so that no key is needed."""
        with self._database.transaction() as connection:
            return restore_tenant(key, without_rules(self._row(connection, key).settings))

    def secret_origin(self, key: str) -> SecretOrigin:
        """Return when and by whom the client secret was set; raises as `get` does."""
        with self._database.transaction() as connection:
            row = self._row(connection, key)
        return SecretOrigin(
            set_at=row.client_secret_set and as_utc(row.client_secret_set), operator=row.client_secret_set_by
        )

    def at_version(self, key: str, version: int, *, tenant_id: int | None = None) -> TenantRecord:
        """Return a tenant as of `version` or newer, from memory when it is at hand.

        `tenant_id` tells it from one of the same key that was removed: the versions of both begin with 1.
        """
        kept = self._kept_at(key, version, tenant_id)
        if kept is not None:
            return kept
        # All threads of a worker that starts ask at once: one of them reads the tenant.
        with self._reading(key):
            kept = self._kept_at(key, version, tenant_id)
            if kept is None:
                kept = self.get(key)
                with self._lock:
                    self._kept[key] = kept
            return kept

    def _kept_at(self, key: str, version: int, tenant_id: int | None) -> TenantRecord | None:
        with self._lock:
            kept = self._kept.get(key)
        if kept is None or kept.version < version:
            return None
        return kept if tenant_id in {None, kept.id} else None

    def _reading(self, key: str) -> Lock:
        """Return the lock under which one thread reads a tenant; the others wait for it."""
        with self._lock:
            return self._reading_locks.setdefault(key, Lock())

    def list(self) -> list[Tenant]:
        """Return all tenants by key; raises as `settings` does."""
        return [self._opened(row) for row in self._rows()]

    def keys(self) -> frozenset[str]:
        """Return the keys of all tenants."""
        with self._database.transaction() as connection:
            return frozenset(connection.scalars(select(tables.tenants.c.key)))

    def outlines(self, keys: Collection[str] | None = None) -> Sequence[Tenant]:
        """Return all tenants, or those that `keys` names, by key, each as `outline` does."""
        rows = self._rows(keys)
        for missing in sorted(set(keys or ()) - {row.key for row in rows}):
            raise _unknown(missing)
        return [restore_tenant(row.key, without_rules(row.settings)) for row in rows]

    def remove(self, key: str) -> None:
        """Remove a tenant with its runs and receipts; raise `UsageError` while a run of it is open."""
        with self._database.transaction() as connection:
            row = self._row(connection, key, lock=True)
            open_run = connection.scalar(
                select(tables.runs.c.id).where(
                    tables.runs.c.tenant_id == row.id, tables.runs.c.status.in_(OPEN_STATUSES)
                )
            )
            if open_run is not None:
                raise UsageError(f"Run {open_run} of tenant '{key}' is open: cancel it first.")
            connection.execute(delete(tables.tenants).where(tables.tenants.c.id == row.id))
            renew_sharing(connection, key, {row.settings["organisation"]})
            remove_without_tenant(connection)

    def _rows(self, keys: Collection[str] | None = None) -> Sequence[Row[Any]]:
        query = select(tables.tenants).order_by(tables.tenants.c.key)
        if keys is not None:
            query = query.where(tables.tenants.c.key.in_(keys))
        with self._database.transaction() as connection:
            return connection.execute(query).all()

    def _opened(self, row: Row[Any]) -> Tenant:
        return restore_tenant(row.key, decrypt_rules(row.settings, self._cipher))

    def _before(self, row: Row[Any], changes: object) -> Tenant:
        """Return a tenant that is to be changed; rules that no key opens can be replaced all the same."""
        try:
            return self._opened(row)
        except DecryptionError:
            if not names_all_rules(changes, row.settings):
                raise
            return restore_tenant(row.key, without_rules(row.settings))

    def _row(self, connection: Connection, key: str, *, lock: bool = False) -> Row[Any]:
        query = select(tables.tenants).where(tables.tenants.c.key == key)
        row = connection.execute(query.with_for_update() if lock else query).one_or_none()
        if row is None:
            raise _unknown(key)
        return row

    def _record(self, connection: Connection, row: Row[Any]) -> TenantRecord:
        tenant = self._opened(row)
        return TenantRecord(
            id=row.id,
            version=row.version,
            tenant=tenant,
            decisions=MatchDecisions.of(
                load_decisions(connection, row.id), load_failed_undos(connection, row.id)
            ),
            sharing=sharing_tenants(connection, row.id, tenant.organisation),
            credentials=Credentials(
                directory=tenant.entra_tenant_id,
                client_id=tenant.client_id,
                client_secret=self._cipher.decrypt(row.client_secret),
            ),
        )


def _unknown(key: str) -> UsageError:
    return UsageError(f"There is no tenant '{key}'; 'tenants list' shows those there are.")


def _schedule_begins(before: Tenant, after: Tenant, changed: dt.datetime) -> dict[str, Any]:
    """Return what a change means for what is due: nothing that was due before it is caught up."""
    if after.enabled and not before.enabled:
        # A trigger that came while the tenant was disabled became a dead letter: it is not awaited.
        return {"schedule_active_since": changed, "schedule_published": None}
    same = (after.schedule, after.time_zone) == (before.schedule, before.time_zone)
    return {} if same else {"schedule_active_since": changed}
