"""A run of one user while thousands of others wait: real RabbitMQ, real PostgreSQL, real processes."""

from __future__ import annotations

from contextlib import ExitStack, closing
from typing import TYPE_CHECKING

from devtools.commands import json_output, running, wait_for
from devtools.trigger_message import event, publish
from sandbox.environment import TENANT_KEY, Environment
from sandbox.skolon.faults import Fault
from schemas.outcomes import Outcome, Status
from tests.acceptance.runs import counts
from tests.integration.cli.command_line import open_store

if TYPE_CHECKING:
    from pathlib import Path

PEOPLE = 2000


def test_one_user_is_done_while_thousands_wait(
    made_up: Environment, env: dict[str, str], amqp_url: str, tmp_path: Path
) -> None:
    """P3, P4, P7: a named user of the same tenant goes first, and is not done twice; all sums are right."""
    person = [each for each in made_up.municipality if each.outcome == "updated"][-1]
    user = person.entra["id"]
    with ExitStack() as stack:
        store = stack.enter_context(closing(open_store(env)))
        stack.enter_context(running("producer", env=env, log=tmp_path / "producer.log"))
        publish(amqp_url, "tenant-sync", event("all"))
        wait_for(
            lambda: store.runs.list(TENANT_KEY, statuses=[Status.UPDATING]), "a run whose users all wait"
        )
        (everybody,) = store.runs.list(TENANT_KEY)
        assert everybody.pending == PEOPLE

        made_up.skolon.faults.add(Fault(kind="delay", delay=1.0, times=None, path_kind="search"))
        worker = ("worker", "--processes", "1", "--threads", "8")
        stack.enter_context(running(*worker, env=env, log=tmp_path / "worker.log"))
        shown = json_output("trigger", TENANT_KEY, "--user", user, "--wait", env=env)
        waiting = store.runs.summary(everybody.run.id)

        assert (shown["status"], counts(shown["outcomes"])) == ("completed", {"updated": 1})
        assert waiting.run.status is Status.UPDATING
        assert waiting.pending > PEOPLE // 2

        made_up.skolon.faults.clear()
        wait_for(
            lambda: store.runs.get(everybody.run.id).status is Status.COMPLETED, "the end of the other run"
        )
        ended = store.runs.summary(everybody.run.id)
    expected = made_up.municipality.expected_outcomes("first")
    expected = {**expected, "updated": expected["updated"] - 1, "superseded": 1}
    assert {str(outcome): count for outcome, count in ended.counts.items() if count} == expected
    assert ended.published == PEOPLE
    assert ended.counts[Outcome.SUPERSEDED] == 1
    assert made_up.wrong_users() == []
