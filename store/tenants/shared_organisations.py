"""Several tenants with one organisation in Skolon: which of them keeps a Skolon user, by its receipts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import exists, select, update

from schemas.outcomes import VERIFYING_OUTCOMES, Mode, Outcome
from schemas.runs.collision import Collision
from store import tables

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from sqlalchemy import Connection

    from store.database import Database

#: After such an outcome an Entra user keeps no Skolon user any more.
_RELEASING: tuple[Outcome, ...] = (Outcome.NOT_FOUND, Outcome.OUT_OF_SCOPE)

_ORGANISATION = tables.tenants.c.settings["organisation"].as_string()
_IS_ENABLED = tables.tenants.c.settings["enabled"].as_boolean()


class SharedOrganisations:
    """Reads other tenants' receipts; may be shared by threads."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def keeper(self, sharing: Mapping[int, str], skolon_id: str) -> Collision | None:
        """Return the Entra user of another tenant that keeps a Skolon user, None if none does.

        `sharing` is that of the tenant's record. Nothing is asked unless another tenant is in it.
        """
        if not sharing:
            return None
        receipts, runs = tables.receipts, tables.runs
        newer, newer_runs = receipts.alias(), runs.alias()
        released = exists().where(
            newer.c.tenant_id == receipts.c.tenant_id,
            newer.c.entra_id == receipts.c.entra_id,
            newer.c.run_id > receipts.c.run_id,
            newer.c.outcome.in_(_RELEASING),
            newer_runs.c.id == newer.c.run_id,
            ~newer_runs.c.dry_run,
        )
        query = (
            select(receipts.c.tenant_id, receipts.c.entra_id)
            # By the runs: the unique index is on run and Skolon user.
            .join(runs, runs.c.id == receipts.c.run_id)
            .where(
                runs.c.tenant_id.in_(sharing),
                ~runs.c.dry_run,
                runs.c.mode != Mode.UNDO,
                receipts.c.skolon_id == skolon_id,
                receipts.c.outcome.in_(VERIFYING_OUTCOMES),
                ~released,
            )
            .order_by(receipts.c.run_id.desc())
            .limit(1)
        )
        with self._database.transaction() as connection:
            row = connection.execute(query).one_or_none()
        if row is None:
            return None
        return Collision(
            holder_entra_id=row.entra_id, skolon_id=skolon_id, holder_tenant=sharing[row.tenant_id]
        )


def sharing_tenants(connection: Connection, tenant_id: int, organisation: str) -> dict[int, str]:
    """Return the keys of the other enabled tenants with an organisation, by their ids."""
    tenants = tables.tenants
    query = select(tenants.c.id, tenants.c.key).where(
        organisation == _ORGANISATION, _IS_ENABLED, tenants.c.id != tenant_id
    )
    return {row.id: row.key for row in connection.execute(query)}


def renew_sharing(connection: Connection, key: str, organisations: Collection[str]) -> None:
    """Give the other tenants with these organisations a new version: who shares one has changed."""
    tenants = tables.tenants
    connection.execute(
        update(tenants)
        .where(_ORGANISATION.in_(organisations), tenants.c.key != key)
        .values(version=tenants.c.version + 1)
    )
