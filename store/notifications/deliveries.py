"""Deliveries of notifications: taken up by one process at a time, tried again, and shown."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import func, select, update

from schemas.notifications.delivery import (
    LEASE,
    Answer,
    Channel,
    Delivery,
    DeliveryStatus,
    next_attempt,
    restore_notification,
)
from schemas.notifications.news import Event, NewsKind
from schemas.reports.remedy import Owner
from store import tables
from store.timestamps import as_utc

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Sequence

    from sqlalchemy import Row, Select

    from schemas.crypto.encryption import FieldCipher
    from store.database import Database


class NotificationDeliveries:
    """The deliveries' table; may be shared by threads."""

    def __init__(self, database: Database, cipher: FieldCipher) -> None:
        self._database = database
        self._cipher = cipher

    def due(self, now: dt.datetime, limit: int) -> Sequence[int]:
        """Return the numbers of deliveries that are due at the aware time `now`, the longest due first."""
        deliveries = tables.notification_deliveries
        query = (
            select(deliveries.c.id)
            .where(deliveries.c.status == DeliveryStatus.WAITING, deliveries.c.at <= now)
            .order_by(deliveries.c.at, deliveries.c.id)
            .limit(limit)
        )
        with self._database.transaction() as connection:
            return connection.scalars(query).all()

    def take(self, delivery: int, now: dt.datetime) -> Delivery | None:
        """Take a delivery up at the aware time `now`; None if another process has it.

        If the process dies, another one takes it up after a while: the notification's `uid` tells a
        receiver that it is the same one.
        """
        deliveries = tables.notification_deliveries
        is_due = (
            deliveries.c.id == delivery,
            deliveries.c.status == DeliveryStatus.WAITING,
            deliveries.c.at <= now,
        )
        with self._database.transaction() as connection:
            taken = connection.execute(
                update(deliveries).where(*is_due).values(attempts=deliveries.c.attempts + 1, at=now + LEASE)
            )
            if not taken.rowcount:
                return None
            return self._delivery(connection.execute(_SELECT.where(deliveries.c.id == delivery)).one())

    def finish(self, delivery: Delivery, answer: Answer, now: dt.datetime) -> DeliveryStatus:
        """Note the answer to an attempt at the aware time `now`, and when the next one follows."""
        again = None if answer.is_accepted or answer.is_final else next_attempt(delivery.attempts, now)
        status = DeliveryStatus.WAITING
        if answer.is_accepted:
            status = DeliveryStatus.SENT
        elif again is None:
            status = DeliveryStatus.FAILED
        self._set(delivery, status=status, answer=answer.as_text(), at=again or now)
        return status

    def drop(self, delivery: Delivery, now: dt.datetime) -> None:
        """Note that a delivery is not wanted any more."""
        self._set(delivery, status=DeliveryStatus.DROPPED, at=now)

    def list(self, audience: str, *, limit: int = 50) -> list[Delivery]:
        """Return the last deliveries to an audience, and those of the last test by each channel.

        The newest are first. However many tests there were, they take no other's place.
        """
        deliveries, notifications = tables.notification_deliveries, tables.notifications
        is_mine, is_test = notifications.c.audience == audience, notifications.c.event == Event.TEST
        last_tests = (
            select(func.max(notifications.c.id))
            .join(deliveries, deliveries.c.notification_id == notifications.c.id)
            .where(is_mine, is_test)
            .group_by(deliveries.c.channel)
        )
        told = _SELECT.where(is_mine, ~is_test).order_by(deliveries.c.id.desc()).limit(limit)
        tests = _SELECT.where(notifications.c.id.in_(last_tests))
        with self._database.transaction() as connection:
            rows = [*connection.execute(told), *connection.execute(tests)]
        return [self._delivery(row) for row in sorted(rows, key=lambda row: int(row.id), reverse=True)]

    def tests_since(self, audience: str, channel: Channel, since: dt.datetime) -> int:
        """Return how many tests an audience has sent by a channel since the aware time."""
        deliveries, notifications = tables.notification_deliveries, tables.notifications
        query = (
            select(func.count(notifications.c.id.distinct()))
            .join(deliveries, deliveries.c.notification_id == notifications.c.id)
            .where(
                notifications.c.audience == audience,
                notifications.c.event == Event.TEST,
                notifications.c.created >= since,
                deliveries.c.channel == channel,
            )
        )
        with self._database.transaction() as connection:
            return connection.scalar(query) or 0

    def _set(self, delivery: Delivery, **values: Any) -> None:
        deliveries = tables.notification_deliveries
        # An attempt that another process has taken over has its answer from there.
        is_mine = deliveries.c.id == delivery.id, deliveries.c.attempts == delivery.attempts
        with self._database.transaction() as connection:
            connection.execute(update(deliveries).where(*is_mine).values(values))

    def _delivery(self, row: Row[Any]) -> Delivery:
        return Delivery(
            id=row.id,
            channel=Channel(row.channel),
            status=DeliveryStatus(row.status),
            attempts=row.attempts,
            at=as_utc(row.at),
            recipient=None if row.recipient is None else self._cipher.decrypt(row.recipient),
            answer=None if row.answer is None else Answer.from_text(row.answer),
            notification=restore_notification(
                row.facts,
                uid=row.uid,
                audience=row.audience,
                event=Event(row.event),
                created=as_utc(row.created),
                tenant=row.key,
                tenant_name="" if row.settings is None else row.settings["name"],
                kind=row.kind and NewsKind(row.kind),
                owner=row.owner and Owner(row.owner),
            ),
        )


def _select() -> Select[Any]:
    deliveries, notifications, tenants = (
        tables.notification_deliveries,
        tables.notifications,
        tables.tenants,
    )
    return (
        select(
            deliveries,
            notifications.c.uid,
            notifications.c.audience,
            notifications.c.event,
            notifications.c.kind,
            notifications.c.owner,
            notifications.c.facts,
            notifications.c.created,
            tenants.c.key,
            tenants.c.settings,
        )
        .join(notifications, notifications.c.id == deliveries.c.notification_id)
        .join(tenants, tenants.c.id == notifications.c.tenant_id, isouter=True)
    )


_SELECT = _select()
