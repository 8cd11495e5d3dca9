"""`matches show` and `users show` of users that fail or are left alone, at stand-ins; no run is made."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING, Any, Final

import pytest

from devtools.commands import json_output, update_sync
from sandbox.environment import TENANT_KEY, Environment, serve_environment
from schemas.dead_letter_reasons import Reason
from schemas.messages.messages import SyncRequest
from schemas.outcomes import Stage
from schemas.runs.collision import Collision
from schemas.runs.sync_result import Failure
from schemas.tenants.match_decision import DecisionKind
from tests.integration.cli.command_line import add_tenant, database_environment, open_store
from tests.integration.cli.json_docs import faults
from tests.integration.workers.identity.accounts import ADDRESS, DOMAIN, account, skolon_user
from tests.integration.workers.identity.test_match_decisions import ANNA, HAND_MADE
from tests.integration.workers.test_pipeline import directory

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

OTHER: Final = account(2, "Annika", "Andersson", f"annika@{DOMAIN}")
KEPT: Final = skolon_user("s1", "Anna", "Andersson", ADDRESS, externalId=OTHER["id"])
TWINS: Final = [
    skolon_user(user_id, "Anna", "Andersson", f"{user_id}@{DOMAIN}", own={"eppn": ADDRESS})
    for user_id in ("s1", "s2")
]


@pytest.fixture
def made_up(tmp_path: Path) -> Iterator[Environment]:
    """Give two accounts whose names are alike, and an organisation without users."""
    folder = tmp_path / "world"
    folder.mkdir()
    with serve_environment(folder, users=1) as served:
        for each in (ANNA, OTHER):
            directory(served).add(each)
        yield served


@pytest.fixture
def env(made_up: Environment, tmp_path: Path) -> dict[str, str]:
    variables = database_environment(tmp_path, **made_up.variables)
    add_tenant(variables, TENANT_KEY, made_up.tenant)
    return variables


def fill(made_up: Environment, *users: dict[str, Any]) -> None:
    (organisation,) = made_up.skolon.organisations
    made_up.skolon.fill(organisation, users)


def compared(env: dict[str, str], *options: str) -> dict[str, Any]:
    found = json_output("matches", "show", TENANT_KEY, ANNA["id"], *options, env=env)
    assert list(faults(found, "MatchComparison")) == []
    return dict(found)


def text(env: dict[str, str], *options: str) -> str:
    done = update_sync("matches", "show", TENANT_KEY, ANNA["id"], *options, env=env)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_collision_shows_the_other_claimant(made_up: Environment, env: dict[str, str]) -> None:
    """Who it is by id, that the Skolon user is kept for it, and its values beside, by their shape."""
    fill(made_up, KEPT)
    found = compared(env)
    assert found["reason"] == "collision"
    (candidate,) = found["skolon_users"]
    (claimant,) = candidate["claimants"]
    assert (claimant["user"], claimant["tenant"], claimant["keeps"]) == (OTHER["id"], None, True)
    shown = text(env)
    assert f"the Skolon user is kept for Entra user {OTHER['id']}\n" in shown
    assert f"Skolon-användaren behålls för Entra-användaren {OTHER['id']}\n" in shown
    assert f"enough for the same person, but kept for Entra user {OTHER['id']}" in shown
    assert "differ" in shown
    assert "attribute\tentra\tskolon\tequal\tclaimant 1" in shown
    assert "Annika" not in shown
    # An External Id that is an account's id is an id like those above it.
    assert f"External Id\t{ANNA['id']}\t{OTHER['id']}\tno\t{OTHER['id']}" in shown
    assert "First name\tAnna\tAnna\tyes\tAnnika" in text(env, "--values")


def test_a_collision_that_only_a_run_finds(made_up: Environment, env: dict[str, str]) -> None:
    """What the last run left is shown, with the user that another tenant keeps the Skolon user for."""
    fill(made_up, skolon_user("s1", "Anna", "Andersson", ADDRESS))
    holder = "00000000-0000-4000-8000-0000000000aa"
    collision = Collision(holder_entra_id=holder, skolon_id="s1", holder_tenant="grannkommun")
    failure = Failure(reason=Reason.COLLISION, stage=Stage.UPDATE, detail="kept", collision=collision)
    with closing(open_store(env)) as store:
        run = store.triggers.open(SyncRequest(tenant=TENANT_KEY), "event").run.id
        store.receipts.create_pending(run, [ANNA["id"]])
        store.receipts.mark_dead_lettered(run, ANNA["id"], failure, 1)
    found = compared(env)
    assert (found["outcome"], found["pending"]["reason"]) == ("would_update", "collision")
    (claimant,) = found["skolon_users"][0]["claimants"]
    assert (claimant["user"], claimant["tenant"], claimant["attributes"]) == (holder, "grannkommun", [])
    shown = text(env)
    assert "collision in run 1" in shown
    assert f"Entra user {holder} of tenant grannkommun" in shown


def test_candidates_of_an_ambiguous_match_have_dates(made_up: Environment, env: dict[str, str]) -> None:
    """When Skolon made and changed each of them, as far as it says."""
    fill(made_up, *TWINS)
    found = compared(env)
    assert found["reason"] == "ambiguous_match"
    assert [each["skolon_user"] for each in found["skolon_users"]] == ["s1", "s2"]
    assert all(each["created"] and each["last_modified"] for each in found["skolon_users"])
    assert text(env).count(f"created         {found['skolon_users'][0]['created']}") == 2


def test_an_external_id_of_another_source_is_masked(made_up: Environment, env: dict[str, str]) -> None:
    """It may be a personal number."""
    fill(made_up, skolon_user("s1", "Anna", "Andersson", ADDRESS, externalId="elev-4711"))
    assert f"External Id\t{ANNA['id']}\t•••-####\tno" in text(env)


def test_a_comparison_says_what_to_do_next(made_up: Environment, env: dict[str, str]) -> None:
    """Of an ambiguous pair: in what the two differ, that values are masked, and the commands that decide."""
    fill(made_up, *TWINS)
    assert compared(env)["skolon_users_differ_in"] == ["user_name", "email"]
    shown = text(env)
    assert "The 2 Skolon users differ in: User name, E-mail." in shown
    assert "--values shows them" in shown
    assert f"update-sync matches link {TENANT_KEY} {ANNA['id']} s2" in shown
    assert f"update-sync matches ignore {TENANT_KEY} --skolon-user s1" in shown
    assert "masked" not in text(env, "--values")


def test_equal_addresses_are_said_to_be(made_up: Environment, env: dict[str, str]) -> None:
    """Where no name agrees, what does agree is named: addresses, which are handed on."""
    fill(made_up, skolon_user("s1", "Bea", "Gammal", ADDRESS))
    found = compared(env)
    assert found["reason"] == "suspicious_match"
    (candidate,) = found["skolon_users"]
    assert (candidate["equal_keys"], candidate["agrees"]) == (["eppn", "user_name", "email"], [])
    said = "no name, birth date or personal number"
    assert found["detail"] == (
        "Skolon user s1 has the same EPPN, User name and E-mail, but may be another person (the same: "
        f"{said}; different: first name and last name)"
    )
    assert f"speaks for      only the same EPPN, User name, E-mail; {said}" in text(env)
    assert "nothing" not in text(env)


def test_a_comparison_judges_as_the_sync_does(made_up: Environment, env: dict[str, str]) -> None:
    """A Skolon user of an account that is gone may be another person's: a first name is too little."""
    gone = "00000000-0000-4000-8000-0000000000ff"
    fill(made_up, skolon_user("s1", "Anna", "Gammal", ADDRESS, externalId=gone))
    found = compared(env)
    (candidate,) = found["skolon_users"]
    assert (found["reason"], candidate["is_proven"]) == ("suspicious_match", False)
    assert candidate["differs"] == ["external_id", "last_name"]


