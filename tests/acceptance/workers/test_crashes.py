"""Workers and producers that are killed in the middle of a run."""

from __future__ import annotations

import json
import sys
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

from devtools.commands import json_output, kill_all, running, wait_for
from devtools.trigger_message import event, publish
from tests.acceptance.runs import counts, ended_run

if TYPE_CHECKING:
    from pathlib import Path

    from sandbox.environment import Environment


def test_a_killed_pool_loses_nobody_and_doubles_nothing(
    made_up: Environment, env: dict[str, str], amqp_url: str, tmp_path: Path
) -> None:
    """P2, P4: SIGKILL of all workers and of the producer in mid-run changes nothing about its result."""

    def share_is_done(part: float) -> bool:
        runs = json_output("runs", "list", env=env)
        return bool(runs) and runs[0]["published"] - runs[0]["pending"] > part * made_up.municipality.size

    with ExitStack() as stack:
        producer = stack.enter_context(running("producer", env=env, log=tmp_path / "producer.log"))
        publish(amqp_url, "tenant-sync", event("first"))
        for attempt, part in enumerate((0.1, 0.4)):
            log = tmp_path / f"worker-{attempt}.log"
            workers = stack.enter_context(running("worker", "--processes", "2", env=env, log=log))
            wait_for(lambda part=part: share_is_done(part), f"{part:.0%} of the run")  # type: ignore[misc] # bound at once
            kill_all(workers)
        kill_all(producer)
        stack.enter_context(running("worker", env=env, log=tmp_path / "worker-last.log"))
        run = ended_run(env, 1)

    assert run["status"] == "completed"
    assert counts(run["outcomes"]) == made_up.municipality.expected_outcomes("first")
    assert made_up.wrong_users() == []


def test_a_deadly_user_takes_nobody_along(
    made_up: Environment, env: dict[str, str], amqp_url: str, tmp_path: Path
) -> None:
    """P7, P9: the user that kills every worker is reported, and all others have their outcomes."""
    ordinary = next(person for person in made_up.municipality if person.outcome == "unchanged")
    deadly = ordinary.entra["id"]
    command = (sys.executable, "-m", "tests.acceptance.workers.fatal_worker")
    deaths = 0
    with ExitStack() as stack:
        stack.enter_context(running("producer", env=env, log=tmp_path / "producer.log"))
        publish(amqp_url, "tenant-sync", event("deadly"))
        run = None
        while run is None:
            # What systemd or compose do: start it again when it has ended.
            worker = stack.enter_context(
                running(deadly, env=env, log=tmp_path / "worker.log", command=command)
            )
            wait_for(lambda worker=worker: worker.poll() is not None or ended(env), "a death, or the end")  # type: ignore[misc] # bound at once
            deaths += worker.poll() is not None
            run = ended(env)
    assert deaths > 1
    assert run["status"] == "completed"
    expected = counts(made_up.municipality.expected_outcomes("first"))
    expected["unchanged"] -= 1
    expected["dead_lettered"] += 1
    assert counts(run["outcomes"]) == expected
    users = json_output("runs", "show", run["run"], "--users", "--reason", "crashed_worker", env=env)["users"]
    assert [user["user"] for user in users] == [deadly]
    assert made_up.wrong_users() == []


def ended(env: dict[str, str]) -> dict[str, Any] | None:
    """Return the tenant's only run if it has ended."""
    runs = json_output("runs", "list", env=env)
    return runs[0] if runs and runs[0]["status"] not in ("reading", "updating") else None


def test_a_process_whose_threads_died_ends_with_an_error(
    env: dict[str, str], amqp_url: str, tmp_path: Path
) -> None:
    """A living process that does nothing is what no supervisor starts again: it ends, and says why."""
    command, log = (sys.executable, "-m", "tests.acceptance.workers.killed_worker"), tmp_path / "worker.log"
    with running(env=env, log=log, command=command) as worker:
        envelope = {"queue_name": "user-sync", "actor_name": "user_sync", "args": [], "kwargs": {}}
        publish(amqp_url, "user-sync", json.dumps({**envelope, "options": {}}).encode())
        wait_for(lambda: worker.poll() is not None, "its end")
    assert worker.returncode == 1
    said = [line for line in log.read_text().splitlines() if "threads_died" in line]
    assert len(said) == 1
