"""One round: a scene, its schedule, and what is found afterwards."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from sandbox.municipality.municipality import Municipality
from tests.chaos.conductor import conduct
from tests.chaos.demand import demand_of
from tests.chaos.kinds import Kind
from tests.chaos.observation import observe
from tests.chaos.scene import scene
from tests.chaos.verdict import Round, judge

if TYPE_CHECKING:
    from pathlib import Path

    from tests.chaos.schedule import Schedule
    from tests.chaos.servers import Servers


def run_round(servers: Servers, schedule: Schedule, folder: Path, *, people: int) -> Round:
    """Run one round and report on it; `folder` takes the logs."""
    began = time.monotonic()
    jumps = any(event.kind is Kind.CLOCK_JUMP for event in schedule.events)
    with scene(servers, folder, people=people, seed=schedule.seed, jumps=jumps) as stage:
        course = conduct(stage, schedule)
        stage.stand_ins.clear_faults()
        seen = observe(stage)
    found = judge(seen, demand_of(Municipality(people, seed=schedule.seed)), schedule, course)
    found.seconds = round(time.monotonic() - began, 1)
    return found
