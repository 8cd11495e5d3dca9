"""A schedule that is paused: from the setting to what a scheduler and a producer do, in one process."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import pytest
from structlog.testing import capture_logs

from administration.tenants.next_run import next_run
from administration.tenants.status import tenant_statuses
from schemas.outcomes import Mode
from schemas.tenants.tenant_status import ProblemKind
from tests.integration.producers.schedule.test_scheduler import DAY, DUE, MINUTE, NOW, House

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    made = House(f"sqlite:///{tmp_path / 'pauses.sqlite'}")
    made.store.upgrade()
    yield made
    made.store.close()


def test_no_scheduled_run_starts_until_the_pause_ends_by_itself(house: House) -> None:
    """What was due before is not made up for; the next due time after the end starts a run."""
    house.add()
    house.store.schedule_pauses.pause("exempel", NOW + 2 * DAY, "Renaming accounts", operator="ada")
    assert [house.look(NOW + days * DAY) for days in range(3)] == [[], [], []]
    assert house.look(DUE + 3 * DAY) == [("exempel", DUE + 3 * DAY, Mode.FULL)]


def test_a_pause_that_is_ended_makes_up_for_nothing(house: House) -> None:
    """The run that was due five minutes ago waits for its next time."""
    house.add()
    pauses = house.store.schedule_pauses
    pauses.pause("exempel", NOW + 2 * DAY, "Renaming accounts", operator="ada")
    pauses.end("exempel")
    assert house.look(NOW + MINUTE) == []
    assert house.look(DUE + DAY) == [("exempel", DUE + DAY, Mode.FULL)]


def test_a_trigger_that_waits_in_the_queue_starts_nothing_during_a_pause(house: House) -> None:
    """It is dropped, which the log says; no problem is made of it, and the next one counts."""
    house.add()
    assert house.look()
    house.store.schedule_pauses.pause("exempel", NOW + DAY / 2, "Renaming accounts", operator="ada")
    with capture_logs() as lines:
        house.take()
    assert [line["event"] for line in lines] == ["scheduled_trigger_dropped"]
    assert (house.queue, house.store.runs.list("exempel")) == ([], [])
    (status,) = tenant_statuses(["exempel"], store=house.store, now=NOW + DAY / 4)
    assert status.pause is not None
    assert status.next_due == DUE + DAY
    assert ProblemKind.RUN_NOT_STARTED not in [each.kind for each in status.problems]
    assert house.look(DUE + DAY) == [("exempel", DUE + DAY, Mode.FULL)]


def test_other_tenants_and_runs_by_hand_are_not_paused(house: House) -> None:
    """A pause is of one schedule alone."""
    house.add()
    house.add("annan", organisation="annan")
    house.store.schedule_pauses.pause("exempel", NOW + DAY, "Renaming accounts", operator="ada")
    assert [tenant for tenant, _, _ in house.look()] == ["annan"]
    house.starter.start("by-hand", (), {"tenant": "exempel"})
    assert [each.run.tenant for each in house.store.runs.list("exempel")] == ["exempel"]


def test_the_next_run_is_told_after_the_pause(house: House) -> None:
    """Also one that is due at the very end of it."""
    house.add()
    house.store.schedule_pauses.pause("exempel", DUE + 2 * DAY, "Renaming accounts", operator="ada")
    found = next_run("exempel", house.store, NOW)
    assert found is not None
    assert found.pause is not None
    assert found.due is not None
    assert (found.due.at, found.pause.until, found.pause.reason) == (
        DUE + 2 * DAY,
        DUE + 2 * DAY,
        "Renaming accounts",
    )
    later = next_run("exempel", house.store, DUE + 2 * DAY + MINUTE)
    assert later is not None
    assert later.pause is None


def test_a_pause_is_no_change_of_the_settings(house: House) -> None:
    """A halted run does not ask because of it; the reason is stored encrypted."""
    house.add()
    before = house.store.tenants.changed_at("exempel"), house.store.tenants.get("exempel").version
    house.store.schedule_pauses.pause("exempel", NOW + DAY, "Renaming accounts", operator="ada")
    assert (house.store.tenants.changed_at("exempel"), house.store.tenants.get("exempel").version) == before
    pause = house.store.schedule_pauses.setting("exempel", NOW + dt.timedelta(hours=1)).pause
    assert pause is not None
    assert pause.reason == "Renaming accounts"
    (column,) = [
        each
        for each in house.store.encrypted_values.status()
        if each.column == "tenants.schedule_pause_reason"
    ]
    assert sum(column.ages.values()) == 1
