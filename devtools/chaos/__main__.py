"""Runs rounds of faults: prints a table, writes build/chaos.json, exits with 1 after any failure."""

from __future__ import annotations

import argparse
import shutil
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from devtools.chaos.fault_types import FaultType
from devtools.chaos.results import docs_tables as document
from devtools.chaos.results import report
from devtools.chaos.rounds import try_round
from devtools.chaos.schedule import SCENARIOS, make_schedule, round_seed
from devtools.servers import Servers

if TYPE_CHECKING:
    from collections.abc import Sequence

    from devtools.chaos.results.assessment import Round

BUILD = Path(__file__).parents[2] / "build"


def main(arguments: Sequence[str]) -> int:
    """Run the wanted number of rounds; return the exit code."""
    # SIGTERM acts like Ctrl-C, so that every started process is ended on the way out.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    wanted = _parser().parse_args(arguments)
    rounds: list[Round] = []
    with Servers() as servers:
        made = _made(wanted, servers)
        print(report.head(), flush=True)  # noqa: T201 - a command's output
        for number in range(1, wanted.rounds + 1):
            schedule = make_schedule(round_seed(wanted.seed, number), only=wanted.only)
            folder = BUILD / "chaos" / str(schedule.seed)
            shutil.rmtree(folder, ignore_errors=True)
            found = try_round(servers, schedule, folder, people=wanted.users)
            rounds.append(found)
            report.write(BUILD / "chaos.json", rounds, made)
            print(report.line(number, found), flush=True)  # noqa: T201 - as above
            for surprise in found.surprises:
                print(f"    {surprise}", file=sys.stderr, flush=True)  # noqa: T201 - as above
            if not found.failed:
                shutil.rmtree(folder)
    if wanted.document:
        document.update(document.PAGE, report.as_json(rounds, made))
    return int(any(one.failed for one in rounds))


def _made(wanted: argparse.Namespace, servers: Servers) -> dict[str, str]:
    command = f"make chaos SEED={wanted.seed} ROUNDS={wanted.rounds} USERS={wanted.users}"
    return {
        "command": command + (f" ONLY={wanted.only}" if wanted.only else ""),
        "rabbitmq": servers.rabbitmq.version,
        "postgresql": servers.postgresql.version,
    }


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m devtools.chaos", description=__doc__)
    parser.add_argument("--seed", type=int, default=1, help="the first round's; the others' follow from it")
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--users", type=int, default=2000, help="people of each round's municipality")
    parser.add_argument(
        "--only",
        metavar="FAULT",
        choices=[*SCENARIOS, *FaultType],
        help=f"this alone: {', '.join([*SCENARIOS, *FaultType])}",
    )
    parser.add_argument(
        "--document", action="store_true", help="write the table into docs/reliability.md in the end"
    )
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
