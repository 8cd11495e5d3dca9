"""A tenant's connection to Entra: what is set up of it, and whether a test has proven it."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import select, update

from schemas.errors import UsageError
from schemas.hub.action import ActionRefusal, ActionRefusedError
from schemas.tenants.tenant import restore_tenant
from store import tables
from store.encryption.scope_rules import without_rules
from store.timestamps import as_utc, now

if TYPE_CHECKING:
    import datetime as dt

    from sqlalchemy import Connection, Row

    from schemas.tenants.tenant import Tenant
    from store.database import Database


@dataclass(frozen=True, kw_only=True)
class TenantConnection:
    """A tenant without the rules of its scope, and what is known of its connection.

    `secret_set` says when the client secret was set, None if there is none; `proven` when a test was last
    right, None if the connection was changed since. Both are aware. `version` grows with each change of the
    tenant.
    """

    tenant: Tenant
    version: int
    secret_set: dt.datetime | None
    proven: dt.datetime | None

    @property
    def has_app(self) -> bool:
        """Whether the directory and the app are entered."""
        return bool(self.tenant.entra_tenant_id and self.tenant.client_id)

    @property
    def is_complete(self) -> bool:
        """Whether all is entered, rightly or not."""
        return self.has_app and self.secret_set is not None

    @property
    def state(self) -> str:
        """A digest of what the forms about the connection may change, to see whether it has changed since."""
        tenant, expires = self.tenant, self.tenant.client_secret_expires
        what = [tenant.entra_tenant_id, tenant.client_id, str(expires), str(self.secret_set), tenant.enabled]
        return hashlib.sha256(json.dumps(what).encode()).hexdigest()[:16]


class TenantConnections:
    """What the tenants' table has of connections; may be shared by threads. It reads no secret."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def get(self, key: str) -> TenantConnection:
        """Return a tenant's connection; raise `UsageError` when there is no such tenant."""
        with self._database.transaction() as connection:
            return _connection(_row(connection, key))

    def record_proof(self, key: str, state: str) -> None:
        """Note that a test was right just now, unless the connection has another state by now."""
        tenants = tables.tenants
        with self._database.transaction() as connection:
            row = _row(connection, key, lock=True)
            if _connection(row).state == state:
                is_row = tenants.c.id == row.id
                connection.execute(update(tenants).where(is_row).values(connection_proven=now()))


def check_tenant_version(row: Row[Any], version: int | None) -> None:
    """Raise `ActionRefusedError` if a tenant has another version than the one that is meant, if one is."""
    if version is not None and row.version != version:
        raise ActionRefusedError(
            ActionRefusal.CHANGED_MEANWHILE, "The settings were changed in the meantime: read them again."
        )


def check_connected(row: Row[Any], tenant: Tenant, secret: str | None) -> None:
    """Raise `ActionRefusedError` if a tenant would be enabled whose connection is not set up."""
    has_secret = secret is not None or row.client_secret_set is not None
    if tenant.enabled and not (tenant.entra_tenant_id and tenant.client_id and has_secret):
        raise ActionRefusedError(
            ActionRefusal.NOT_SET_UP,
            f"Tenant '{tenant.key}' has no connection to Entra yet: set its directory, client id and secret.",
        )


def is_other_connection(before: Tenant, after: Tenant) -> bool:
    """Say whether a change may have made a test of the connection worthless."""
    return (before.entra_tenant_id, before.client_id, before.organisation) != (
        after.entra_tenant_id,
        after.client_id,
        after.organisation,
    )


def _connection(row: Row[Any]) -> TenantConnection:
    return TenantConnection(
        tenant=restore_tenant(row.key, without_rules(row.settings)),
        version=row.version,
        secret_set=row.client_secret_set and as_utc(row.client_secret_set),
        proven=row.connection_proven and as_utc(row.connection_proven),
    )


def _row(connection: Connection, key: str, *, lock: bool = False) -> Row[Any]:
    query = select(tables.tenants).where(tables.tenants.c.key == key)
    row = connection.execute(query.with_for_update() if lock else query).one_or_none()
    if row is None:
        raise UsageError(f"There is no tenant '{key}'.")
    return row
