"""Several tenants with one organisation in Skolon: which of them keeps a Skolon user, by its receipts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import and_, exists, func, or_, select, update

from schemas.outcomes import VERIFYING_OUTCOMES, Mode, Outcome
from schemas.runs.collision import Collision
from schemas.runs.run import WarningKind
from store import tables

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from sqlalchemy import ColumnElement, Connection

    from store.database import Database

#: After such an outcome an Entra user keeps no Skolon user any more.
_RELEASING: tuple[Outcome, ...] = (Outcome.NOT_FOUND, Outcome.OUT_OF_SCOPE)

#: A worker has claimed the Skolon user and may have written it already.
_IS_BEING_WRITTEN = and_(
    tables.receipts.c.outcome == Outcome.PENDING, tables.receipts.c.claimed_at.is_not(None)
)

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
        receipts, runs = tables.receipts, tables.runs.alias()
        query = (
            select(receipts.c.tenant_id, receipts.c.entra_id)
            # By the runs: the unique index is on run and Skolon user.
            .join(runs, runs.c.id == receipts.c.run_id)
            .where(
                runs.c.tenant_id.in_(sharing),
                ~runs.c.dry_run,
                runs.c.mode != Mode.UNDO,
                receipts.c.skolon_id == skolon_id,
                or_(receipts.c.outcome.in_(VERIFYING_OUTCOMES), _IS_BEING_WRITTEN),
                ~or_(_is_released(), _is_unlisted()),
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


def _is_released() -> ColumnElement[bool]:
    """Say whether a newer receipt of the Entra user says that it left the Skolon user, or has another one."""
    receipts, newer, runs = tables.receipts, tables.receipts.alias(), tables.runs.alias()
    has_another = and_(newer.c.skolon_id != receipts.c.skolon_id, runs.c.mode != Mode.UNDO)
    return exists().where(
        newer.c.tenant_id == receipts.c.tenant_id,
        newer.c.entra_id == receipts.c.entra_id,
        newer.c.run_id > receipts.c.run_id,
        or_(newer.c.outcome.in_(_RELEASING), has_another),
        runs.c.id == newer.c.run_id,
        ~runs.c.dry_run,
        ~tables.is_in_doubt(newer, runs),
    )


def _is_unlisted() -> ColumnElement[bool]:
    """Say whether a newer complete list of the tenant's users lacked the Entra user, as no run had it since.

    A run that reads the list leaves no receipt of a user that Entra no longer lists. A list that ended short
    says nothing.
    """
    receipts, runs, warnings = tables.receipts, tables.runs, tables.run_warnings
    since, since_runs = receipts.alias(), runs.alias()
    was_short = exists().where(warnings.c.run_id == runs.c.id, warnings.c.kind == WarningKind.COUNT_DIFFERS)
    last_list = (
        select(func.max(runs.c.id))
        .where(
            runs.c.tenant_id == receipts.c.tenant_id,
            runs.c.id > receipts.c.run_id,
            tables.IS_COMPLETE_SYNC,
            ~was_short,
        )
        .correlate(receipts)
        .scalar_subquery()
    )
    had_since = exists().where(
        since.c.tenant_id == receipts.c.tenant_id,
        since.c.entra_id == receipts.c.entra_id,
        since.c.run_id >= last_list,
        since_runs.c.id == since.c.run_id,
        ~since_runs.c.dry_run,
        since_runs.c.mode != Mode.UNDO,
    )
    return and_(last_list.is_not(None), ~had_since)


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
