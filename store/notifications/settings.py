"""Settings of notifications, by audience; the addresses and the secret are encrypted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import insert, or_, select, update
from sqlalchemy.exc import IntegrityError

from schemas.errors import UsageError
from schemas.hub.action import ActionRefusal, ActionRefusedError
from schemas.notifications.settings import (
    OPERATORS,
    NotificationSettings,
    SavedSettings,
    Weekday,
    changed_settings,
)
from schemas.reports.remedy import Language, Owner
from store import tables
from store.timestamps import as_utc, now

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Collection, Mapping

    from sqlalchemy import Connection, Row

    from schemas.crypto.encryption import FieldCipher
    from schemas.notifications.settings import Faults
    from store.database import Database


class NotificationSettingsStore:
    """The settings' table; may be shared by threads."""

    def __init__(self, database: Database, cipher: FieldCipher) -> None:
        self._database = database
        self._cipher = cipher

    def get(self, audience: str) -> SavedSettings:
        """Return the settings of an audience: what holds by itself where nothing is saved."""
        query = select(tables.notification_settings).where(
            tables.notification_settings.c.audience == audience
        )
        with self._database.transaction() as connection:
            row = connection.execute(query).one_or_none()
        if row is None:
            return SavedSettings(audience=audience, settings=NotificationSettings())
        return self._saved(row)

    def active(self) -> list[SavedSettings]:
        """Return the settings of all audiences that are told of anything."""
        with self._database.transaction() as connection:
            rows = connection.execute(select(tables.notification_settings)).all()
        found = [self._saved(row) for row in rows]
        return [each for each in found if each.settings.tells_problems or each.settings.addresses]

    def change(self, audience: str, changes: Mapping[str, Any], *, seen: str | None = None) -> Faults:
        """Change what `changes` names, unless it has faults, which are returned.

        `seen` is the state that was looked at. Raises `ActionRefusedError` if it is another one now and not
        what is wanted, and `UsageError` without such a tenant.
        """
        settings = tables.notification_settings
        with self._database.transaction() as connection:
            row = _locked(connection, audience, self._cipher)
            saved = self._saved(row)
            after, faults = changed_settings(saved.settings, changes)
            if faults or after == saved.settings:
                return faults
            if seen is not None and seen != saved.state:
                raise ActionRefusedError(
                    ActionRefusal.CHANGED_MEANWHILE, "The settings were changed meanwhile: read them again."
                )
            values = {**_values(after, self._cipher), "updated": now()}
            if after.repair_day is not saved.settings.repair_day or row.repair_sent is None:
                # The first list comes on the next such day, and not at once.
                values["repair_sent"] = now()
            if after.webhook_url is None:
                values |= {"webhook_secret": None, "webhook_secret_set": None}
            connection.execute(update(settings).where(settings.c.audience == audience).values(values))
        return {}

    def set_secret(self, audience: str, secret: str) -> None:
        """Have webhooks signed with a secret from now on; raises `UsageError` without such a tenant."""
        settings = tables.notification_settings
        with self._database.transaction() as connection:
            _locked(connection, audience, self._cipher)
            values = {
                "webhook_secret": self._cipher.encrypt(secret),
                "webhook_secret_set": now(),
                "updated": now(),
            }
            connection.execute(update(settings).where(settings.c.audience == audience).values(values))

    def secret(self, audience: str) -> str | None:
        """Return the secret that webhooks are signed with, None if there is none."""
        settings = tables.notification_settings
        query = select(settings.c.webhook_secret).where(settings.c.audience == audience)
        with self._database.transaction() as connection:
            found: str | None = connection.scalar(query)
        return None if found is None else self._cipher.decrypt(found)

    def unconfirmed_days(self, tenants: Collection[str] | None) -> dict[str, int | None]:
        """Return after how many days without a confirmed user a tenant needs a person.

        Of the tenants that have said so, among some or of all; it needs no key.
        """
        settings = tables.notification_settings
        query = select(settings.c.audience, settings.c.unconfirmed_days)
        if tenants is not None:
            query = query.where(settings.c.audience.in_(tenants))
        with self._database.transaction() as connection:
            return {row.audience: row.unconfirmed_days for row in connection.execute(query)}

    def begin_repair_lists(self, audience: str, due: dt.datetime) -> bool:
        """Note that the lists of a due time are being sent; False if another process has done so."""
        settings = tables.notification_settings
        is_open = or_(settings.c.repair_sent.is_(None), settings.c.repair_sent < due)
        with self._database.transaction() as connection:
            taken = connection.execute(
                update(settings).where(settings.c.audience == audience, is_open).values(repair_sent=due)
            )
        return bool(taken.rowcount)

    def _saved(self, row: Row[Any]) -> SavedSettings:
        repair: dict[str, list[str]] = self._cipher.decrypt_json(row.repair_recipients)
        return SavedSettings(
            audience=row.audience,
            secret_set=row.webhook_secret_set and as_utc(row.webhook_secret_set),
            settings=NotificationSettings(
                recipients=tuple(self._cipher.decrypt_json(row.recipients)),
                webhook_url=None if row.webhook_url is None else self._cipher.decrypt(row.webhook_url),
                most_failed=row.most_failed,
                unconfirmed_days=row.unconfirmed_days,
                quiet_from=row.quiet_from,
                quiet_to=row.quiet_to,
                language=Language(row.language),
                repair_day=row.repair_day and Weekday(row.repair_day),
                repair_recipients={Owner(owner): tuple(found) for owner, found in repair.items()},
            ),
        )


def _values(settings: NotificationSettings, cipher: FieldCipher) -> dict[str, Any]:
    repair = {str(owner): list(found) for owner, found in settings.repair_recipients.items()}
    return {
        "recipients": cipher.encrypt_json(list(settings.recipients)),
        "webhook_url": None if settings.webhook_url is None else cipher.encrypt(settings.webhook_url),
        "most_failed": settings.most_failed,
        "unconfirmed_days": settings.unconfirmed_days,
        "quiet_from": settings.quiet_from,
        "quiet_to": settings.quiet_to,
        "language": str(settings.language),
        "repair_day": settings.repair_day and str(settings.repair_day),
        "repair_recipients": cipher.encrypt_json(repair),
    }


def _locked(connection: Connection, audience: str, cipher: FieldCipher) -> Row[Any]:
    """Return the row of an audience, made if there is none, and locked until the end of the transaction."""
    settings, tenants = tables.notification_settings, tables.tenants
    tenant_id = None
    if audience != OPERATORS:
        tenant_id = connection.scalar(select(tenants.c.id).where(tenants.c.key == audience))
        if tenant_id is None:
            raise UsageError(f"There is no tenant '{audience}'; 'tenants list' shows those there are.")
    query = select(settings).where(settings.c.audience == audience).with_for_update()
    row = connection.execute(query).one_or_none()
    if row is None:
        values = {
            "audience": audience,
            "tenant_id": tenant_id,
            "updated": now(),
            **_values(NotificationSettings(), cipher),
        }
        try:
            with connection.begin_nested():
                connection.execute(insert(settings).values(values))
        except IntegrityError:
            # Made by another process in the same moment.
            pass
        row = connection.execute(query).one()
    return row
