"""Delivers notifications by mail and by signed webhooks, again and again until they are taken or given up."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import dataclass
from email.utils import format_datetime
from typing import TYPE_CHECKING, Any, Final

import structlog

from administration.notifications.links import link_to
from schemas.errors import TransientError
from schemas.hub.action import ActionRefusal, ActionRefusedError
from schemas.notifications.delivery import LEASE, Answer, AnswerKind, Channel, DeliveryStatus
from schemas.notifications.news import Event
from schemas.notifications.settings import OPERATORS
from schemas.timestamps import timestamp

if TYPE_CHECKING:
    from administration.notifications.senders import Senders
    from schemas.notifications.delivery import Delivery, Notification
    from schemas.notifications.settings import SavedSettings
    from store.store import Store

#: Deliveries that a process makes at a time; those that are left follow the next time.
_AT_ONCE: Final = 200

#: Tests that a page or a program sends by a channel within so long: each is a mail to all receivers.
MOST_TESTS: Final = 3
_TESTS_WITHIN: Final = dt.timedelta(minutes=10)

_NO_WAY: Final = (
    AnswerKind.NO_CONNECTION,
    AnswerKind.TIMEOUT,
    AnswerKind.NO_TLS,
    AnswerKind.SIGN_IN_REFUSED,
    AnswerKind.NOT_SET_UP,
)

_log = structlog.get_logger(__name__)


def deliver_due(now: dt.datetime, *, senders: Senders, store: Store) -> int:
    """Deliver what is due at the aware time `now`; return how many were taken.

    While the mail server, or a tenant's receiver, is away, the others are served, and it is not asked again
    for each of them. Raises `TransientError` (database).
    """
    away: dict[tuple[Channel, str], Answer] = {}
    sent = 0
    for number in store.notification_deliveries.due(now, _AT_ONCE):
        delivery = store.notification_deliveries.take(number, now)
        if delivery is None:
            continue
        way = _way(delivery)
        answer = away.get(way) or deliver(delivery, senders=senders, store=store)
        if answer.kind in _NO_WAY and not answer.is_final:
            away[way] = answer
        sent += answer.is_accepted
        _finish(delivery, answer, store=store)
    return sent


def deliver(delivery: Delivery, *, senders: Senders, store: Store) -> Answer:
    """Make one attempt at a delivery, and return what was answered."""
    saved = store.notification_settings.get(delivery.notification.audience)
    if delivery.channel is Channel.MAIL:
        return _send_mail(delivery, saved, senders)
    return _send_webhook(delivery.notification, saved, senders, store)


def _finish(delivery: Delivery, answer: Answer, *, store: Store) -> None:
    now = dt.datetime.now(dt.UTC)
    status = store.notification_deliveries.finish(delivery, answer, now)
    about = delivery.notification
    say = _log.info if answer.is_accepted else _log.warning
    say(
        "notification_delivery",
        # By its number 'notifications show' tells the address, which the log does not have.
        delivery=delivery.id,
        tenant=about.tenant,
        notification_event=str(about.event),
        kind=about.kind and str(about.kind),
        channel=str(delivery.channel),
        attempt=delivery.attempts,
        answer=answer.as_text(),
        given_up=status is DeliveryStatus.FAILED,
    )


def _way(delivery: Delivery) -> tuple[Channel, str]:
    """Return what two deliveries share if one of them fails because the other side is away."""
    is_mail = delivery.channel is Channel.MAIL
    return delivery.channel, "" if is_mail else delivery.notification.audience


def _send_mail(delivery: Delivery, saved: SavedSettings, senders: Senders) -> Answer:
    about, recipient = delivery.notification, delivery.recipient
    if recipient is None or not saved.settings.has_address(recipient):
        # It was taken out of the settings meanwhile.
        return Answer(kind=AnswerKind.NOT_SET_UP, is_final=True)
    if senders.mail is None:
        return Answer(kind=AnswerKind.NOT_SET_UP)
    try:
        message = senders.writer.write(about, saved.settings.language, link_to(about, senders.address))
    except TransientError:
        return Answer(kind=AnswerKind.NO_CONNECTION)
    domain = senders.mail.sender.rpartition("@")[2]
    message["From"], message["To"] = senders.mail.sender, recipient
    message["Date"] = format_datetime(dt.datetime.now(dt.UTC))
    # The same one however often it is tried: a mail program shows it once.
    message["Message-ID"] = f"<{about.uid}.{delivery.id}@{domain}>"
    message["Auto-Submitted"] = "auto-generated"  # RFC 3834: out-of-office programs do not answer
    return senders.mail.send(message, recipient)


def _send_webhook(about: Notification, saved: SavedSettings, senders: Senders, store: Store) -> Answer:
    url, secret = saved.settings.webhook_url, store.notification_settings.secret(saved.audience)
    if url is None or secret is None:
        return Answer(kind=AnswerKind.NOT_SET_UP, is_final=url is None)
    body = json.dumps(webhook_body(about, link_to(about, senders.address))).encode()
    return senders.webhooks.send(url, secret, f"msg_{about.uid}", body, dt.datetime.now(dt.UTC))


def webhook_body(about: Notification, link: str | None) -> dict[str, Any]:
    """Return what a webhook carries: ids, causes and counts, and no values (docs/json.md)."""
    kind = f".{about.kind}" if about.kind is not None else ""
    return {
        "type": f"{about.event}{kind}",
        "timestamp": timestamp(about.created),
        "data": {
            "tenant": about.tenant,
            "audience": "operators" if about.audience == OPERATORS else "tenant",
            "problems": [each.as_json() for each in about.problems],
            "link": link,
        },
    }


@dataclass(frozen=True, kw_only=True)
class TestAnswer:
    """What a receiver has answered to a test; of mail it has an address."""

    recipient: str | None
    answer: Answer


def check_tests(audience: str, channel: Channel, *, store: Store) -> None:
    """Raise `ActionRefusedError` if a page or a program has sent so many tests just now."""
    since = dt.datetime.now(dt.UTC) - _TESTS_WITHIN
    if store.notification_deliveries.tests_since(audience, channel, since) >= MOST_TESTS:
        message = f"{MOST_TESTS} tests were sent in the last ten minutes: wait a little."
        raise ActionRefusedError(ActionRefusal.TOO_MANY_TESTS, message)


def send_test(audience: str, channel: Channel, *, senders: Senders, store: Store) -> list[TestAnswer]:
    """Send a test to each receiver of a channel at once, and return what each has answered.

    It is noted among what was told. It is not tried again.
    """
    settings = store.notification_settings.get(audience).settings
    receivers: list[tuple[Channel, str | None]] = []
    if channel is Channel.MAIL:
        receivers = [(channel, each) for each in sorted(settings.addresses)]
    elif settings.webhook_url is not None:
        receivers = [(channel, None)]
    if not receivers:
        return []
    tenant = None if audience == OPERATORS else audience
    # Until then it is this call's: no other process takes it up.
    due = dt.datetime.now(dt.UTC) + LEASE
    answers = []
    for number in store.notification_outbox.add(audience, Event.TEST, receivers, tenant=tenant, due=due):
        delivery = store.notification_deliveries.take(number, due)
        if delivery is None:
            continue
        found = deliver(delivery, senders=senders, store=store)
        answers.append(TestAnswer(recipient=delivery.recipient, answer=found))
        _finish(delivery, Answer(kind=found.kind, code=found.code, is_final=True), store=store)
    return answers
