"""Drill: fails every user, then recovers with an interrupted replay.

`make drill USERS=10000`. Skolon refuses every search, so that every user of a run becomes a dead letter. The
drill lists them. It replays them while Skolon refuses every update; this replay must stop by itself. Then
Skolon works, and the drill starts a replay and kills it (SIGKILL) half-way. The last replay runs to the end.
The result is assessed like a round of the fault suite. Exit 1 when anything is not as expected.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import time
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from devtools.chaos.environment import Environment, environment
from devtools.chaos.results.assessment import assess
from devtools.chaos.results.expectations import expectation_of
from devtools.chaos.results.observation import observe
from devtools.chaos.runner import RoundLog
from devtools.chaos.schedule import Schedule
from devtools.commands import kill_all, running, update_sync
from devtools.servers import Servers
from sandbox.environment import TENANT_KEY
from sandbox.municipality.made_up_user import DOMAIN

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

BUILD: Final = Path(__file__).parents[2] / "build"

#: The dead letters that an operator selects once Skolon's refusal is fixed. A user who then fails for another
#: reason is a dead letter with that reason, and is not selected again.
REPLAY: Final = ("dead-letters", "replay", "--yes", "--reason", "rejected_by_skolon")

#: How often a replay may stop because the first users that it tries have faults of their own.
FALSE_STARTS: Final = 5

#: Seconds without a new outcome after which the drill is over.
STALLED: Final = 180.0

_DEAD: Final = "SELECT count(*) FROM receipts WHERE outcome = 'dead_lettered'"
_ON_THEIR_WAY: Final = "SELECT count(*) FROM receipts WHERE replaying"
#: By the replay that began last.
_PUBLISHED: Final = "SELECT coalesce((counts->>'published')::int, 0) FROM operations ORDER BY id DESC LIMIT 1"


class Drill:
    """The steps, each told in a line as it ends; `surprises` are what was not as it should be."""

    def __init__(self, stage: Environment) -> None:
        self._scene = stage
        self._replays = count(1)
        self.surprises: list[str] = []

    def go(self) -> None:
        """Do one step after the other."""
        self._everybody_dies()
        self._list()
        self._scene.stand_ins.skolon_fault(kind="status", status=400, times=None, method="PATCH")
        self._has_to_be("stopped", self._replay())
        self._scene.stand_ins.clear_faults()
        self._kill_half_way()
        with self._timed("replays to the end"):
            operation = self._replay()
            for _ in range(FALSE_STARTS):
                if operation["status"] == "stopped":
                    operation = self._replay()
            self._has_to_be("completed", operation)
            # Messages that the killed replay published may still be queued.
            self._await(lambda: not self._count(_ON_THEIR_WAY))

    def dead(self) -> int:
        """Return how many users are dead letters, by the database."""
        return self._count(_DEAD)

    def _count(self, query: str) -> int:
        with self._scene.servers.connect(self._scene.database_url) as connection:
            row = connection.execute(query).fetchone()
        return int(row[0]) if row else 0

    def _everybody_dies(self) -> None:
        # All users are to fail, so no guard may halt the run.
        unlimited = json.dumps({"guard": {"failed": None}})
        update_sync("tenants", "set", TENANT_KEY, "--from", "-", env=self._scene.env, stdin=unlimited)
        self._scene.stand_ins.skolon_fault(
            kind="status", status=400, times=None, path_kind="search", searched=DOMAIN
        )
        with self._timed("a run in which every user fails"):
            self._scene.trigger()
            self._await(lambda: (progress := self._scene.progress()) is not None and progress.ended)
        self._scene.stand_ins.clear_faults()
        self._tell(f"dead letters: {self.dead()}")

    def _list(self) -> None:
        dead = self.dead()
        with self._timed("dead-letters list"):
            listed = self._scene.command("dead-letters", "list")
        if not listed or listed["dead_letters"] != dead:
            self.surprises.append(f"listed: {listed and listed['dead_letters']} letters of {dead}")

    def _replay(self) -> dict[str, Any]:
        """Replay and return the operation as the command printed it."""
        log = self._scene.folder / f"replay-{next(self._replays)}.log"
        with running(*REPLAY, "--json", env=self._scene.env, log=log) as process:
            while process.poll() is None:
                self._scene.wait(1.0, lambda: process.poll() is not None)
        said = log.read_text(encoding="utf-8")
        # After lines about what was chosen; `null` when everything was on its way already.
        printed = json.loads(said[said.index("{") :]) if "{" in said else None
        operation: dict[str, Any] = printed or {"status": "completed", "counts": {}, "detail": "nothing left"}
        self._tell(
            f"replay: {operation['status']}, {operation['counts']} {operation['detail'] or ''}".rstrip()
        )
        return operation

    def _kill_half_way(self) -> None:
        half, log = self.dead() / 2, self._scene.folder / "replay-killed.log"
        began = time.monotonic()
        with running(*REPLAY, env=self._scene.env, log=log) as process:
            self._await(
                lambda: self.dead() < half or self._count(_PUBLISHED) > half or process.poll() is not None
            )
            if process.poll() is None:
                kill_all(process)
            else:
                self.surprises.append("the replay that was to be killed had ended")
        self._tell(f"replay, killed after {time.monotonic() - began:.1f} s; dead letters left: {self.dead()}")

    def _has_to_be(self, status: str, operation: dict[str, Any]) -> None:
        if operation["status"] != status:
            self.surprises.append(
                f"a replay is {operation['status']} and not {status}: {operation['detail']}"
            )

    def _await(self, found: Callable[[], bool]) -> None:
        """Wait as long as outcomes change; a drill on which nothing moves any more goes on and is judged."""
        before, since = -1, time.monotonic()
        while not self._scene.wait(1.0, found) and time.monotonic() - since < STALLED:
            if (now := self._moves()) != before:
                before, since = now, time.monotonic()

    def _moves(self) -> int:
        progress = self._scene.progress()
        return self.dead() + (progress.settled if progress else 0)

    @contextmanager
    def _timed(self, what: str) -> Iterator[None]:
        began = time.monotonic()
        yield
        self._tell(f"{what}: {time.monotonic() - began:.1f} s")

    def _tell(self, what: str) -> None:
        print(f"* {what}", flush=True)  # noqa: T201 - a command's output


def main(arguments: Sequence[str]) -> int:
    """Do the drill; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m devtools.chaos.replay_drill", description=__doc__)
    parser.add_argument("--users", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    wanted = parser.parse_args(arguments)
    folder = BUILD / "drill"
    shutil.rmtree(folder, ignore_errors=True)
    schedule = Schedule(seed=wanted.seed, events=())
    with Servers() as servers, environment(servers, folder, people=wanted.users, seed=wanted.seed) as stage:
        drill = Drill(stage)
        drill.go()
        found = assess(observe(stage), expectation_of(stage.municipality), schedule, RoundLog(ended=True))
    surprises = [*drill.surprises, *found.surprises]
    print(  # noqa: T201 - a command's output
        f"* {found.published} people: lost {found.lost}, wrong {found.wrong}, done twice with effect"
        f" {found.done_twice_with_effect}, unexpected {len(surprises)}"
    )
    for surprise in surprises:
        print(f"    {surprise}", file=sys.stderr)  # noqa: T201 - as above
    return int(found.failed or bool(surprises))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
