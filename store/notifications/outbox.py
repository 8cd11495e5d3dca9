"""What an audience was told, once for each cause however many processes look, and what is to be delivered."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final
from uuid import uuid4

from sqlalchemy import delete, func, insert, select, update

from schemas.notifications.delivery import Channel, DeliveryStatus
from schemas.notifications.news import Event, NewsKind, Told, problems_json, restore_problems
from store import tables
from store.timestamps import now

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from sqlalchemy import Connection

    from schemas.crypto.encryption import FieldCipher
    from schemas.notifications.news import Change, News
    from schemas.notifications.settings import SavedSettings
    from schemas.reports.remedy import Owner
    from store.database import Database

#: Any number that no other user of the database locks with; of several processes one looks at a time.
_LOCK: Final = 710_042_018

#: A receiver of a notification: the channel, and the address of mail.
Receiver = tuple[Channel, str | None]


class NotificationOutbox:
    """The tables of what was told and of what is told; may be shared by threads."""

    def __init__(self, database: Database, cipher: FieldCipher) -> None:
        self._database = database
        self._cipher = cipher

    @contextmanager
    def try_lock(self) -> Iterator[bool]:
        """Give True to one process at a time, and False to the others, until the block ends.

        What one has found out is then not older than what another one has told. SQLite's one writer cannot
        wait meanwhile: there each process gets True, and one installation has one.
        """
        if self._database.is_sqlite:
            yield True
            return
        with self._database.transaction() as connection:
            yield bool(connection.scalar(select(func.pg_try_advisory_xact_lock(_LOCK))))

    def tell(
        self,
        saved: SavedSettings,
        tenants: Sequence[str],
        decide: Callable[[str, Mapping[NewsKind, Told]], Change],
    ) -> int:
        """Have an audience told what `decide` says of each tenant, by what it was told before.

        Returns how much that is.         What is told, and that it is, is written together.
        """
        count = 0
        settings = tables.notification_settings
        mine = select(settings.c.audience).where(settings.c.audience == saved.audience).with_for_update()
        with self._database.transaction() as connection:
            if connection.scalar(mine) is None:
                return 0
            ids = _tenant_ids(connection, tenants)
            told = _told(connection, saved.audience)
            for tenant, tenant_id in ids.items():
                before = told.get(tenant_id, {})
                change = decide(tenant, before)
                _note(connection, saved.audience, tenant_id, before, change.told)
                for news in change.news:
                    self._add_news(connection, saved, tenant_id, news)
                count += len(change.news)
        return count

    def add(  # noqa: PLR0913 - what a notification is made of
        self,
        audience: str,
        event: Event,
        receivers: Sequence[Receiver],
        *,
        tenant: str | None = None,
        owner: Owner | None = None,
        users: int | None = None,
        due: dt.datetime | None = None,
    ) -> list[int]:
        """Note a notification for some receivers, and return the numbers of its deliveries.

        They are `due` at an aware time, or now.
        """
        with self._database.transaction() as connection:
            ids = _tenant_ids(connection, [] if tenant is None else [tenant])
            values = {
                "audience": audience,
                "tenant_id": None if tenant is None else ids[tenant],
                "event": event,
                "owner": owner,
                "facts": {"users": users},
            }
            return self._insert(connection, values, receivers, due or now())

    def prune(self, before: dt.datetime) -> None:
        """Delete what was told before the aware time."""
        notifications = tables.notifications
        with self._database.transaction() as connection:
            connection.execute(delete(notifications).where(notifications.c.created < before))

    def _add_news(self, connection: Connection, saved: SavedSettings, tenant_id: int, news: News) -> None:
        receivers: list[Receiver] = [(Channel.MAIL, each) for each in saved.settings.recipients]
        if saved.settings.webhook_url is not None:
            receivers.append((Channel.WEBHOOK, None))
        values = {
            "audience": saved.audience,
            "tenant_id": tenant_id,
            "event": news.event,
            "kind": news.kind,
            "facts": {"problems": problems_json(news.problems)},
        }
        self._insert(connection, values, receivers, now())

    def _insert(
        self,
        connection: Connection,
        values: dict[str, Any],
        receivers: Sequence[Receiver],
        due: dt.datetime,
    ) -> list[int]:
        made = {**values, "uid": uuid4().hex, "created": now()}
        key = connection.execute(insert(tables.notifications).values(made)).inserted_primary_key
        found = []
        for channel, recipient in receivers:
            delivery = {
                "notification_id": key[0],  # type: ignore[index] # an insert of one row has a key
                "channel": channel,
                "recipient": None if recipient is None else self._cipher.encrypt(recipient),
                "status": DeliveryStatus.WAITING,
                "attempts": 0,
                "at": due,
            }
            inserted = connection.execute(insert(tables.notification_deliveries).values(delivery))
            found.append(int(inserted.inserted_primary_key[0]))  # type: ignore[index] # as above
        return found


def _tenant_ids(connection: Connection, tenants: Sequence[str]) -> dict[str, int]:
    query = select(tables.tenants.c.key, tables.tenants.c.id).where(tables.tenants.c.key.in_(tenants))
    return {row.key: row.id for row in connection.execute(query)}


def _told(connection: Connection, audience: str) -> dict[int, dict[NewsKind, Told]]:
    told = tables.told_problems
    found: dict[int, dict[NewsKind, Told]] = {}
    for row in connection.execute(select(told).where(told.c.audience == audience)):
        known = Told(causes=frozenset(row.causes), problems=restore_problems(row.problems))
        found.setdefault(row.tenant_id, {})[NewsKind(row.kind)] = known
    return found


def _note(
    connection: Connection,
    audience: str,
    tenant_id: int,
    before: Mapping[NewsKind, Told],
    after: Mapping[NewsKind, Told],
) -> None:
    """Write what counts as told now; a kind that stays as it is is not written."""
    told = tables.told_problems
    for kind in {**before, **after}:
        is_row = told.c.audience == audience, told.c.tenant_id == tenant_id, told.c.kind == kind
        if kind not in after:
            connection.execute(delete(told).where(*is_row))
            continue
        problems = problems_json(after[kind].problems)
        values = {"causes": sorted(after[kind].causes), "problems": problems, "told_at": now()}
        if kind not in before:
            key = {"audience": audience, "tenant_id": tenant_id, "kind": kind}
            connection.execute(insert(told).values({**key, **values}))
        elif before[kind].causes != after[kind].causes or problems_json(before[kind].problems) != problems:
            connection.execute(update(told).where(*is_row).values(values))
