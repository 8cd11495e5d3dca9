"""The bench's command: prints a table and writes build/bench.json; exit 1 when a measurement failed."""

from __future__ import annotations

import argparse
import os
import platform
import shutil
import signal
import subprocess
import sys
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import requests

from bench import docs_tables as document
from bench import report
from bench.benchmarks.catalogue import GROUPS, NAMES
from bench.context import DEFAULT, QUICK, Bench
from bench.environment import default_threads
from bench.measures import BenchError, compare
from bench.stand_ins import stand_ins
from devtools.servers import DURABLE, Servers

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from bench.benchmarks.figure import Figure, Group

BUILD: Final = Path(__file__).parents[1] / "build"


def main(arguments: Sequence[str]) -> int:
    """Measure the chosen figures; return the exit code."""
    # SIGTERM acts like Ctrl-C, so that every started process is ended on the way out.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    wanted = _parser().parse_args(arguments)
    sizes = (QUICK if wanted.quick else DEFAULT).scaled(wanted.users / DEFAULT.publish)
    rounds = wanted.rounds or (1 if wanted.quick else 3)
    folder = BUILD / "bench"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    with ExitStack() as stack:
        bench = Bench(
            servers=stack.enter_context(Servers(postgresql_settings=DURABLE)),
            stand_ins=stack.enter_context(stand_ins()),
            sizes=sizes,
            folder=folder,
            threads=default_threads(),
        )
        versions = {"": bench}
        if wanted.before:
            command = str(wanted.before)
            versions[", before"] = replace(bench, command=command, threads=default_threads(command), known={})
        found, faults = _measured(versions, wanted.only or NAMES, rounds, _made(wanted, bench))
    if wanted.document and not faults:
        document.update(document.PAGE, found)
    for fault in faults:
        print(fault, file=sys.stderr)  # noqa: T201 - a command's output
    return int(bool(faults))


def _measured(
    versions: Mapping[str, Bench], names: Collection[str], rounds: int, made: Mapping[str, Any]
) -> tuple[dict[str, Any], list[str]]:
    """Measure figure by figure; return the content of build/bench.json, and the failures.

    `versions` has each version's context, by the suffix of its figures' names.
    """
    found: list[report.Found] = []
    faults: list[str] = []
    values: dict[str, float] = {}
    whole = report.as_json(found, values, made)
    _say(report.head())
    for group in GROUPS:
        figures = [figure for figure in group.figures if {figure.name, group.name} & set(names)]
        if not figures and group.name not in names:
            continue
        all_measured = measure_rounds(group, versions, rounds, faults)
        new = _side_by_side(figures, *all_measured.values()) if len(all_measured) > 1 else []
        for suffix, measured in all_measured.items():
            medians = report.medians(measured)
            versions[suffix].known.update(medians)
            values |= {f"{name}{suffix}": value for name, value in medians.items()}
            for figure in figures:
                named = replace(figure, name=f"{figure.name}{suffix}")
                try:
                    new.append(report.Found(figure=named, comparison=named.of(measured)))
                except BenchError as error:
                    faults.append(f"{named.name}: {error}")
        found += new
        whole = report.as_json(found, values, made)
        report.write(BUILD / "bench.json", whole)
        for one in new:
            _say(report.line(one.figure, one.comparison.as_json()))
    return whole, faults


def _side_by_side(
    figures: Sequence[Figure], now: Sequence[Mapping[str, float]], before: Sequence[Mapping[str, float]]
) -> list[report.Found]:
    """Return each figure of this version, compared with the same figure of the other version."""
    return [
        report.Found(
            figure=replace(
                figure, name=f"{figure.name}, both", at_least=None, at_most=None, against="the other version"
            ),
            comparison=compare([one[figure.ours] for one in now], [one[figure.ours] for one in before]),
        )
        for figure in figures
    ]


def measure_rounds(
    group: Group, versions: Mapping[str, Bench], rounds: int, faults: list[str]
) -> dict[str, list[dict[str, float]]]:
    """Measure the versions in turn, every other round in the opposite order; return each one's rounds.

    A version that cannot be measured is left out, and the reason is added to `faults`.
    """
    measured: dict[str, list[dict[str, float]]] = {suffix: [] for suffix in versions}
    for number in group.round_numbers(rounds):
        for suffix in list(measured) if number % 2 == 0 else list(measured)[::-1]:
            try:
                measured[suffix].append(group.measure(versions[suffix], number))
            except (BenchError, subprocess.SubprocessError, requests.RequestException) as error:
                faults.append(f"{group.name}{suffix}: {error}")
                del measured[suffix]
    return measured


def version_command(place: str) -> Path:
    """Return the `update-sync` of a worktree, or the given one. Raises ArgumentTypeError if there is none."""
    path = Path(place).absolute()
    command = path / ".venv" / "bin" / "update-sync" if path.is_dir() else path
    if not os.access(command, os.X_OK):
        raise argparse.ArgumentTypeError(f"{command} cannot be run: make a .venv there, with `make test`")
    return command


def _say(line: str) -> None:
    print(line, flush=True)  # noqa: T201 - a command's output


def _made(wanted: argparse.Namespace, bench: Bench) -> dict[str, Any]:
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return {
        "command": _command(wanted),
        "cores": os.cpu_count(),
        "memory_gib": round(memory, 1),
        "python": platform.python_version(),
        "rabbitmq": bench.servers.rabbitmq.version,
        "postgresql": bench.servers.postgresql.version,
        "threads": bench.threads,
        "sizes": vars(bench.sizes),
    }


def _command(wanted: argparse.Namespace) -> str:
    words = [
        "make bench",
        "QUICK=1" if wanted.quick else "",
        f"ROUNDS={wanted.rounds}" if wanted.rounds else "",
        f"USERS={wanted.users}" if wanted.users != DEFAULT.publish else "",
        f'ONLY="{" ".join(wanted.only)}"' if wanted.only else "",
    ]
    return " ".join(filter(None, words))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="small sizes and one round: some minutes")
    parser.add_argument("--rounds", type=int, help="of each figure; 3, or 1 when quick")
    parser.add_argument(
        "--users",
        type=int,
        default=DEFAULT.publish,
        help=f"users of the figure `publish`, {DEFAULT.publish} by default; all sizes grow with it",
    )
    parser.add_argument("--only", nargs="+", metavar="FIGURE", choices=NAMES, help=", ".join(NAMES))
    parser.add_argument(
        "--before",
        type=version_command,
        metavar="WORKTREE",
        help="another version, with its own .venv: each figure is measured of that version too, in turn",
    )
    parser.add_argument(
        "--document", action="store_true", help="write the tables into docs/performance.md in the end"
    )
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
