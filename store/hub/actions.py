"""Actions of the Data Hub by their keys, so that none is carried out twice."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import and_, delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from schemas.errors import UsageError
from schemas.hub.action import ActionRefusal, ActionRefusedError, BegunAction
from store import tables
from store.hub.audit import record_event
from store.timestamps import as_utc, now

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sqlalchemy import ColumnElement, Connection

    from schemas.hub.action import Action, Actor
    from store.database import Database

#: How long a key is known: longer than a page stays open, or a program tries again.
_KEPT: Final = dt.timedelta(days=30)

#: After so long the process that carried an action out is taken for dead.
_UNDER_WAY: Final = dt.timedelta(minutes=1)


class HubActions:
    """The actions' table; may be shared by threads."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def begin(self, action: Action, actor: Actor) -> BegunAction:
        """Note that an action begins, and record it in the audit; the second time it is known already.

        Raises `ActionRefusedError` if its key belongs to another action.
        """
        try:
            with self._database.transaction() as connection:
                known = self._known(connection, action)
                return known or self._insert(connection, action, actor)
        except IntegrityError:
            # Begun by another request in the same moment.
            with self._database.transaction() as connection:
                return self._known(connection, action) or BegunAction(is_new=False, is_under_way=True)

    def is_known(self, tenant: str, key: str) -> bool:
        """Say whether an action of a tenant has this key."""
        actions, tenants = tables.hub_actions, tables.tenants
        query = select(actions.c.audit_id).join(tenants, tenants.c.id == actions.c.tenant_id)
        with self._database.transaction() as connection:
            found = connection.scalar(query.where(tenants.c.key == tenant, actions.c.action_key == key))
        return found is not None

    def result(self, tenant: str, key: str) -> Mapping[str, Any] | None:
        """Return the answer of an action of a tenant; None if it is not done, or there is none."""
        actions, tenants = tables.hub_actions, tables.tenants
        query = select(actions.c.result).join(tenants, tenants.c.id == actions.c.tenant_id)
        with self._database.transaction() as connection:
            found: Mapping[str, Any] | None = connection.scalar(
                query.where(tenants.c.key == tenant, actions.c.action_key == key)
            )
        return found

    def finish(self, action: Action, result: Mapping[str, Any]) -> None:
        """Note that an action is done, and its answer."""
        self._change(action, done=now(), result=dict(result))

    def release(self, action: Action) -> None:
        """Have an action that failed carried out again when it is asked for again; the audit keeps it."""
        self._change(action, begun=now() - _UNDER_WAY)

    def withdraw(self, action: Action) -> None:
        """Forget an action that was refused, so that nothing was done: the audit does not have it either."""
        actions, audit = tables.hub_actions, tables.hub_audit
        with self._database.transaction() as connection:
            is_action = _is(connection, action)
            audit_id = connection.scalar(select(actions.c.audit_id).where(is_action))
            connection.execute(delete(actions).where(is_action))
            connection.execute(delete(audit).where(audit.c.id == audit_id))

    def _known(self, connection: Connection, action: Action) -> BegunAction | None:
        actions = tables.hub_actions
        row = connection.execute(select(actions).where(_is(connection, action))).one_or_none()
        if row is None:
            return None
        if row.digest != action.digest:
            raise ActionRefusedError(
                ActionRefusal.KEY_REUSED, "The key was used for something else: use a new one."
            )
        if row.done is not None:
            return BegunAction(is_new=False, result=row.result)
        moment = now()
        if as_utc(row.begun) > moment - _UNDER_WAY:
            return BegunAction(is_new=False, is_under_way=True)
        taken = connection.execute(
            update(actions)
            .where(_is(connection, action), actions.c.begun == row.begun, actions.c.done.is_(None))
            .values(begun=moment)
        )
        return BegunAction(is_new=False, is_under_way=not taken.rowcount)

    def _insert(self, connection: Connection, action: Action, actor: Actor) -> BegunAction:
        actions, moment = tables.hub_actions, now()
        connection.execute(delete(actions).where(actions.c.begun < moment - _KEPT))
        audit = record_event(
            connection,
            action.kind,
            member=actor.member,
            token=actor.token,
            tenant=action.tenant,
            run=action.run,
            event=action.event,
            user=action.user,
            skolon_id=action.skolon_id,
            reason=action.reason,
            users=action.users,
            mapping=action.mapping,
        )
        tenants = tables.tenants
        tenant_id = connection.scalar(select(tenants.c.id).where(tenants.c.key == action.tenant))
        if tenant_id is None:
            raise UsageError("There is no tenant of this name.")
        values = {
            "tenant_id": tenant_id,
            "action_key": action.key,
            "digest": action.digest,
            "audit_id": audit,
            "begun": moment,
        }
        connection.execute(insert(actions).values(values))
        return BegunAction(is_new=True)

    def _change(self, action: Action, **values: Any) -> None:
        with self._database.transaction() as connection:
            connection.execute(update(tables.hub_actions).where(_is(connection, action)).values(values))


def _is(connection: Connection, action: Action) -> ColumnElement[bool]:
    actions, tenants = tables.hub_actions, tables.tenants
    tenant_id = connection.scalar(select(tenants.c.id).where(tenants.c.key == action.tenant))
    return and_(actions.c.tenant_id == tenant_id, actions.c.action_key == action.key)
