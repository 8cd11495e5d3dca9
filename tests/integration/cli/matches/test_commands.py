"""`update-sync matches`: what waits, both sides of it, and decisions that a producer and a worker apply."""

from __future__ import annotations

import json
from contextlib import closing
from typing import TYPE_CHECKING, Final

import pytest

from devtools.commands import command_environment, json_output, running, update_sync
from sandbox.environment import TENANT_KEY, Environment, serve_environment
from schemas.runs.operation import OperationKind
from tests.integration.cli.command_line import add_tenant, database_environment, open_store
from tests.integration.cli.json_docs import faults
from tests.integration.workers.identity.accounts import ADDRESS, DOMAIN, account, skolon_user
from tests.integration.workers.identity.test_match_decisions import ANNA, HAND_MADE
from tests.integration.workers.test_pipeline import directory

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

BO: Final = account(2, "Bo", "Berg", f"bo@{DOMAIN}")
BOS: Final = skolon_user("s2", "Bo", "Berg", f"bo@{DOMAIN}", externalId=BO["id"])


#: Skolon has no user for her.
CLEO: Final = account(3, "Cleo", "Ceder", f"cleo@{DOMAIN}")


@pytest.fixture
def made_up(tmp_path: Path) -> Iterator[Environment]:
    """Give Anna, whom a hand-made account matches by e-mail, and Bo, who has his own."""
    folder = tmp_path / "world"
    folder.mkdir()
    with serve_environment(folder, users=1) as served:
        served.skolon.fill(next(iter(served.skolon.organisations)), [HAND_MADE, BOS])
        for each in (ANNA, BO, CLEO):
            directory(served).add(each)
        yield served


@pytest.fixture
def env(made_up: Environment, tmp_path: Path, amqp_url: str, database_url: str) -> Iterator[dict[str, str]]:
    """Give a producer and a worker that run, and a run in which Anna is a dead letter."""
    variables = command_environment(
        **made_up.variables,
        UPDATE_SYNC_AMQP_URL=amqp_url,
        UPDATE_SYNC_DATABASE_URL=database_url,
        UPDATE_SYNC_SECRET_KEYS=database_environment(tmp_path)["UPDATE_SYNC_SECRET_KEYS"],
    )
    with closing(open_store(variables)) as store:
        store.upgrade()
    add_tenant(variables, TENANT_KEY, made_up.tenant)
    with (
        running("producer", env=variables, log=tmp_path / "producer.log"),
        running("worker", env=variables, log=tmp_path / "worker.log"),
    ):
        triggered("trigger", "--user", ANNA["id"], env=variables, code=1)
        yield variables


def triggered(*arguments: str, env: dict[str, str], code: int = 0) -> dict[str, int]:
    """Run a command that waits for its run, and return the outcomes of the run's users."""
    command, *options = arguments
    names = (command, TENANT_KEY) if command == "trigger" else ("matches", command, TENANT_KEY)
    done = update_sync(*names, *options, "--wait", "--json", env=env)
    assert done.returncode == code, done.stderr
    return {outcome: count for outcome, count in json.loads(done.stdout)["outcomes"].items() if count}


def refused(*arguments: str, env: dict[str, str]) -> str:
    command, *options = arguments
    done = update_sync("matches", command, TENANT_KEY, *options, env=env)
    assert (done.returncode, done.stdout) == (2, "")
    return done.stderr


