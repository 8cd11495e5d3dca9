"""The product under the bench: what is waited for, and what a version is driven by."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, cast

import pytest

from bench import environment
from bench.context import DEFAULT, Bench
from bench.environment import ProductEnvironment, default_threads, product_environment
from bench.measures import BenchError
from devtools.commands import DEADLINE

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from bench.stand_ins import StandIns
    from devtools.servers import Servers


class _Servers:
    """Servers that start nothing and note for which version a database was wanted."""

    def __init__(self) -> None:
        self.upgraded_by: list[str] = []

    @contextmanager
    def virtual_host(self) -> Iterator[str]:
        yield "amqp://127.0.0.1"

    @contextmanager
    def database(self, command: str) -> Iterator[str]:
        self.upgraded_by.append(command)
        yield "postgresql://127.0.0.1"

    @contextmanager
    def connect(self, _url: str) -> Iterator[None]:
        yield


class _StandIns:
    skolon_url = graph_url = entra_url = authority = "http://127.0.0.1"


def _command(folder: Path, script: str) -> str:
    command = folder / "update-sync"
    command.write_text(f"#!{sys.executable}\n{script}\n", encoding="utf-8")
    command.chmod(0o755)
    return str(command)


def _bench(folder: Path, command: str) -> Bench:
    return Bench(
        servers=cast("Servers", _Servers()),
        stand_ins=cast("StandIns", _StandIns()),
        sizes=DEFAULT,
        folder=folder,
        threads=1,
        command=command,
    )


def _place(folder: Path, script: str) -> ProductEnvironment:
    bench = _bench(folder, _command(folder, script))
    env = {"UPDATE_SYNC_AMQP_URL": "amqp://127.0.0.1"}
    return ProductEnvironment(bench, env, cast("Any", None))


def test_a_wait_ends_with_the_process_that_it_depends_on(tmp_path: Path) -> None:
    """A worker that died at its start is named with its exit code and its last lines, and not waited for."""
    place = _place(tmp_path, "print('the database is not upgraded'); raise SystemExit(2)")
    said = r"`update-sync worker --processes 2` ended with exit code 2(?s:.*)the database is not upgraded"
    with place.workers("--processes", "2"), pytest.raises(BenchError, match=said):
        place.wait(lambda: None, "the last of the workers")


def test_a_killed_process_is_told_with_its_signal(tmp_path: Path) -> None:
    """What the kernel has killed wrote nothing about it: the signal says why."""
    place = _place(tmp_path, "import os; os.kill(os.getpid(), 9)")
    with place.producer(), pytest.raises(BenchError, match=r"killed by signal 9; its last lines:\n\(none\)"):
        place.wait(lambda: None, "a run")


def test_what_has_come_is_returned_whoever_has_ended(tmp_path: Path) -> None:
    """A process that ended once its work was done takes nothing away."""
    place = _place(tmp_path, "")
    with place.producer() as producer:
        producer.wait(DEADLINE)
        assert place.wait(lambda: 7, "the number") == 7


def test_a_process_that_was_stopped_is_not_missed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A pool that the measurement itself ends is none that a later wait depends on."""
    monkeypatch.setattr(environment, "DEADLINE", 0.0)
    place = _place(tmp_path, "import time; time.sleep(600)")
    with place.workers() as pool:
        place.stop(pool)
        with pytest.raises(BenchError, match="did not come within"):
            place.wait(lambda: None, "the last outcome")


def test_a_version_upgrades_its_own_database(tmp_path: Path) -> None:
    """The tables are those of the version that is measured: its processes refuse to start on others."""
    bench = _bench(tmp_path, "/old/.venv/bin/update-sync")
    with product_environment(bench):
        pass
    assert cast("_Servers", bench.servers).upgraded_by == ["/old/.venv/bin/update-sync"]


def test_the_default_of_threads_is_read_from_the_help() -> None:
    """The help folds its lines, and a version from before has other words."""
    assert default_threads() > 1