def test_a_comparison_says_that_a_decision_excludes(made_up: Environment, env: dict[str, str]) -> None:
    """Why the user is not found although Skolon users match, and how to take the decision back."""
    fill(made_up, skolon_user("s1", "Anna", "Andersson", ADDRESS))
    with closing(open_store(env)) as store:
        store.match_decisions.add(TENANT_KEY, DecisionKind.IGNORE, skolon_id="s1", operator="admin")
    assert compared(env)["not_found_reason"] == "excluded_by_decision"
    shown = text(env)
    assert "left alone: a decision excludes the Skolon users that match" in shown
    assert f"update-sync matches forget {TENANT_KEY} --skolon-user s1" in shown


def test_a_skolon_user_is_looked_up_by_its_id(made_up: Environment, env: dict[str, str]) -> None:
    """Ignored: by which decision, whose and since when, with --recorded too; else who may be it."""
    fill(made_up, HAND_MADE)
    with closing(open_store(env)) as store:
        store.match_decisions.add(TENANT_KEY, DecisionKind.IGNORE, skolon_id="s1", operator="admin")
    for options in ((), ("--recorded",)):
        found = json_output("users", "show", TENANT_KEY, "s1", *options, env=env)
        assert (found["users"], found["decision"]["operator"]) == ([], "admin")
        shown = update_sync("users", "show", TENANT_KEY, "s1", *options, env=env).stdout
        assert f"Skolon user s1 is ignored since {found['decision']['decided']}, by admin" in shown
        assert f"matches forget {TENANT_KEY} --skolon-user s1" in shown
        assert "No run has found" in shown
    assert update_sync("users", "show", TENANT_KEY, "s9", env=env).returncode == 2


