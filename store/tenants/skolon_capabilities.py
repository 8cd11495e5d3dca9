"""What was found out about Skolon's servers, for all processes: one row for each capability."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import and_, delete, exists, select, true
from sqlalchemy.dialects import postgresql, sqlite

from schemas.capability_finding import CapabilityFinding
from store import tables
from store.timestamps import as_utc, now

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from sqlalchemy import Connection

    from store.database import Database

_table = tables.skolon_capabilities


class SkolonCapabilities:
    """The capabilities' table; may be shared by threads.

    `server` is the base URL of all organisations: what holds for one does not for another. The methods do
    without the database's circuit breaker. They raise at once while it is away, because nothing depends on
    what they store.
    """

    def __init__(self, database: Database, server: str) -> None:
        self._database = database
        self._server = server

    def load(self, organisation: str) -> dict[str, CapabilityFinding]:
        """Return what was found out about an organisation's server, by the names of the capabilities."""
        query = select(_table).where(_table.c.server == self._server, _table.c.organisation == organisation)
        with self._database.unguarded_statement() as connection:
            rows = connection.execute(query).all()
        return {row.name: CapabilityFinding(value=row.value, found_at=as_utc(row.found_at)) for row in rows}

    def record(self, organisation: str, found: Mapping[str, Any]) -> None:
        """Store capabilities by name, each as JSON, with the present time."""
        dialect: Any = sqlite if self._database.is_sqlite else postgresql
        place, found_at = {"server": self._server, "organisation": organisation}, now()
        # In one order, so that two processes do not wait for each other.
        rows = [
            {**place, "name": name, "value": value, "found_at": found_at}
            for name, value in sorted(found.items())
        ]
        insert = dialect.insert(_table).values(rows)
        with self._database.unguarded_statement() as connection:
            connection.execute(
                insert.on_conflict_do_update(
                    index_elements=list(_table.primary_key),
                    set_={"value": insert.excluded.value, "found_at": insert.excluded.found_at},
                )
            )

    def forget(self, organisation: str, names: Collection[str] = ()) -> None:
        """Remove what was found out about an organisation's server; only `names`, if there are any."""
        is_named = _table.c.name.in_(names) if names else true()
        with self._database.unguarded_statement() as connection:
            connection.execute(
                delete(_table).where(
                    _table.c.server == self._server, _table.c.organisation == organisation, is_named
                )
            )


def remove_without_tenant(connection: Connection) -> None:
    """Remove the capabilities of organisations that no tenant has any more."""
    organisation = tables.tenants.c.settings["organisation"].as_string()
    connection.execute(delete(_table).where(~exists().where(and_(organisation == _table.c.organisation))))
