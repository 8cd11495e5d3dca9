"""A run says what it waits for, with real processes: an administrator looks while Skolon or Graph is away."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest

from devtools.commands import json_output, update_sync, wait_for
from devtools.trigger_message import event, publish
from sandbox.microsoft.faults import Effect
from sandbox.microsoft.faults import Fault as Trouble
from sandbox.microsoft.http_messages import Kind
from sandbox.skolon.faults import Fault
from tests.acceptance.runs import PEOPLE, ended_run

if TYPE_CHECKING:
    from sandbox.environment import Environment

MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")


def waiting_run(env: dict[str, str], service: str) -> dict[str, Any]:
    """Return a run that waits for the service and knows an answer, as soon as there is one."""

    def look() -> dict[str, Any] | None:
        for run in json_output("runs", "list", env=env):
            for waiting in run["waiting"]:
                if waiting["service"] == service and waiting["last_failed"]:
                    shown: dict[str, Any] = json_output("runs", "show", run["run"], env=env)
                    return shown if shown["waiting"] else None
        return None

    return wait_for(look, f"a wait for {service}")


@pytest.mark.usefixtures("pool")
def test_a_run_says_that_its_users_wait_for_skolon(
    made_up: Environment, env: dict[str, str], amqp_url: str
) -> None:
    """P8: users, since when, the status and the next try are shown meanwhile, and nothing when it is over."""
    made_up.skolon.faults.add(Fault(kind="status", status=503, times=None, path_kind="search"))
    publish(amqp_url, "tenant-sync", event("first"))

    run = waiting_run(env, "skolon")
    text = update_sync("runs", "show", run["run"], env=env).stdout
    patience = update_sync("trigger", "exempelkommun", "--wait", "--timeout", "2", "--json", env=env)
    made_up.skolon.faults.clear()
    ended = ended_run(env, 1)

    (waiting,) = run["waiting"]
    assert 1 <= waiting["users"] <= run["pending"] <= PEOPLE
    assert (waiting["last_status"], waiting["last_kind"], waiting["page"]) == (503, None, False)
    assert all(MOMENT.fullmatch(waiting[name]) for name in ("since", "last_failed", "next_try"))
    said = r"\d+ users? waits? for Skolon since \d\d:\d\d UTC, last answer HTTP 503, next try (now|in \d+ s)"
    assert re.search(rf"^waits for skolon \(en\) +{said}$", text, re.MULTILINE), text
    assert re.search(said, patience.stderr), patience.stderr
    assert run["last_finished"] is None or MOMENT.fullmatch(run["last_finished"])
    assert (ended["status"], ended["waiting"]) == ("completed", [])
    assert ended["published"] == sum(ended["outcomes"].values()) == PEOPLE


@pytest.mark.usefixtures("pool")
def test_a_run_says_that_its_page_waits_for_graph(
    made_up: Environment, env: dict[str, str], amqp_url: str
) -> None:
    """P8: a run without published users shows that its page waits, and for which service."""
    made_up.microsoft.faults.add(Trouble(effect=Effect.ERROR, kind=Kind.USERS, times=None, status=503))
    publish(amqp_url, "tenant-sync", event("first"))

    run = waiting_run(env, "graph")
    text = update_sync("runs", "show", run["run"], env=env).stdout
    made_up.microsoft.faults.clear()
    ended = ended_run(env, 1)

    (waiting,) = run["waiting"]
    assert (waiting["page"], waiting["users"], waiting["last_status"]) == (True, 0, 503)
    assert "the next page waits for Microsoft Graph since" in text
    assert (ended["status"], ended["waiting"]) == ("completed", [])