def test_a_skolon_user_leads_to_the_users_that_may_be_it(made_up: Environment, env: dict[str, str]) -> None:
    """Those that wait for it, and those that a decision keeps from it."""
    fill(made_up, HAND_MADE)
    failure = Failure(reason=Reason.SUSPICIOUS_MATCH, stage=Stage.MATCH, detail="who?", candidates=("s1",))
    with closing(open_store(env)) as store:
        run = store.triggers.open(SyncRequest(tenant=TENANT_KEY), "event").run.id
        store.receipts.create_pending(run, [ANNA["id"]])
        store.receipts.mark_dead_lettered(run, ANNA["id"], failure, 1)
    for options in ((), ("--recorded",)):
        found = json_output("users", "show", TENANT_KEY, "s1", *options, env=env)
        assert ([each["user"] for each in found["users"]], found["decision"]) == ([ANNA["id"]], None)
    assert json_output("matches", "show", TENANT_KEY, "s1", env=env)["user"] == ANNA["id"]


def user_now(env: dict[str, str]) -> dict[str, Any]:
    (user,) = json_output("users", "show", TENANT_KEY, ANNA["id"], env=env)["users"]
    assert list(faults(user, "User")) == []
    return dict(user["now"])


def user_text(env: dict[str, str]) -> str:
    done = update_sync("users", "show", TENANT_KEY, ANNA["id"], env=env)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize(
    ("about", "option"),
    [({"skolon_id": "s1"}, "--skolon-user s1"), ({"entra_id": ANNA["id"]}, f"--user {ANNA['id']}")],
    ids=["Skolon user", "Entra user"],
)
def test_a_user_that_is_left_alone_is_said_to_be(
    made_up: Environment, env: dict[str, str], about: dict[str, str], option: str
) -> None:
    """By which decision, whose, since when, and how to take it back; Skolon does have the user."""
    fill(made_up, skolon_user("s1", "Anna", "Andersson", ADDRESS))
    with closing(open_store(env)) as store:
        store.match_decisions.add(TENANT_KEY, DecisionKind.IGNORE, operator="admin", **about)
    (decision,) = user_now(env)["decisions"]
    assert (decision["decision"], decision["operator"]) == ("ignore", "admin")
    shown = user_text(env)
    assert "decision" in shown
    assert f"is ignored since {decision['decided']}, by admin" in shown
    assert f"update-sync matches forget {TENANT_KEY} {option}" in shown
    assert "Skolon has no such user" not in shown


def test_a_user_that_fails_shows_what_differs(made_up: Environment, env: dict[str, str]) -> None:
    """Entra, the rule and Skolon of the candidate, by their shape, and the command that compares them."""
    fill(made_up, HAND_MADE)
    found = user_now(env)
    assert (found["reason"], found["differences"], found["skolon_user"]) == ("suspicious_match", [], "s1")
    (candidate,) = found["candidates"]
    assert candidate["skolon_user"] == "s1"
    rules = {each["attribute"]: each["rule"] for each in candidate["differences"]}
    assert rules["first_name"] == "givenName"
    shown = user_text(env)
    assert "Skolon user s1, to which nothing would be written, differs in:" in shown
    assert f"update-sync matches show {TENANT_KEY} {ANNA['id']}" in shown
    assert "Solros" not in shown


def test_each_candidate_of_an_ambiguous_match_is_shown(made_up: Environment, env: dict[str, str]) -> None:
    fill(made_up, *TWINS)
    assert [each["skolon_user"] for each in user_now(env)["candidates"]] == ["s1", "s2"]
