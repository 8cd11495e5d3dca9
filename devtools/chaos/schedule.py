"""What goes wrong in a round, and when: a value that follows from a seed and from nothing else."""

from __future__ import annotations

import hashlib
import random
from dataclasses import dataclass
from typing import Final

from devtools.chaos.fault_types import FAULT_PARAMETERS, FaultType

#: How many faults a round has, from and to.
FAULTS: Final = (4, 7)
#: Seeds are below this: short enough to be typed.
SEEDS: Final = 10**9


@dataclass(frozen=True, kw_only=True)
class Event:
    """One fault of a schedule.

    `at` is the share of the people that have an outcome when it happens (0: before the run begins);
    `seconds`, `times` and `variant` mean what `FaultParameters` says; `place`, from 0 to 1, chooses where
    there is a choice (which page, which process).
    """

    at: float
    fault: FaultType
    seconds: float
    times: int
    variant: str
    place: float


@dataclass(frozen=True, kw_only=True)
class Schedule:
    """The faults of one round, in the order in which they are to happen."""

    seed: int
    events: tuple[Event, ...]


#: Kinds that a round has once at most: the two small municipalities are there once.
ONCE: Final = frozenset({FaultType.ORGANISATION_BROKEN})

#: Schedules that are asked for by name, and are never drawn.
SCENARIOS: Final = {
    "skolon-outage": (
        Event(at=0.4, fault=FaultType.SKOLON_DOWN, seconds=300.0, times=1, variant="", place=0.0),
    ),
}  # fmt: skip


def round_seed(seed: int, number: int) -> int:
    """Return the seed of a round, numbered from 1. The first round's is the invocation's own.

    So a round is run again alone by giving its seed as the seed of an invocation of one round.
    """
    if number == 1:
        return seed
    digest = hashlib.sha256(f"{seed} {number}".encode()).digest()
    return int.from_bytes(digest[:8], "big") % SEEDS


def make_schedule(seed: int, *, only: str | None = None) -> Schedule:
    """Return the schedule of a round's seed; `only` is a scenario, or the one kind of fault wanted."""
    if only in SCENARIOS:
        return Schedule(seed=seed, events=SCENARIOS[only])
    chance = random.Random(f"schedule {seed}")  # noqa: S311 - repeatable on purpose
    count = chance.randint(*FAULTS)
    if only is None:
        kinds = chance.sample(list(FaultType), count)
    else:
        kinds = [FaultType(only)] * (1 if only in ONCE else count)
    events = [_event(kind, chance) for kind in kinds]
    return Schedule(seed=seed, events=tuple(sorted(events, key=lambda event: event.at)))


def _event(kind: FaultType, chance: random.Random) -> Event:
    parameters = FAULT_PARAMETERS[kind]
    return Event(
        at=round(chance.uniform(*parameters.at), 3),
        fault=kind,
        seconds=round(chance.uniform(*parameters.seconds), 2),
        times=chance.randint(*parameters.times),
        variant=chance.choice(parameters.variants),
        place=round(chance.random(), 3),
    )
