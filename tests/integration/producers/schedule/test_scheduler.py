"""Schedules kept in one process, from the tenant's setting to its run: deaths, outages, halts."""

from __future__ import annotations

import datetime as dt
from contextlib import closing
from typing import TYPE_CHECKING, Any, Final

import pytest
from sqlalchemy import update
from structlog.testing import capture_logs

from producers.resume import resume_run
from producers.schedule.scheduler import Scheduler
from producers.tenant_sync import RunStarter
from queues.brokers.factory import open_memory_broker
from schemas.crypto.encryption import FieldCipher, new_key
from schemas.dead_letter_reasons import Reason
from schemas.errors import Dependency, NotYetError, PermanentError, TransientError
from schemas.messages.messages import SyncRequest
from schemas.outcomes import Cause, Mode, Status
from schemas.tenants.tenant import load_tenant
from store import tables
from store.store import Store
from tests.integration.cli.command_line import tenant_object

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from queues.interfaces import Message

MINUTE: Final = dt.timedelta(minutes=1)
DAY: Final = dt.timedelta(days=1)

#: The moment in which the tests happen, and a schedule that was due five minutes before.
NOW: Final = dt.datetime.now(dt.UTC)
DUE: Final = (NOW - 5 * MINUTE).replace(second=0, microsecond=0)
DAILY: Final = f"{DUE.minute} {DUE.hour} * * *"


class DiedError(Exception):
    """A scheduler was killed."""


class House:
    """A database, a queue, and a producer that takes triggers when it is told to."""

    def __init__(self, url: str) -> None:
        self.store = Store(url, FieldCipher([new_key()]))
        self.broker = open_memory_broker()
        self.queue: list[Message[Any]] = []
        self.scheduler = Scheduler(
            schedules=self.store.schedules,
            publish=self.queue.extend,
            proof=self.store.message_cipher.sign_trigger,
        )
        self.starter = RunStarter(store=self.store, publisher=self.broker)

    def add(self, key: str = "exempel", *, since: dt.datetime = NOW - 30 * DAY, **settings: Any) -> None:
        """Add a tenant with a daily schedule, as if that had been at `since`."""
        given = tenant_object(**{"schedule": DAILY, "time_zone": "UTC", **settings})
        self.store.tenants.add(*load_tenant(key, given))
        self.edit(key, schedule_active_since=since)

    def edit(self, key: str, **columns: Any) -> None:
        with self.store.database.transaction() as connection:
            connection.execute(update(tables.tenants).where(tables.tenants.c.key == key).values(columns))

    def look(self, now: dt.datetime = NOW) -> list[tuple[str, dt.datetime, Mode]]:
        return [(each.tenant, each.due, each.mode) for each in self.scheduler.tick(now)]

    def take(self) -> None:
        """Have a producer take all triggers; one that has to wait for an open run stays in the queue."""
        waiting = []
        for message in self.queue:
            try:
                self.starter.start(message.message_id, (), dict(message.kwargs))
            except NotYetError:
                waiting.append(message)
        self.queue[:] = waiting
        # It happens at `NOW`, however long ago that is by the machine's clock.
        with self.store.database.transaction() as connection:
            connection.execute(update(tables.runs).where(tables.runs.c.started > NOW).values(started=NOW))

    def complete(self, run: int) -> None:
        """Complete a run that found no user."""
        self.store.runs.finish_reading(run)
        assert self.store.runs.complete_if_done(run)

    def runs(self) -> list[tuple[int, Mode, Status]]:
        return [(each.run.id, each.run.mode, each.run.status) for each in reversed(self.store.runs.list())]


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    made = House(f"sqlite:///{tmp_path / 'house.sqlite'}")
    with closing(made.store):
        made.store.upgrade()
        yield made


def test_a_due_time_becomes_a_run_once(house: House) -> None:
    """What is due is published once, said in a line, and becomes a run: the first one full, then deltas."""
    house.add()
    with capture_logs() as said:
        assert house.look() == [("exempel", DUE, Mode.FULL)]
        assert house.look(NOW + MINUTE) == []
    assert [(line["event"], line["tenant"], line["mode"]) for line in said] == [
        ("run_triggered", "exempel", "full")
    ]
    house.take()
    house.complete(1)
    assert house.look(NOW + DAY) == [("exempel", DUE + DAY, Mode.DELTA)]
    house.take()
    assert house.runs() == [(1, Mode.FULL, Status.COMPLETED), (2, Mode.DELTA, Status.READING)]


def test_a_scheduler_that_died_after_publishing_triggers_one_run(house: House) -> None:
    """P4: killed between publishing and noting it, it publishes the same event again: one run."""
    house.add()

    def publish_and_die(messages: Sequence[Message[Any]]) -> None:
        house.queue.extend(messages)
        raise DiedError

    with pytest.raises(DiedError):
        Scheduler(
            schedules=house.store.schedules,
            publish=publish_and_die,
            proof=house.store.message_cipher.sign_trigger,
        ).tick(NOW)
    assert house.look() == [("exempel", DUE, Mode.FULL)]
    assert len(house.queue) == 2
    house.take()
    assert house.runs() == [(1, Mode.FULL, Status.READING)]


