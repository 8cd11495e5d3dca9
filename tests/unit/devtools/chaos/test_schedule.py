"""Schedules follow from their seed."""

from __future__ import annotations

import pytest

from devtools.chaos.fault_types import FAULT_PARAMETERS, FaultType
from devtools.chaos.runner import CARRY_OUT
from devtools.chaos.schedule import FAULTS, make_schedule, round_seed

SEEDS = range(1, 201)


def test_the_same_seed_is_the_same_schedule() -> None:
    """A round can be run again: its schedule follows from its seed alone."""
    for seed in SEEDS:
        assert make_schedule(seed) == make_schedule(seed)


def test_different_seeds_are_different_schedules() -> None:
    """Rounds differ from each other."""
    assert len({make_schedule(seed) for seed in SEEDS}) == len(SEEDS)


def test_a_round_is_run_again_alone_by_its_own_seed() -> None:
    """The first round of an invocation has the invocation's seed, so any round's seed makes it the first."""
    for number in range(1, 51):
        alone = round_seed(7, number)
        assert round_seed(alone, 1) == alone
    assert len({round_seed(7, number) for number in range(1, 51)}) == 50


@pytest.mark.parametrize("kind", FaultType)
def test_a_schedule_may_be_of_one_kind_alone(kind: FaultType) -> None:
    """With `only`, nothing else goes wrong."""
    assert {event.fault for event in make_schedule(3, only=kind).events} == {kind}


def test_events_are_in_order_and_within_their_ranges() -> None:
    """Every event is as its kind's table row allows, and comes after the one before it."""
    for seed in SEEDS:
        events = make_schedule(seed).events
        assert FAULTS[0] <= len(events) <= FAULTS[1]
        assert list(events) == sorted(events, key=lambda event: event.at)
        for event in events:
            parameters = FAULT_PARAMETERS[event.fault]
            assert parameters.at[0] <= event.at <= parameters.at[1]
            assert parameters.seconds[0] <= event.seconds <= parameters.seconds[1]
            assert parameters.times[0] <= event.times <= parameters.times[1]
            assert event.variant in parameters.variants
            assert 0 <= event.place <= 1


@pytest.mark.parametrize("seed", [1, 2, 3, 1000])
def test_fifty_rounds_meet_every_kind(seed: int) -> None:
    """No kind of fault is left out of an invocation of fifty rounds."""
    met = {event.fault for number in range(1, 51) for event in make_schedule(round_seed(seed, number)).events}
    assert met == set(FaultType)


def test_every_kind_can_be_drawn_and_carried_out() -> None:
    """The tables are complete."""
    assert set(FAULT_PARAMETERS) == set(CARRY_OUT) == set(FaultType)