def test_a_suspicious_match_is_settled_once(made_up: Environment, env: dict[str, str]) -> None:
    """Listed, compared without values, linked, synced at once, listed as a decision, and taken back."""
    listed = json_output("matches", "list", TENANT_KEY, env=env)
    assert list(faults(listed, "MatchList")) == []
    (waiting,) = listed["pending"]
    assert (waiting["user"], waiting["skolon_users"]) == (ANNA["id"], ["s1"])
    assert (waiting["reason"], waiting["decided"]) == ("suspicious_match", False)
    assert "matches" in waiting["explanation"]["en"]["fix"]

    shown = update_sync("matches", "show", TENANT_KEY, ANNA["id"], env=env).stdout
    assert "first name, last name" in shown
    assert not any(value in shown for value in ("Anna", "Solros", ADDRESS))
    assert "Solros" in update_sync("matches", "show", TENANT_KEY, ANNA["id"], "--values", env=env).stdout

    objections = refused("link", ANNA["id"], "s1", env=env)
    assert "speaks against: first name, last name" in objections
    assert "speaks for:     only the same E-mail; no name, birth date or personal number" in objections
    assert "Not interactive: pass --yes." in objections
    assert "Solros" not in objections
    assert json_output("matches", "list", TENANT_KEY, env=env)["decisions"] == []
    assert triggered("link", ANNA["id"], "s1", "--yes", env=env) == {"updated": 1}
    held = made_up.skolon_user("s1")
    assert held is not None
    assert (held["externalId"], held["name"]["givenName"]) == (ANNA["id"], "Anna")

    listed = json_output("matches", "list", TENANT_KEY, env=env)
    assert (listed["pending"], listed["count"]) == ([], 0)
    (decision,) = listed["decisions"]
    assert (decision["decision"], decision["user"], decision["skolon_user"]) == ("link", ANNA["id"], "s1")
    assert "s1" in update_sync("matches", "list", TENANT_KEY, env=env).stdout

    taken_back = update_sync("matches", "forget", TENANT_KEY, "--user", ANNA["id"], "--wait", env=env)
    assert taken_back.returncode == 0
    assert (
        f"Run 2 wrote to Skolon user s1 for Entra user {ANNA['id']} because of the decision, and"
        in taken_back.stdout
    )
    assert f"update-sync runs undo 2 --user {ANNA['id']}" in taken_back.stdout
    assert "by its External Id" in taken_back.stdout
    assert json_output("matches", "list", TENANT_KEY, env=env)["decisions"] == []
    with closing(open_store(env)) as store:
        kept = store.operations.list()
    assert [each.kind for each in kept] == [OperationKind.FORGET, OperationKind.LINK]
    assert {each.selection["skolon_user"] for each in kept} == {"s1"}
    assert all(each.operator for each in kept)


def test_a_wrong_link_is_taken_back_for_both_users(made_up: Environment, env: dict[str, str]) -> None:
    """The link names who waits for the Skolon user; `forget`, an undo and a delta lead back for both."""
    triggered("trigger", env=env, code=1)
    said = refused("link", CLEO["id"], "s1", env=env)
    assert f"affects Entra user {ANNA['id']}, too: the sync will find no Skolon user for this user" in said
    linked = update_sync("matches", "link", TENANT_KEY, CLEO["id"], "s1", "--yes", "--wait", env=env)
    assert f"synced again now: {CLEO['id']}, {ANNA['id']}" in linked.stdout
    with closing(open_store(env)) as store:
        wrong = store.runs.list(TENANT_KEY)[0].run.id
    assert states(env) == {ANNA["id"]: ("not_in_skolon", None), CLEO["id"]: ("in_sync", "s1")}
    (found,) = json_output("users", "show", TENANT_KEY, "s1", "--recorded", env=env)["users"][:1]
    assert found["user"] == CLEO["id"]

    taken_back = update_sync("matches", "forget", TENANT_KEY, "--user", CLEO["id"], "--wait", env=env)
    assert f"synced again now: {CLEO['id']}, {ANNA['id']}" in taken_back.stdout
    # The link has overwritten the address by which she matched: only the undo restores it.
    assert states(env)[ANNA["id"]][0] == "not_in_skolon"

    tried = update_sync("runs", "undo", str(wrong), "--user", CLEO["id"], "--dry-run", env=env)
    assert "would_update" in tried.stdout
    undone = update_sync("runs", "undo", str(wrong), "--user", CLEO["id"], "--yes", "--wait", env=env)
    assert f"which Skolon users these are: {CLEO['id']}, {ANNA['id']}" in undone.stdout
    assert f"update-sync trigger {TENANT_KEY} --user {CLEO['id']} --user {ANNA['id']}" in undone.stdout
    assert "mapping" not in undone.stdout
    # The link is no more, and what it wrote is gone.
    assert CLEO["id"] not in update_sync("users", "show", TENANT_KEY, "s1", "--recorded", env=env).stdout
    assert states(env)[CLEO["id"]] == ("reverted", None)

    triggered("trigger", "--mode", "delta", env=env, code=1)
    assert states(env) == {ANNA["id"]: ("dead_lettered", None), CLEO["id"]: ("not_in_skolon", None)}
    (waiting,) = json_output("matches", "list", TENANT_KEY, env=env)["pending"]
    assert (waiting["user"], waiting["skolon_users"]) == (ANNA["id"], ["s1"])
    held = made_up.skolon_user("s1")
    assert held is not None
    assert {name: value for name, value in held.items() if name != "meta"} == HAND_MADE


