"""P8: the scheduler while the real PostgreSQL or the real RabbitMQ cannot be reached."""

from __future__ import annotations

import datetime as dt
import json
from contextlib import ExitStack, closing
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit, urlunsplit

import pika
import pytest
from structlog.testing import capture_logs

from devtools.chaos.proxy import Proxies, Proxy
from producers.schedule.policy import event_id
from producers.schedule.scheduler import Scheduler, run_forever
from queues.brokers.factory import open_broker
from schemas.crypto.encryption import FieldCipher, new_key
from schemas.messages.messages import TENANT_SYNC_QUEUE
from schemas.tenants.tenant import load_tenant
from store.store import Store
from tests.integration.cli.command_line import tenant_object

if TYPE_CHECKING:
    from collections.abc import Iterator

#: A moment after the tenant, which is added now, was due.
LATER: Final = dt.datetime.now(dt.UTC) + dt.timedelta(hours=2)
DUE: Final = LATER.replace(minute=0, second=0, microsecond=0)


class EndOfTestError(Exception):
    """Ends the scheduler's loop."""


class Place:
    """A scheduler between two doors, and what RabbitMQ was given."""

    def __init__(self, proxies: Proxies, amqp_url: str, database_url: str) -> None:
        self._amqp_url = amqp_url
        self.broker_door, through_amqp = _behind_a_door(proxies, amqp_url)
        self.database_door, through_database = _behind_a_door(proxies, database_url)
        self.store = Store(through_database, FieldCipher([new_key()]))
        self.broker = open_broker(through_amqp)
        self.scheduler = Scheduler(
            schedules=self.store.schedules,
            publish=self.broker.publish,
            proof=self.store.message_cipher.sign_trigger,
        )

    def triggers(self) -> list[str]:
        """Take all triggers from their queue; return their ids."""
        ids: list[str] = []
        with pika.BlockingConnection(pika.URLParameters(self._amqp_url)) as connection:
            channel = connection.channel()
            while True:
                method, _, body = channel.basic_get(TENANT_SYNC_QUEUE, auto_ack=True)
                if method is None:
                    return ids
                ids.append(json.loads(body)["message_id"])


def _behind_a_door(proxies: Proxies, url: str) -> tuple[Proxy, str]:
    parts = urlsplit(url)
    assert parts.hostname is not None
    assert parts.port is not None
    proxy = proxies.open(parts.hostname, parts.port)
    user, _, _ = parts.netloc.rpartition("@")
    return proxy, urlunsplit(parts._replace(netloc=f"{user}@127.0.0.1:{proxy.port}"))


@pytest.fixture
def place(amqp_url: str, database_url: str) -> Iterator[Place]:
    with ExitStack() as stack:
        made = Place(stack.enter_context(Proxies()), amqp_url, database_url)
        stack.enter_context(closing(made.store))
        stack.enter_context(closing(made.broker))
        made.store.upgrade()
        settings = tenant_object(schedule="0 * * * *", time_zone="UTC")
        made.store.tenants.add(*load_tenant("exempel", settings))
        yield made


@pytest.mark.parametrize("server", ["broker", "database"])
def test_an_outage_is_waited_for_and_what_was_due_is_triggered(place: Place, server: str) -> None:
    """P8: while a server is away the scheduler tries on and says so once; then what is due is triggered."""
    proxy: Proxy = getattr(place, f"{server}_door")
    proxy.shut()
    waits: list[float] = []

    def wait(seconds: float) -> None:
        waits.append(seconds)
        if len(waits) == 3:
            proxy.reopen()
        if len(waits) == 5:
            raise EndOfTestError

    with capture_logs() as said, pytest.raises(EndOfTestError):
        run_forever(place.scheduler.tick, clock=LATER.timestamp, wait=wait)

    assert place.triggers() == [event_id("exempel", DUE)]
    assert [(line["event"], line.get("service") or line["tenant"]) for line in said] == [
        ("service_unavailable", server),
        ("run_triggered", "exempel"),
        ("service_recovered", server),
    ]


def test_a_database_that_goes_away_after_publishing_makes_no_second_run(place: Place) -> None:
    """P4, P8: what was published and could not be noted is published again, under the same event id."""

    def publish(messages: Any) -> None:
        place.broker.publish(messages)
        place.database_door.shut()

    waits: list[float] = []

    def wait(seconds: float) -> None:
        waits.append(seconds)
        if len(waits) == 1:
            place.database_door.reopen()
        if len(waits) == 3:
            raise EndOfTestError

    forgetful = Scheduler(
        schedules=place.store.schedules, publish=publish, proof=place.store.message_cipher.sign_trigger
    )
    schedulers = iter([forgetful, place.scheduler, place.scheduler])

    def look(now: dt.datetime) -> None:
        next(schedulers).tick(now)

    with pytest.raises(EndOfTestError):
        run_forever(look, clock=LATER.timestamp, wait=wait)

    assert place.triggers() == [event_id("exempel", DUE)] * 2
