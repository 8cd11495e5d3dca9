"""One round: a scene, its schedule, and what is found afterwards."""

from __future__ import annotations

import time
import traceback
from typing import TYPE_CHECKING

from devtools.chaos.environment import environment
from devtools.chaos.fault_types import FaultType
from devtools.chaos.results.assessment import Round, assess, broken_round
from devtools.chaos.results.expectations import expectation_of
from devtools.chaos.results.observation import observe
from devtools.chaos.runner import run_schedule
from sandbox.municipality.municipality import Municipality

if TYPE_CHECKING:
    from pathlib import Path

    from devtools.chaos.schedule import Schedule
    from devtools.servers import Servers


def try_round(servers: Servers, schedule: Schedule, folder: Path, *, people: int) -> Round:
    """Run one round as `run_round` does; one that breaks off is reported on as well, and the next goes on."""
    try:
        return run_round(servers, schedule, folder, people=people)
    except Exception as error:  # noqa: BLE001 - the suite's own faults must be seen, and end no night's run
        (folder / "broken.txt").write_text(traceback.format_exc(), encoding="utf-8")
        return broken_round(schedule, f"the round broke off: {type(error).__name__}: {error}"[:500])


def run_round(servers: Servers, schedule: Schedule, folder: Path, *, people: int) -> Round:
    """Run one round and report on it; `folder` takes the logs."""
    began = time.monotonic()
    clock_jumps = any(event.fault is FaultType.CLOCK_JUMP for event in schedule.events)
    with_others = any(event.fault is FaultType.ORGANISATION_BROKEN for event in schedule.events)
    with environment(
        servers, folder, people=people, seed=schedule.seed, clock_jumps=clock_jumps, with_others=with_others
    ) as stage:
        round_log = run_schedule(stage, schedule)
        stage.stand_ins.clear_faults()
        try:
            seen = observe(stage)
        except Exception as error:
            for fault in round_log.broken:
                error.add_note(f"a fault of the round did not work: {fault}")
            raise
    found = assess(seen, expectation_of(Municipality(people, seed=schedule.seed)), schedule, round_log)
    found.seconds = round(time.monotonic() - began, 1)
    return found
