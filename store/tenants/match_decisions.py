"""Administrators' decisions about matches. They belong to the tenant's record: a change renews the record."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, insert, or_, select, update
from sqlalchemy.exc import IntegrityError

from schemas.errors import UsageError
from schemas.hub.action import ActionRefusal, ActionRefusedError
from schemas.tenants.match_decision import DecisionKind, MatchDecision
from store import tables
from store.runs.unresolved_users import mark_unresolved
from store.tenants.failed_undos import end_by_decision, renew_tenant
from store.timestamps import as_utc, now

if TYPE_CHECKING:
    from collections.abc import Collection

    from sqlalchemy import ColumnElement, Connection, Row, Update

    from store.database import Database


class MatchDecisionStore:
    """The decisions' table; may be shared by threads. `Tenants` loads them with the tenant's record.

    All methods raise `UsageError` when there is no tenant of that key.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def list(self, tenant: str) -> list[MatchDecision]:
        """Return the decisions of a tenant, the newest first."""
        with self._database.transaction() as connection:
            return load_decisions(connection, _tenant_id(connection, tenant))

    def add(  # noqa: PLR0913 - what is decided, whose decision it is, and which users it is about
        self,
        tenant: str,
        kind: DecisionKind,
        *,
        entra_id: str | None = None,
        skolon_id: str | None = None,
        operator: str | None = None,
        affected: Collection[str] = (),
    ) -> None:
        """Store a decision; raise `UsageError` if there is one about either user.

        `affected` are the Entra users whose match it is about. The next delta run reads them again. An undo
        that failed for either user waits no more: this is what it waited for.
        """
        values = {
            "kind": kind,
            "entra_id": entra_id and entra_id.lower(),
            "skolon_id": skolon_id,
            "operator": operator,
            "decided_at": now(),
            "affected_entra_ids": list(affected),
        }
        try:
            with self._database.transaction() as connection:
                tenant_id = _tenant_id(connection, tenant)
                connection.execute(insert(tables.match_decisions).values(tenant_id=tenant_id, **values))
                end_by_decision(connection, tenant_id, entra_id=entra_id, skolon_id=skolon_id)
                renew_tenant(connection, tenant_id)
                mark_unresolved(connection, tenant_id, affected, is_sqlite=self._database.is_sqlite)
        except IntegrityError:
            message = "There is a decision about this user already: 'matches forget' first."
            raise ActionRefusedError(ActionRefusal.DECIDED, message) from None

    def remove(self, tenant: str, decision: MatchDecision, *, affected: Collection[str] = ()) -> bool:
        """Take a decision back; False if it is gone already.

        The `affected` Entra users are read again by the next delta run. What runs wrote because of it is
        noted in their receipts, for an undo.
        """
        decisions = tables.match_decisions
        with self._database.transaction() as connection:
            tenant_id = _tenant_id(connection, tenant)
            removed = connection.execute(
                delete(decisions).where(
                    decisions.c.tenant_id == tenant_id,
                    decisions.c.entra_id.is_not_distinct_from(decision.entra_id),
                    decisions.c.skolon_id.is_not_distinct_from(decision.skolon_id),
                )
            )
            renew_tenant(connection, tenant_id)
            connection.execute(_forget(tenant_id, decision, affected))
            mark_unresolved(connection, tenant_id, affected, is_sqlite=self._database.is_sqlite)
        return bool(removed.rowcount)

    def release(
        self,
        tenant: str,
        *,
        entra_id: str | None = None,
        skolon_id: str | None = None,
        affected: Collection[str] = (),
    ) -> bool:
        """Have users synced again for whom an undo failed; False if there is no such undo any more.

        They are the Entra user, or those of the Skolon user. The next delta run reads the `affected` ones.
        """
        with self._database.transaction() as connection:
            tenant_id = _tenant_id(connection, tenant)
            released = end_by_decision(connection, tenant_id, entra_id=entra_id, skolon_id=skolon_id)
            renew_tenant(connection, tenant_id)
            mark_unresolved(connection, tenant_id, affected, is_sqlite=self._database.is_sqlite)
        return released

    def other_tenant(self, tenant: str, organisation: str, skolon_id: str) -> str | None:
        """Return another tenant of the organisation with a decision about a Skolon user, or None."""
        tenants, decisions = tables.tenants, tables.match_decisions
        query = (
            select(tenants.c.key)
            .join(decisions, decisions.c.tenant_id == tenants.c.id)
            .where(
                decisions.c.skolon_id == skolon_id,
                tenants.c.key != tenant,
                tenants.c.settings["organisation"].as_string() == organisation,
            )
            .limit(1)
        )
        with self._database.transaction() as connection:
            return connection.scalar(query)


def load_decisions(connection: Connection, tenant_id: int) -> list[MatchDecision]:
    """Return the decisions of a tenant, the newest first."""
    decisions = tables.match_decisions
    query = select(decisions).where(decisions.c.tenant_id == tenant_id).order_by(decisions.c.id.desc())
    return [_decision(row) for row in connection.execute(query)]


def _forget(tenant_id: int, decision: MatchDecision, affected: Collection[str]) -> Update:
    """Return the statement that notes in receipts that the decision behind their changes was taken back."""
    receipts = tables.receipts
    users = {*decision.affected, decision.entra_id or ""} - {""}
    is_led_to: ColumnElement[bool] = receipts.c.entra_id.in_(users)
    if decision.kind is DecisionKind.LINK:
        # What the linked user had before is another Skolon user's.
        is_led_to &= or_(receipts.c.entra_id != decision.entra_id, receipts.c.skolon_id == decision.skolon_id)
    return (
        update(receipts)
        .where(receipts.c.tenant_id == tenant_id, is_led_to, receipts.c.claimed_at >= decision.decided_at)
        .values(forgotten_link_users=list(affected))
    )


def _tenant_id(connection: Connection, tenant: str) -> int:
    found: int | None = connection.scalar(select(tables.tenants.c.id).where(tables.tenants.c.key == tenant))
    if found is None:
        raise UsageError(f"There is no tenant '{tenant}'; 'tenants list' shows those there are.")
    return found


def _decision(row: Row[Any]) -> MatchDecision:
    return MatchDecision(
        kind=DecisionKind(row.kind),
        entra_id=row.entra_id,
        skolon_id=row.skolon_id,
        operator=row.operator,
        decided_at=as_utc(row.decided_at),
        affected=tuple(row.affected_entra_ids),
    )
