"""A schedule that is due, without anybody having waited for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from devtools.commands import update_sync

if TYPE_CHECKING:
    from collections.abc import Mapping

    from devtools.services.postgresql import PostgreSQL


def make_due(postgresql: PostgreSQL, database_url: str, tenant: str, *, env: Mapping[str, str]) -> None:
    """Have a tenant's run due by an hourly schedule, as if the tenant had had that for two hours."""
    done = update_sync("tenants", "set", tenant, "--schedule", "0 * * * *", env=env)
    assert done.returncode == 0, done.stderr
    with postgresql.connect(database_url) as connection:
        connection.execute(
            "UPDATE tenants SET schedule_active_since = schedule_active_since - interval '2 hours'"
            " WHERE key = %s",
            [tenant],
        )
