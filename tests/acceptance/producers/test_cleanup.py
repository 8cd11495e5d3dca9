"""Stale dead letters with real processes and a real RabbitMQ: a producer takes them out by itself."""

from __future__ import annotations

import sys
import time
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import pytest

from devtools.commands import json_output, kill_all, running, update_sync, wait_for
from devtools.trigger_message import event, publish
from sandbox.environment import TENANT_KEY
from sandbox.skolon.faults import rejected_searches
from tests.acceptance.runs import ended_run, read_dead_letters

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from sandbox.environment import Environment

#: All users fail here, and no guard is to halt that.
SETTINGS = {"guard": {"failed": None}}
IMPATIENT = (sys.executable, "-m", "tests.acceptance.producers.impatient_producer")
BAD = 50
#: No name has a control character: the user is invalid.
BROKEN = "Trasig\x07"


@pytest.fixture
def logs(env: dict[str, str], tmp_path: Path) -> Iterator[list[Path]]:
    """Have two producers that clean up often, and a worker."""
    logs = [tmp_path / f"{name}.log" for name in ("producer-1", "producer-2", "worker")]
    with ExitStack() as stack:
        for log in logs[:2]:
            stack.enter_context(running(env=env, log=log, command=IMPATIENT))
        stack.enter_context(running("worker", env=env, log=logs[2]))
        yield logs


def settled(env: dict[str, str], amqp_url: str, number: int, **wanted: Any) -> dict[str, Any]:
    """Run once more; return the run when the queue has settled after it."""
    publish(amqp_url, "tenant-sync", event(f"run-{number}", **wanted))
    run = ended_run(env, number)
    # What a halted run has not done yet would come on top of its counts.
    assert run["status"] == "completed", run["cause"]
    return run


def lying(amqp_url: str) -> int:
    return len(read_dead_letters(amqp_url, "user-sync"))


def test_the_queue_is_the_list_of_users_who_need_a_person(
    made_up: Environment, env: dict[str, str], amqp_url: str, logs: list[Path]
) -> None:
    """50 bad users leave 50 dead letters after three runs and a dry one, and none when they are corrected."""
    (directory,) = made_up.microsoft.directories.values()
    ordinary = [each.entra["id"] for each in made_up.municipality if each.outcome == "unchanged"][:BAD]
    before = {user: directory.get(user)["surname"] for user in ordinary}  # type: ignore[index] # they are there
    for user in ordinary:
        directory.change(user, {"surname": BROKEN})

    dead = [settled(env, amqp_url, number)["outcomes"]["dead_lettered"] for number in (1, 2, 3)]
    dry = settled(env, amqp_url, 4, dry_run=True)
    assert dead == [dead[0]] * 3
    assert dead[0] >= BAD
    assert dry["outcomes"]["dead_lettered"] == dead[0]
    assert json_output("dead-letters", "list", env=env)["dead_letters"] == dead[0]
    wait_for(lambda: lying(amqp_url) == dead[0], "the cleanup")
    assert "newer runs have settled" not in update_sync("runs", "show", "1", env=env).stdout

    for user, name in before.items():
        directory.change(user, {"surname": name})
    left = settled(env, amqp_url, 5)["outcomes"]["dead_lettered"]
    assert left == dead[0] - BAD
    assert f"of which newer runs have settled {BAD}" in update_sync("runs", "show", "1", env=env).stdout
    wait_for(lambda: lying(amqp_url) == left, "the cleanup")
    assert json_output("dead-letters", "list", "--tenant", TENANT_KEY, env=env)["dead_letters"] == left
    assert all("Traceback" not in log.read_text(encoding="utf-8") for log in logs)


def test_a_killed_producer_loses_none(
    made_up: Environment, env: dict[str, str], amqp_url: str, tmp_path: Path
) -> None:
    """P2, P9: whenever producers are killed while they clean up, the newest dead letters stay."""
    made_up.skolon.faults.add(rejected_searches())
    with ExitStack() as stack:
        stack.enter_context(running("worker", env=env, log=tmp_path / "worker.log"))
        producer = stack.enter_context(running("producer", env=env, log=tmp_path / "first.log"))
        dead = [settled(env, amqp_url, number)["outcomes"]["dead_lettered"] for number in (1, 2)]
        kill_all(producer)
        for number in range(3):
            killed = stack.enter_context(running(env=env, log=tmp_path / f"{number}.log", command=IMPATIENT))
            time.sleep(0.8 + 0.2 * number)
            kill_all(killed)
        # What a producer holds to look at is not seen, and comes back when the producer ends.
        while lying(amqp_url) > dead[1]:
            with running(env=env, log=tmp_path / "last.log", command=IMPATIENT):
                wait_for(lambda: lying(amqp_url) <= dead[1], "the rest of the cleanup")
    listed = json_output("dead-letters", "list", "--ungrouped", "--limit", "1000", env=env)
    assert {each["run"] for each in listed} == {"2"}
    assert len({each["user"] for each in listed}) == dead[1] == lying(amqp_url)
