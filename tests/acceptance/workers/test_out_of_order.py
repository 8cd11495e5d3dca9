"""What comes twice, late or in turn, over real RabbitMQ, PostgreSQL and processes: the end is right."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from devtools.commands import json_output, update_sync
from devtools.trigger_message import event, publish
from sandbox.environment import TENANT_KEY
from sandbox.municipality.changes import changed_users
from sandbox.skolon.faults import rejected_searches
from tests.acceptance.runs import ended_run, read_dead_letters

if TYPE_CHECKING:
    from sandbox.environment import Environment

#: All users fail in the first run, and no guard is to halt that.
SETTINGS = {"guard": {"failed": None}}


def change(made_up: Environment, people: int, seed: int) -> dict[str, dict[str, Any]]:
    """Change so many people in Entra; return them as they are there now, by id."""
    directory = next(iter(made_up.microsoft.directories.values()))
    changed = changed_users(made_up.municipality, people, seed=seed)
    for user in changed:
        directory.change(user["id"], user)
    return {user["id"]: user for user in changed}


def in_skolon(made_up: Environment) -> dict[str, dict[str, Any]]:
    """Return what of each Skolon user may have been changed here, by Entra id, in Entra's words."""
    found = {}
    for user in made_up.skolon_users():
        home: dict[str, Any] = next(
            (each for each in user.get("addresses", ()) if each.get("type") == "home"), {}
        )
        phones = {each.get("type"): each["value"] for each in user.get("phoneNumbers", ())}
        found[user.get("externalId", "")] = {
            "surname": user["name"]["familyName"],
            "streetAddress": home.get("streetAddress"),
            "postalCode": home.get("postalCode"),
            "city": home.get("locality"),
            "mobilePhone": phones.get("mobile"),
        }
    return found


def done_run(env: dict[str, str], mode: str) -> dict[str, Any]:
    """Trigger a run and return it once it is done; with dead letters among its people it ends with 1."""
    done = update_sync("trigger", TENANT_KEY, "--mode", mode, "--wait", "--json", env=env)
    shown: dict[str, Any] = json.loads(done.stdout)
    return shown


@pytest.mark.usefixtures("pool")
def test_whatever_comes_twice_late_or_in_turn_ends_right(
    made_up: Environment, env: dict[str, str], amqp_url: str
) -> None:
    """P4: overlapping triggers, old dead letters replayed after a newer run, delta and full runs in turn.

    In the end Skolon is as Entra is, person by person; what was old changed nothing, and every change was
    made once. Two triggers at once may have a page published twice, so that the same person is in two hands:
    Skolon refuses the second change, for the user is no longer as it was read.
    """
    made_up.skolon.faults.add(rejected_searches())
    publish(amqp_url, "tenant-sync", event("fails"))
    failed = ended_run(env, 1)
    made_up.skolon.faults.clear()
    dead_letters = len(read_dead_letters(amqp_url, "user-sync"))
    latest = change(made_up, 7, seed=1)

    # Two triggers at once are one run: of three events two runs.
    publish(amqp_url, "tenant-sync", event("one"))
    publish(amqp_url, "tenant-sync", event("other"))
    newer = ended_run(env, 2)
    assert newer["outcomes"]["updated"] >= made_up.municipality.expected_outcomes("first")["updated"]
    dead_but_written = made_up.municipality.partly_written
    assert made_up.change_totals() == newer["outcomes"]["updated"] + dead_but_written
    before, skolon = made_up.change_totals(), made_up.skolon_users()

    # The letters hold these people as they were before they changed. The newer run has made them stale.
    assert dead_letters
    old = ("dead-letters", "replay", "--run", failed["run"], "--original-payload", "--yes", "--json")
    replayed = update_sync(*old, env=env)
    assert replayed.returncode == 0, replayed.stderr
    assert json.loads(replayed.stdout) == {"operation": None, "counts": {}}
    assert (made_up.change_totals(), made_up.skolon_users()) == (before, skolon)

    updated = 0
    for seed, mode in enumerate(("delta", "full", "delta", "delta"), start=2):
        changed = change(made_up, 5, seed=seed)
        latest |= changed
        run = done_run(env, mode)
        assert (run["status"], run["outcomes"]["updated"]) == ("completed", len(changed))
        updated += len(changed)
    assert made_up.change_totals() == before + updated

    found = in_skolon(made_up)
    for user_id, user in latest.items():
        assert {name: user[name] for name in found[user_id]} == found[user_id]
    ours = {user["id"] for user in made_up.skolon_users() if user.get("externalId") in latest}
    assert set(made_up.wrong_users()) <= ours
    shown = json_output("runs", "list", env=env)
    assert all(run["published"] == sum(run["outcomes"].values()) for run in shown)
    assert done_run(env, "full")["outcomes"]["updated"] == 0
