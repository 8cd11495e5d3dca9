"""Commands under the suite's supervisor: started again, and given up when that leads nowhere."""

from __future__ import annotations

import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from devtools.chaos import process_pool
from devtools.chaos.process_pool import Pool
from devtools.started_command import CommandEndedError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

#: Seconds.
DEADLINE = 60.0
#: So many take longer than the tenth of a second that is enough here.
STARTS = 10


@pytest.fixture(autouse=True)
def _restarted_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process_pool, "RESTART_AFTER", 0.01)
    monkeypatch.setattr(process_pool, "SHORT_LIVES", 0.1)


@contextmanager
def _pool(folder: Path, script: str) -> Iterator[Pool]:
    pool = Pool("worker", env={}, log=folder / "worker.log", command=(sys.executable, "-I", "-c", script))
    pool.start()
    try:
        yield pool
    finally:
        pool.end()


def _await_starts(pool: Pool, starts: int) -> None:
    end = time.monotonic() + DEADLINE
    while pool.starts < starts and time.monotonic() < end:
        time.sleep(0.01)
    assert pool.starts >= starts


def test_a_command_that_dies_at_each_start_is_told(tmp_path: Path) -> None:
    """A round would wait for minutes for what can't come: the error names the command and its last lines."""
    with _pool(tmp_path, "print('no such table'); raise SystemExit(2)") as pool:
        _await_starts(pool, STARTS)
        said = r"`update-sync worker` ended with exit code 2(?s:.*)no such table"
        with pytest.raises(CommandEndedError, match=said):
            pool.check_running()


def test_a_command_that_is_killed_is_only_started_again(tmp_path: Path) -> None:
    """Kills are what the suite itself does, as often as a schedule wants."""
    with _pool(tmp_path, "import os; os.kill(os.getpid(), 9)") as pool:
        _await_starts(pool, STARTS)
        pool.check_running()


def test_a_command_that_lives_is_forgiven_its_false_starts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While a server is down a command may end at each start; once it stays up, that is over."""
    monkeypatch.setattr(process_pool, "SHORT_LIFE", 1.0)
    up = tmp_path / "up"
    script = f"import os, time; os.path.exists({str(up)!r}) or exit(2); time.sleep(600)"
    with _pool(tmp_path, script) as pool:
        _await_starts(pool, STARTS)
        up.touch()
        time.sleep(3.0)
        pool.check_running()
