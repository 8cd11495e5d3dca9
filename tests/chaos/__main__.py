"""The command: rounds of faults, a table as they end, build/chaos.json, exit 1 when anything went wrong."""

from __future__ import annotations

import argparse
import shutil
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from sandbox.municipality.municipality import Municipality
from tests.chaos import report
from tests.chaos.conductor import conduct
from tests.chaos.demand import demand_of
from tests.chaos.kinds import Kind
from tests.chaos.observation import observe
from tests.chaos.scene import scene
from tests.chaos.schedule import Schedule, make_schedule, round_seed
from tests.chaos.servers import Servers
from tests.chaos.verdict import Round, judge

if TYPE_CHECKING:
    from collections.abc import Sequence

BUILD = Path(__file__).parents[2] / "build"


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


def main(arguments: Sequence[str]) -> int:
    """Run as many rounds as are wanted; return the exit code."""
    wanted = _parser().parse_args(arguments)
    only = Kind(wanted.only) if wanted.only else None
    rounds: list[Round] = []
    with Servers() as servers:
        print(report.head(), flush=True)  # noqa: T201 - a command's output
        for number in range(1, wanted.rounds + 1):
            schedule = make_schedule(round_seed(wanted.seed, number), only=only)
            folder = BUILD / "chaos" / str(schedule.seed)
            shutil.rmtree(folder, ignore_errors=True)
            found = run_round(servers, schedule, folder, people=wanted.users)
            rounds.append(found)
            report.write(BUILD / "chaos.json", rounds)
            print(report.line(number, found), flush=True)  # noqa: T201 - as above
            for surprise in found.surprises:
                print(f"    {surprise}", file=sys.stderr, flush=True)  # noqa: T201 - as above
            if not found.failed:
                shutil.rmtree(folder)
    return int(any(one.failed for one in rounds))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--seed", type=int, default=1, help="the first round's; the others' follow from it")
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--users", type=int, default=2000, help="people of each round's municipality")
    parser.add_argument("--only", choices=[str(kind) for kind in Kind], help="this kind of fault alone")
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
