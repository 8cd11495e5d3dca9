"""The log tells a run's story: from the start of the processes to their end, a line for each thing."""

from __future__ import annotations

import json
import signal
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

from devtools.commands import running, update_sync
from sandbox.environment import TENANT_KEY
from sandbox.skolon.faults import Fault as SkolonFault
from tests.acceptance.runs import PEOPLE

if TYPE_CHECKING:
    from pathlib import Path

    from sandbox.environment import Environment


def events(log: Path) -> list[dict[str, Any]]:
    lines = (json.loads(line) for line in log.read_text().splitlines() if line.startswith("{"))
    return [line for line in lines if "event" in line]


def named(log: Path, *names: str) -> list[str]:
    return [line["event"] for line in events(log) if line["event"] in names]


def test_the_log_tells_a_runs_story(made_up: Environment, env: dict[str, str], tmp_path: Path) -> None:
    """Started, ready, opened, completed with its sums; a halt that all users meet is one line; stopped."""
    producing, working = tmp_path / "producer.log", tmp_path / "worker.log"
    with ExitStack() as stack:
        producer = stack.enter_context(running("producer", env=env, log=producing))
        worker = stack.enter_context(running("worker", env=env, log=working))
        update_sync("trigger", TENANT_KEY, "--wait", env=env)
        # The next run meets a Skolon that refuses the credentials, with all users at once.
        made_up.skolon.faults.add(SkolonFault(kind="status", status=401, times=None, path_kind="search"))
        update_sync("trigger", TENANT_KEY, "--recheck-all", "--wait", env=env)
        for process in (producer, worker):
            process.send_signal(signal.SIGTERM)
            assert process.wait(10.0) == 0
    (started,) = (line for line in events(working) if line["event"] == "process_started")
    assert (started["queues"], started["threads"]) == (["user-sync"], 256)
    assert started["version"]
    lifecycle = ("process_started", "process_ready", "process_stopping", "process_stopped")
    assert named(working, *lifecycle) == named(producing, *lifecycle) == list(lifecycle)
    assert named(producing, "run_opened") == ["run_opened"] * 2
    (completed,) = (line for line in events(working) + events(producing) if line["event"] == "run_completed")
    assert (completed["run"], completed["tenant"], completed["users"]) == (1, TENANT_KEY, PEOPLE)
    assert completed["updated"] > 0
    assert completed["reasons"]
    halted = [line for line in events(working) + events(producing) if line["event"] == "run_halted"]
    assert [(line["run"], line["cause"]) for line in halted] == [(2, "skolon_credentials")]
    assert not any("middleware" in line["event"] for line in events(producing))
    assert not any(line["level"] == "critical" for line in events(working) + events(producing))
