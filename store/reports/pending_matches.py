"""The matches of a tenant that wait for a decision, out of its receipts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import Select, and_, exists, or_, select

from schemas.dead_letter_reasons import Reason
from schemas.details.detail import from_stored
from schemas.outcomes import NotFoundReason, Outcome
from schemas.reports.pending_match import MATCH_REASONS, PendingMatch, PendingMatches
from store import tables
from store.receipts.collisions import collision_of
from store.reports.failing_since import failing_since
from store.reports.users import full_run
from store.timestamps import as_utc

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Sequence

    from sqlalchemy import Row

    from store.database import Database


class PendingMatchReports:
    """Reads receipts; may be shared by threads."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def load(
        self, tenant: str, *, entra_id: str | None = None, skolon_id: str | None = None, limit: int | None
    ) -> PendingMatches:
        """Return a tenant's pending matches, at most `limit`: of one Entra user or one Skolon user, if named.

        They are those of the last complete run of all users and of newer runs: an Entra user that it did not
        list is gone.
        """
        with self._database.transaction() as connection:
            tenant_id = connection.scalar(select(tables.tenants.c.id).where(tables.tenants.c.key == tenant))
            query = _query(tenant_id, since=full_run(connection, tenant_id) or 0)
            if entra_id is not None:
                query = query.where(tables.receipts.c.entra_id == entra_id)
            rows = connection.execute(query).all()
            users = [] if tenant_id is None else [(tenant_id, row.entra_id) for row in rows]
            since = {user: moment for (_, user), moment in failing_since(connection, users).items()}
            found = (_pending(row, since.get(row.entra_id)) for row in rows)
            matches = [each for each in found if skolon_id is None or skolon_id in each.skolon_ids]
        return PendingMatches(count=len(matches), matches=matches[:limit])

    def affected_users(
        self, tenant: str, *, entra_id: str | None = None, skolon_id: str | None = None
    ) -> Sequence[str]:
        """Return the Entra users, by id, whose match a decision about these two users may change.

        They wait for the Skolon user, or for one that is kept for the Entra user, or a decision excludes the
        Skolon user. The runs are those of `load`.
        """
        with self._database.transaction() as connection:
            tenant_id = connection.scalar(select(tables.tenants.c.id).where(tables.tenants.c.key == tenant))
            since = full_run(connection, tenant_id) or 0
            rows = connection.execute(_query(tenant_id, since=since, with_excluded=True)).all()
        return [
            row.entra_id
            for row in rows
            if row.entra_id != entra_id
            and (
                (skolon_id is not None and skolon_id in _skolon_ids(row))
                or (
                    entra_id is not None
                    and row.holder_tenant is None
                    and row.contested_attribute is None
                    and (row.holder_entra_id or "").lower() == entra_id.lower()
                )
            )
        ]


def _query(tenant_id: int | None, *, since: int, with_excluded: bool = False) -> Select[Any]:
    """Return the query for receipts that no newer one settles: matches that wait for a decision.

    With `with_excluded` also those of users that matched nothing but Skolon users that a decision excludes.
    """
    receipts, runs = tables.receipts, tables.runs
    other, other_runs = tables.receipts.alias(), tables.runs.alias()
    settled = exists().where(
        other.c.tenant_id == tenant_id,
        other.c.entra_id == receipts.c.entra_id,
        other.c.run_id != receipts.c.run_id,
        other.c.outcome.not_in((Outcome.PENDING, Outcome.SUPERSEDED)),
        other_runs.c.id == other.c.run_id,
        other_runs.c.dry_run.is_(False),
        tables.outranks(other, other_runs, receipts, runs),
    )
    waits = and_(receipts.c.reason.in_(MATCH_REASONS), receipts.c.outcome == Outcome.DEAD_LETTERED)
    excluded = receipts.c.not_found_reason == NotFoundReason.EXCLUDED_BY_DECISION
    columns = [
        receipts.c[name]
        for name in (
            "entra_id",
            "run_id",
            "reason",
            "detail",
            "candidate_skolon_ids",
            "holder_entra_id",
            "contested_skolon_id",
            "holder_tenant",
            "contested_attribute",
            "published_at",
            "finished_at",
        )
    ]
    return (
        select(*columns)
        .join(runs, runs.c.id == receipts.c.run_id)
        .where(
            runs.c.tenant_id == tenant_id,
            runs.c.id >= since,
            runs.c.dry_run.is_(False),
            or_(waits, excluded) if with_excluded else waits,
            ~settled,
        )
        .order_by(receipts.c.entra_id)
    )


def _pending(row: Row[Any], since: dt.datetime | None) -> PendingMatch:
    collision = collision_of(row)
    return PendingMatch(
        entra_id=row.entra_id,
        run=row.run_id,
        reason=Reason(row.reason),
        detail=from_stored(row.detail),
        skolon_ids=_skolon_ids(row),
        collision=collision,
        since=since or as_utc(row.finished_at or row.published_at),
    )


def _skolon_ids(row: Row[Any]) -> tuple[str, ...]:
    """Return the Skolon users that may be the user of a receipt."""
    collision = collision_of(row)
    return (collision.skolon_id,) if collision else tuple(row.candidate_skolon_ids or ())
