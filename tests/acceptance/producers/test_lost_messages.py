"""Messages that vanish in mid-run, with real processes: the producer finds them missing by itself."""

from __future__ import annotations

import sys
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import pika

from devtools.commands import json_output, running, update_sync, wait_for
from devtools.trigger_message import event, publish
from sandbox.skolon.faults import Fault
from tests.acceptance.runs import PEOPLE, counts, ended_run

if TYPE_CHECKING:
    from pathlib import Path

    from sandbox.environment import Environment

IMPATIENT = (sys.executable, "-m", "tests.acceptance.producers.impatient_producer")


def purge(amqp_url: str, queue: str) -> int:
    """Empty a queue as an operator may, and return how many messages lay in it."""
    with pika.BlockingConnection(pika.URLParameters(amqp_url)) as connection:
        return int(connection.channel().queue_purge(queue).method.message_count)


def test_a_purged_queue_costs_nobody_the_outcome(
    made_up: Environment, env: dict[str, str], amqp_url: str, tmp_path: Path
) -> None:
    """P3, P4: a queue purged in mid-run is filled again by itself; the sums are right, and it is said."""
    made_up.skolon.faults.add(Fault(kind="delay", delay=0.5, times=None, path_kind="search"))
    log = tmp_path / "producer.log"

    def is_under_way() -> bool:
        runs: list[dict[str, Any]] = json_output("runs", "list", env=env)
        return bool(runs) and runs[0]["status"] == "updating" and runs[0]["pending"] < PEOPLE

    with ExitStack() as stack:
        stack.enter_context(running(env=env, log=log, command=IMPATIENT))
        worker = ("worker", "--threads", "4")
        stack.enter_context(running(*worker, env=env, log=tmp_path / "worker.log"))
        publish(amqp_url, "tenant-sync", event("first"))
        wait_for(is_under_way, "the first outcomes")
        purged = purge(amqp_url, "user-sync")
        made_up.skolon.faults.clear()
        run = ended_run(env, 1)
        shown = update_sync("runs", "show", run["run"], env=env).stdout

    assert purged > 0
    assert run["status"] == "completed"
    assert run["published"] == sum(run["outcomes"].values()) == PEOPLE
    assert counts(run["outcomes"]) == made_up.municipality.expected_outcomes("first")
    assert made_up.wrong_users() == []
    (warning,) = (warning for warning in run["warnings"] if warning["kind"] == "messages_lost")
    assert warning["users"] >= purged
    assert f"{warning['users']} pending users had no message any more: published again" in shown
    assert log.read_text(encoding="utf-8").count("messages_lost") >= 1