def states(env: dict[str, str]) -> dict[str, tuple[str, str | None]]:
    """Return the state of Anna and Cleo, and their Skolon users, as the runs recorded them."""
    found = {}
    for user in (ANNA["id"], CLEO["id"]):
        (shown,) = json_output("users", "show", TENANT_KEY, user, "--recorded", env=env)["users"]
        found[user] = shown["state"], shown["skolon_user"]
    return found


@pytest.mark.parametrize(
    ("options", "outcome"),
    [(("--user", ANNA["id"]), "out_of_scope"), (("--skolon-user", "s1"), "not_found")],
)
def test_a_user_is_left_alone(
    made_up: Environment, env: dict[str, str], options: tuple[str, str], outcome: str
) -> None:
    """Whichever of the two is ignored, the match waits no more, and nothing is written."""
    assert triggered("ignore", *options, env=env) == {outcome: 1}
    assert json_output("matches", "list", TENANT_KEY, env=env)["pending"] == []
    held = made_up.skolon_user("s1")
    assert held is not None
    assert {name: value for name, value in held.items() if name != "meta"} == HAND_MADE


def test_a_contradicting_link_is_refused(made_up: Environment, env: dict[str, str]) -> None:
    """Who is gone, has another decision or belongs to another user is named by id, with what to do."""
    del made_up
    assert "Entra has no user" in refused("link", "00000000-0000-4000-8000-0000000000ff", "s1", env=env)
    assert "another organisation" in refused("link", ANNA["id"], "s9", env=env)
    assert f"ignore {TENANT_KEY} --user {BO['id']}" in refused("link", ANNA["id"], "s2", env=env)
    assert "clear it" in refused("link", BO["id"], "s1", env=env)
    assert "one of --user and --skolon-user" in refused("ignore", env=env)
    assert "no decision" in refused("forget", "--skolon-user", "s1", env=env)
    assert "No user with that id" in refused("ignore", "--user", "Nosuch", env=env)
    assert "No user with that id" in refused("show", "Nosuch", env=env)
    # No run has matched it: Skolon and Entra tell whose it is.
    (found,) = json_output("users", "show", TENANT_KEY, "s2", env=env)["users"]
    assert found["user"] == BO["id"]
    gone = "00000000-0000-4000-8000-0000000000ff"
    assert "Entra has no user" in refused("ignore", "--user", gone, env=env)
    assert "another organisation" in refused("ignore", "--skolon-user", "nosuch", env=env)
    assert json_output("matches", "list", TENANT_KEY, env=env)["decisions"] == []
    triggered("ignore", "--skolon-user", "s1", env=env)
    assert f"forget {TENANT_KEY} --skolon-user s1" in refused("link", ANNA["id"], "s1", env=env)
    with closing(open_store(env)) as store:
        assert len(store.operations.list()) == 1
