"""A mapping mistake, stopped by the guard and put back: real RabbitMQ, PostgreSQL and processes."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from devtools.commands import json_output, update_sync
from sandbox.environment import TENANT_KEY, Environment
from sandbox.municipality.expectation import attributes_of

if TYPE_CHECKING:
    from pathlib import Path

PEOPLE = 300
LIMIT = 20
#: Two processes of eight threads each.
IN_HAND = 16


def state(made_up: Environment) -> dict[str, dict[str, str | None]]:
    return {user["id"]: attributes_of(user) for user in made_up.skolon_users()}


@pytest.mark.usefixtures("pool")
def test_a_mistake_is_halted_and_every_value_restored(
    made_up: Environment, env: dict[str, str], tmp_path: Path
) -> None:
    """P7: no more than the limit and what was in hand is touched; after `undo`, each value is as before."""
    before = state(made_up)
    mistake: dict[str, Any] = {
        "sources": {**made_up.tenant["sources"], "eppn": ["userPrincipalName"]},
        "match_keys": ["external_id", "user_name", "email"],
        "guard": {"identity_changed": {"count": LIMIT, "share": LIMIT / PEOPLE}},
    }
    # So that the mistake would change everybody: nobody's EPPN is the user principal name's.
    directory = next(iter(made_up.microsoft.directories.values()))
    for person in made_up.municipality:
        name = person.entra["userPrincipalName"]
        if name:
            directory.change(person.entra["id"], {**person.entra, "userPrincipalName": f"x.{name}"})
    settings = tmp_path / "mistake.json"
    settings.write_text(json.dumps(mistake), encoding="utf-8")
    assert update_sync("tenants", "set", TENANT_KEY, "--from", str(settings), env=env).returncode == 0

    done = update_sync("trigger", TENANT_KEY, "--wait", "--json", env=env)

    assert done.returncode == 1
    halted = json.loads(done.stdout)
    assert (halted["status"], halted["cause"]) == ("halted", "guard_exceeded")
    # While the guard holds the run, the undo says first what it would put back.
    tried = json_output("runs", "undo", halted["run"], "--dry-run", "--wait", env=env)
    touched = [user for user, held in state(made_up).items() if held != before[user]]
    assert 0 < len(touched) <= LIMIT + IN_HAND
    assert tried["outcomes"]["would_update"] == len(touched)

    undone = json_output("runs", "undo", "--yes", halted["run"], "--override-guard", "--wait", env=env)

    assert (undone["status"], undone["mode"], undone["reverts_run_id"]) == (
        "completed",
        "undo",
        halted["run"],
    )
    assert (undone["outcomes"]["updated"], undone["skipped"]) == (len(touched), 0)
    after = state(made_up)
    for user, held in before.items():
        for attribute, value in held.items():
            assert (user, attribute, after[user][attribute]) == (user, attribute, value)
    assert after.keys() == before.keys()
    assert json_output("runs", "show", halted["run"], env=env)["status"] == "cancelled"
    resumed = update_sync("runs", "resume", halted["run"], "--override-guard", env=env)
    assert resumed.returncode == 2
    again = update_sync("runs", "undo", "--yes", halted["run"], "--wait", env=env)
    assert again.returncode == 0, again.stderr
    assert "fix that first" in again.stdout


@pytest.mark.usefixtures("pool")
def test_an_undo_takes_care_of_no_failure(env: dict[str, str]) -> None:
    """Users whose update failed for one value fail after the undo of the others, and after a replay too."""
    done = update_sync("trigger", TENANT_KEY, "--wait", "--json", env=env)
    run = json.loads(done.stdout)
    failed = run["outcomes"]["dead_lettered"]
    assert failed > 0
    undone = json_output("runs", "undo", "--yes", run["run"], "--override-guard", "--wait", env=env)
    # Of some users that fail all values but one had been written.
    assert undone["outcomes"]["updated"] > run["outcomes"]["updated"]

    foretold = update_sync("dead-letters", "replay", "--dry-run", "--json", env=env)
    found = json.loads(foretold.stdout)
    assert (found["users"], found["obsolete"]) == (failed, 0)
    replayed = update_sync("dead-letters", "replay", "--yes", "--max-failed", "1", "--json", env=env)
    counts = json.loads(replayed.stdout)["counts"]
    assert (counts["published"], counts["dead_lettered"], "superseded" in counts) == (failed, failed, False)

    [status] = json.loads(update_sync("status", TENANT_KEY, "--json", env=env).stdout)["tenants"]
    assert status["users"]["failed"] == failed
    assert json_output("dead-letters", "list", "--users", env=env)["count"] == failed
    shown = json_output("runs", "show", run["run"], env=env)
    assert shown["outcomes"]["superseded"] == 0
    assert "fewer in scope" not in update_sync("runs", "show", run["run"], env=env).stdout
