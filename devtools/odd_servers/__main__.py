"""Syncs made-up users with each odd server, and with pairs: prints a table, exits with 1 after a failure."""

from __future__ import annotations

import argparse
import json
import random
import shutil
import signal
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Final

from devtools.commands import forked_commands
from devtools.odd_servers import report
from devtools.odd_servers.environment import key_of, odd_environment
from devtools.odd_servers.oddities import ALL_ODDITIES, Oddities
from devtools.servers import Servers

if TYPE_CHECKING:
    from collections.abc import Sequence

BUILD: Final = Path(__file__).parents[2] / "build"


def main(arguments: Sequence[str]) -> int:
    """Try all servers that are wanted; return the exit code."""
    # SIGTERM acts like Ctrl-C, so that every started process is ended on the way out.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    wanted = _parser().parse_args(arguments)
    kinds = kinds_of(wanted.pairs, wanted.seed, wanted.only)
    folder = BUILD / "odd-servers"
    shutil.rmtree(folder, ignore_errors=True)
    print(report.head(), flush=True)  # noqa: T201 - a command's output
    with ExitStack() as stack:
        servers = stack.enter_context(Servers())
        stack.enter_context(forked_commands())
        environment = stack.enter_context(
            odd_environment(
                folder,
                kinds,
                users=wanted.users,
                amqp_url=stack.enter_context(servers.virtual_host()),
                database_url=stack.enter_context(servers.database()),
                connect=servers.connect,
            )
        )
        threads = stack.enter_context(ThreadPoolExecutor(wanted.at_once))
        rounds = []
        for found in threads.map(environment.try_server, map(key_of, range(len(kinds)))):
            rounds.append(found)
            print(report.line(found), flush=True)  # noqa: T201 - as above
            for surprise in found.surprises:
                print(f"    {surprise}", file=sys.stderr, flush=True)  # noqa: T201 - as above
    found_all = {
        "command": f"make odd-servers USERS={wanted.users} PAIRS={wanted.pairs} SEED={wanted.seed}",
        "rounds": [one.as_json() for one in rounds],
    }
    (BUILD / "odd-servers.json").write_text(json.dumps(found_all, indent=1), encoding="utf-8")
    if wanted.document:
        report.update(report.PAGE, found_all)
    return int(any(one.failed for one in rounds))


def kinds_of(pairs: int, seed: int, only: Sequence[str]) -> list[Oddities]:
    """Return the servers to try: each oddity alone, and so many pairs that are drawn by `seed`."""
    if only:
        return [frozenset(one for one in ALL_ODDITIES if one.name in only)]
    alone = [frozenset({one}) for one in ALL_ODDITIES]
    two = [frozenset({one, other}) for one in ALL_ODDITIES for other in ALL_ODDITIES if one < other]
    drawn = random.Random(seed).sample(two, pairs)  # noqa: S311 - no secret
    return [frozenset(), *alone, *drawn]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m devtools.odd_servers", description=__doc__)
    parser.add_argument("--users", type=int, default=500)
    parser.add_argument("--pairs", type=int, default=30, help="how many pairs of oddities")
    parser.add_argument("--seed", type=int, default=1, help="of the pairs")
    parser.add_argument("--at-once", type=int, default=4, help="how many tenants run at a time")
    parser.add_argument(
        "--only",
        action="append",
        default=[],
        metavar="ODDITY",
        choices=[one.name for one in ALL_ODDITIES],
        help="a server with this oddity alone; more than once: with all of them",
    )
    parser.add_argument("--document", action="store_true", help="write the table into docs/ in the end")
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
