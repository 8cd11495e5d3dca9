"""A short part of the fault suite: the main kinds of faults, in the middle of a run (docs/reliability.md)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from devtools.chaos.fault_types import FaultType
from devtools.chaos.rounds import run_round
from devtools.chaos.schedule import Event, Schedule
from devtools.servers import Servers

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PEOPLE = 250


def event(kind: FaultType, at: float, *, seconds: float = 0.0, times: int = 1, variant: str = "") -> Event:
    return Event(at=at, fault=kind, seconds=seconds, times=times, variant=variant, place=0.3)


SCHEDULE = Schedule(
    seed=1,
    events=(
        event(FaultType.KILL_PRODUCER, 0.0),
        event(FaultType.GRAPH_THROTTLED, 0.0, seconds=10.0, times=3, variant="0.4"),
        event(FaultType.KILL_BEFORE_PATCH, 0.1, variant="lost"),
        event(FaultType.SKOLON_DOWN, 0.2, seconds=4.0),
        event(FaultType.KILL_AFTER_PATCH, 0.3),
        event(FaultType.DATABASE_KILL, 0.4, seconds=1.0),
        event(FaultType.KILL_AFTER_RECEIPT, 0.5),
        event(FaultType.BROKER_KILL, 0.6),
        event(FaultType.SKOLON_ERROR, 0.7, seconds=3.0, times=10, variant="503"),
    ),
)


@pytest.fixture(scope="module")
def servers(rabbitmq: object, postgresql: object) -> Iterator[Servers]:
    """Have servers that may be killed; the fixtures asked for leave the test out where there can be none."""
    assert rabbitmq
    assert postgresql
    with Servers() as started:
        yield started


def test_a_run_comes_through_faults(servers: Servers, tmp_path: Path) -> None:
    """P2, P3, P4, P8: all outcomes, Skolon and the dead letters are as without the faults."""
    found = run_round(servers, SCHEDULE, tmp_path / "round", people=PEOPLE)

    assert found.surprises == []
    assert (found.lost, found.wrong, found.outage_dead_letters) == (0, 0, 0)
    assert found.published == PEOPLE
    # On a fast machine the run may end before the last faults come, but not before the first.
    assert len(found.missed) < len(SCHEDULE.events) / 2