def test_a_scheduler_that_stands_by_triggers_nothing_more(house: House) -> None:
    """What one scheduler has published, another one does not."""
    house.add()
    house.look()
    assert (
        Scheduler(
            schedules=house.store.schedules,
            publish=house.queue.extend,
            proof=house.store.message_cipher.sign_trigger,
        ).tick(NOW)
        == []
    )
    assert len(house.queue) == 1


def test_what_rabbitmq_did_not_take_is_published_later(house: House) -> None:
    """P8: while RabbitMQ is away nothing is noted, and afterwards everything is triggered."""
    house.add()
    house.add("other")

    def refuse(_: Sequence[Message[Any]]) -> None:
        raise TransientError(Dependency.BROKER, "made up")

    with pytest.raises(TransientError):
        Scheduler(
            schedules=house.store.schedules, publish=refuse, proof=house.store.message_cipher.sign_trigger
        ).tick(NOW)
    assert house.look(NOW + MINUTE) == [("exempel", DUE, Mode.FULL), ("other", DUE, Mode.FULL)]


def test_a_halted_tenant_waits_for_a_person_and_goes_on_by_itself(house: House) -> None:
    """P7: while a run is halted nothing is triggered, which is said once; resumed, it is triggered again."""
    house.add()
    house.add("other")
    house.look()
    house.take()
    house.store.runs.halt(1, Cause.ENTRA_CREDENTIALS, "made up")
    with capture_logs() as said:
        for days in (1, 2, 3):
            found = house.look(NOW + days * DAY)
            assert [tenant for tenant, _, _ in found] == ["other"]
            house.take()
    held = [line for line in said if line["log_level"] == "warning"]
    assert [(line["tenant"], line["run"], line["cause"]) for line in held] == [
        ("exempel", 1, "entra_credentials")
    ]
    resume_run(1, store=house.store, publisher=house.broker)
    assert house.look(NOW + 3 * DAY) == [("exempel", DUE + 3 * DAY, Mode.FULL)]
    house.take()
    assert [status for run, _, status in house.runs() if run == 1] == [Status.READING]
    assert len(house.runs()) == 2


def test_a_run_that_was_cancelled_holds_nobody_back(house: House) -> None:
    """Once the halted run is cancelled, the latest due time is caught up."""
    house.add()
    house.look()
    house.take()
    house.store.runs.halt(1, Cause.GUARD_EXCEEDED, "made up")
    assert house.look(NOW + DAY) == []
    house.store.runs.cancel(1)
    assert house.look(NOW + DAY + MINUTE) == [("exempel", DUE + DAY, Mode.FULL)]


def test_triggers_do_not_pile_up_behind_a_run_that_does_something_else(house: House) -> None:
    """While a trigger waits for its turn no second one is published; then the next due time counts again."""
    house.add(schedule="* * * * *")
    house.store.triggers.open(SyncRequest(tenant="exempel", dry_run=True), "by hand")
    published = []
    for minutes in range(10):
        published += house.look(NOW + minutes * MINUTE)
        house.take()
    assert len(published) == len(house.queue) == 1
    house.store.runs.cancel(1)
    house.take()
    house.complete(2)
    assert len(house.look(NOW + 10 * MINUTE)) == 1


def test_disabled_tenants_and_those_without_a_schedule_are_left_alone(house: House) -> None:
    """Nothing is published for them."""
    house.add("disabled", enabled=False)
    house.add("manual", schedule=None)
    assert house.look() == []


def test_what_was_due_before_the_schedule_is_not_caught_up(house: House) -> None:
    """A tenant that was added five minutes too late has its first run tomorrow."""
    house.add(since=NOW)
    assert house.look() == []
    assert house.look(NOW + DAY) == [("exempel", DUE + DAY, Mode.FULL)]


def test_one_tenants_fault_stops_nobody(house: House) -> None:
    """P7: a stored schedule that is none is said once, and the others' runs are triggered."""
    house.add("broken")
    house.add("whole")
    settings = {**tenant_object(schedule="at night"), "time_zone": "UTC", "enabled": True}
    house.edit("broken", settings=settings)
    with capture_logs() as said:
        assert [tenant for tenant, _, _ in house.look()] == ["whole"]
        assert house.look() == []
    faults = [line for line in said if line["log_level"] == "warning"]
    assert [(line["event"], line["tenant"]) for line in faults] == [("invalid_schedule", "broken")]


def test_nobody_takes_the_place_of_a_scheduled_run(house: House) -> None:
    """P7: ids of scheduled events can be guessed; without our proof they open nothing."""
    house.add()
    house.look()
    (message,) = house.queue
    fields = {name: value for name, value in message.kwargs.items() if name != "proof"}
    data = {"tenant": "exempel", "dry_run": True}
    event = {"specversion": "1.0", "id": message.message_id, "source": "/x", "data": data}
    forgeries: list[dict[str, object]] = [
        {**fields, "dry_run": True},
        {**message.kwargs, "dry_run": True},
        {**message.kwargs, "mode": "delta"},
        {"event": {**event, "type": "com.skolon.tenant-sync.requested"}},
    ]
    for forged in forgeries:
        with pytest.raises(PermanentError) as caught:
            house.starter.start(message.message_id, (), forged)
        assert caught.value.reason is Reason.INVALID_TRIGGER
    assert house.store.triggers.find_run(message.message_id) is None
    house.take()
    run = house.store.triggers.find_run(message.message_id)
    assert run is not None
    assert not run.dry_run
