"""Pauses of schedules: until when no scheduled run starts, why, and who said so."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

from sqlalchemy import select, update

from schemas.crypto.encryption import DecryptionError
from schemas.errors import UsageError
from schemas.hub.action import ActionRefusal, ActionRefusedError
from schemas.tenants.schedule_state import SchedulePause, ScheduleSetting
from store import tables
from store.timestamps import as_utc, now

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Collection

    from sqlalchemy import Connection, Row

    from schemas.crypto.encryption import FieldCipher
    from store.database import Database


class SchedulePauses:
    """What pauses the schedules of tenants; may be shared by threads.

    A pause is no change of the settings: a halted run does not ask because of it.
    """

    def __init__(self, database: Database, cipher: FieldCipher) -> None:
        self._database = database
        self._cipher = cipher

    def setting(self, tenant: str, moment: dt.datetime) -> ScheduleSetting:
        """Return a tenant's schedule, with the pause in force at the aware `moment`.

        Raises `UsageError` if there is no such tenant.
        """
        with self._database.transaction() as connection:
            row = _row(connection, tenant)
        return ScheduleSetting(
            schedule=row.settings["schedule"],
            time_zone=row.settings["time_zone"],
            pause=self._pause(row, moment),
            version=schedule_version(row),
        )

    def in_force(
        self, moment: dt.datetime, tenants: Collection[str] | None = None
    ) -> dict[str, SchedulePause]:
        """Return the pauses in force at the aware `moment`, of some tenants or of all, by key."""
        query = select(tables.tenants).where(tables.tenants.c.schedule_paused_until > moment)
        if tenants is not None:
            query = query.where(tables.tenants.c.key.in_(tenants))
        with self._database.transaction() as connection:
            rows = connection.execute(query).all()
        return {row.key: pause for row in rows if (pause := self._pause(row, moment)) is not None}

    def is_paused(self, tenant: str, moment: dt.datetime) -> bool:
        """Say whether no scheduled run of a tenant starts at the aware `moment`."""
        return bool(self.in_force(moment, [tenant]))

    def pause(
        self,
        tenant: str,
        until: dt.datetime,
        reason: str,
        *,
        operator: str | None,
        seen: str | None = None,
    ) -> None:
        """Start no scheduled run until the aware time `until`; another pause ends by that.

        `seen` is the version that was looked at. Raises `ActionRefusedError` if it is another one now.
        """
        self._change(
            tenant,
            seen,
            schedule_paused_until=until,
            schedule_paused_since=now(),
            schedule_pause_reason=self._cipher.encrypt(reason),
            schedule_paused_by=operator,
        )

    def end(self, tenant: str, *, seen: str | None = None) -> None:
        """End a pause now; what was due up to now is not caught up. Raises as `pause` does."""
        # The end is kept: the scheduler goes by it, as after one that has come by itself.
        self._change(tenant, seen, schedule_paused_until=now(), schedule_pause_reason=None)

    def _change(self, tenant: str, seen: str | None, **values: Any) -> None:
        with self._database.transaction() as connection:
            row = _row(connection, tenant, lock=True)
            check_version(row, seen)
            connection.execute(update(tables.tenants).where(tables.tenants.c.id == row.id).values(values))

    def _pause(self, row: Row[Any], moment: dt.datetime) -> SchedulePause | None:
        until = row.schedule_paused_until and as_utc(row.schedule_paused_until)
        if until is None or until <= moment:
            return None
        return SchedulePause(
            since=as_utc(row.schedule_paused_since),
            until=until,
            reason=self._reason(row.schedule_pause_reason),
            operator=row.schedule_paused_by,
        )

    def _reason(self, encrypted: str | None) -> str | None:
        try:
            return encrypted and self._cipher.decrypt(encrypted)
        except DecryptionError:
            # Some commands need no keys.
            return None


def schedule_version(row: Row[Any]) -> str:
    """Return the version of a tenant's schedule and pause, by its row."""
    until = row.schedule_paused_until and as_utc(row.schedule_paused_until).isoformat()
    parts = [row.settings["schedule"], row.settings["time_zone"], until]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:16]


def check_version(row: Row[Any], seen: str | None) -> None:
    """Raise `ActionRefusedError` if the schedule of a row is not the one that was `seen`, if any was."""
    if seen is not None and seen != schedule_version(row):
        message = "The schedule was changed meanwhile: look at it again."
        raise ActionRefusedError(ActionRefusal.CHANGED_MEANWHILE, message)


def _row(connection: Connection, tenant: str, *, lock: bool = False) -> Row[Any]:
    query = select(tables.tenants).where(tables.tenants.c.key == tenant)
    row = connection.execute(query.with_for_update() if lock else query).one_or_none()
    if row is None:
        raise UsageError(f"There is no tenant '{tenant}'; 'tenants list' shows those there are.")
    return row
