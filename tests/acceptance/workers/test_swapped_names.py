"""Users who swap their names while workers die."""

from __future__ import annotations

import sys
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any, Final

from devtools.commands import json_output, running, update_sync, wait_for
from devtools.trigger_message import event, publish
from sandbox.municipality.made_up_user import SKOLON_SCHEMA
from tests.acceptance.runs import ended_run

if TYPE_CHECKING:
    from pathlib import Path

    from sandbox.environment import Environment

PEOPLE: Final = 30
_KILLED: Final = (sys.executable, "-m", "tests.acceptance.workers.interrupted_swap")


def test_a_kill_between_the_two_writes_of_a_swap_is_healed(
    made_up: Environment, env: dict[str, str], amqp_url: str, tmp_path: Path
) -> None:
    """Row 7: the next delivery goes on from the temporary value, and an undo restores what was before it."""
    one, other = [each for each in made_up.municipality if each.case == "right" and each.claims][:2]
    directory = next(iter(made_up.microsoft.directories.values()))
    before = names(made_up, one.claims, other.claims)
    directory.change(one.entra["id"], {"userPrincipalName": other.entra["userPrincipalName"]})
    directory.change(other.entra["id"], {"userPrincipalName": one.entra["userPrincipalName"]})
    with ExitStack() as stack:
        stack.enter_context(running("producer", env=env, log=tmp_path / "producer.log"))
        publish(amqp_url, "tenant-sync", event("swap"))
        killed = stack.enter_context(running(env=env, log=tmp_path / "killed.log", command=_KILLED))
        wait_for(lambda: killed.poll() is not None, "the death of the worker")
        assert killed.returncode != 0
        between = names(made_up, one.claims, other.claims)
        assert any(name.startswith((one.entra["id"], other.entra["id"])) for name in between)
        stack.enter_context(running("worker", env=env, log=tmp_path / "worker.log"))
        run = ended_run(env, 1)
        assert run["status"] == "completed"
        assert names(made_up, one.claims, other.claims) == before[::-1]
        updated = json_output("runs", "show", "1", "--users", "--outcome", "updated", env=env)["users"]
        assert {one.entra["id"], other.entra["id"]} <= {user["user"] for user in updated}

        undone = update_sync("runs", "undo", "1", "--yes", "--wait", env=env)
        assert undone.returncode == 0, undone.stderr
    assert names(made_up, one.claims, other.claims) == before


def names(made_up: Environment, *skolon_ids: str | None) -> list[str]:
    found: list[dict[str, Any]] = [made_up.skolon_user(str(each)) or {} for each in skolon_ids]
    assert all(SKOLON_SCHEMA in user for user in found)
    return [user["userName"] for user in found]
