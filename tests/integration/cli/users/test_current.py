"""`users show`, which looks at Entra and Skolon now, at stand-ins of both; no run is made."""

from __future__ import annotations

import json
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest

from devtools.commands import update_sync
from sandbox.environment import TENANT_KEY, Environment
from sandbox.microsoft.faults import Effect
from sandbox.microsoft.faults import Fault as GraphFault
from sandbox.microsoft.http_messages import Kind
from schemas.dead_letter_reasons import Reason
from schemas.details.detail import Detail, from_json
from schemas.details.kinds import DetailKind
from schemas.messages.messages import SyncRequest
from schemas.outcomes import Outcome, Stage
from schemas.runs.sync_result import Failure, SyncResult
from tests.integration.cli.command_line import add_tenant, database_environment, open_store
from tests.integration.cli.json_docs import faults
from tests.integration.cli.tenants.test_preview import user_with, values_of

if TYPE_CHECKING:
    from pathlib import Path

    from sandbox.municipality.municipality import MadeUpUser

PEOPLE = 120
FAILED = Failure(reason=Reason.REJECTED_BY_SKOLON, stage=Stage.UPDATE, detail="email: refused")


@pytest.fixture
def env(stand_ins: Environment, tmp_path: Path) -> dict[str, str]:
    variables = database_environment(tmp_path, **stand_ins.variables)
    add_tenant(variables, TENANT_KEY, stand_ins.tenant)
    return variables


def show(env: dict[str, str], who: str, *options: str, code: int = 0) -> dict[str, Any]:
    """Return the one user that is shown; who it is stands on standard input alone."""
    arguments = ("users", "show", TENANT_KEY, "-", *options)
    done = update_sync(*arguments, "--json", env=env, stdin=f"{who}\n")
    assert done.returncode == code, done.stderr
    (user,) = json.loads(done.stdout)["users"]
    assert list(faults(user, "User")) == []
    return dict(user)


def text(env: dict[str, str], person: MadeUpUser, *options: str) -> str:
    done = update_sync("users", "show", TENANT_KEY, str(person.entra["id"]), *options, env=env)
    assert done.returncode == 0, done.stderr
    return done.stdout


def record(
    env: dict[str, str], person: MadeUpUser, result: SyncResult | Failure | None, event: str = "event"
) -> None:
    """Record that a run had this result for a user, or with None that it is still at it."""
    user = str(person.entra["id"])
    with closing(open_store(env)) as store:
        run = store.triggers.open(SyncRequest(tenant=TENANT_KEY), event).run.id
        store.receipts.create_pending(run, [user])
        store.runs.finish_reading(run)
        if isinstance(result, Failure):
            store.receipts.mark_dead_lettered(run, user, result, 1)
        elif result is not None:
            store.receipts.finish(run, user, result)
        store.runs.complete_if_done(run)


@pytest.mark.parametrize("name", ["id", "userPrincipalName", "mail", "displayName"])
def test_a_user_is_found_by_what_people_know(stand_ins: Environment, env: dict[str, str], name: str) -> None:
    """P6: by id, user principal name, mail or name, although no run knows the user; no value is shown."""
    person = user_with(stand_ins, "updated")
    before = stand_ins.skolon_users()
    found = show(env, str(person.entra[name]).upper())
    assert found["user"] == person.entra["id"]
    assert (found["state"], found["in_sync"], found["history"]) == ("unknown", None, [])
    assert found["now"]["outcome"] == "would_update"
    assert found["now"]["delay"] == {"reason": "never_processed", "run": None, "at": None}
    assert not any(value in json.dumps(found) for value in values_of(person))
    assert stand_ins.skolon_users() == before


def test_each_attribute_that_differs_is_shown_with_its_rule(
    stand_ins: Environment, env: dict[str, str]
) -> None:
    """P6: Entra, the rule and Skolon, as shapes; as values only with `--values`."""
    person = user_with(stand_ins, "updated")
    differences = show(env, str(person.entra["id"]))["now"]["differences"]
    assert differences
    assert all(each["rule"] for each in differences)
    shown = text(env, person)
    count = len(differences)
    assert f"differs: a run that reads this user would change {count} attribute" in shown
    assert "not done because (en)  no run has processed this user" in shown
    assert "not done because (sv)  ingen körning har tagit hand om användaren" in shown
    assert "attribute\tEntra\trule\tSkolon\tchange" in shown
    assert not any(value in shown for value in values_of(person))
    entra = {each["entra"] for each in show(env, str(person.entra["id"]), "--values")["now"]["differences"]}
    assert entra & values_of(person)


def test_a_delta_may_not_read_the_user(stand_ins: Environment, env: dict[str, str]) -> None:
    """When the next run is due, in UTC; a delta is not said to write what only a full run would find."""
    person = user_with(stand_ins, "updated")
    with closing(open_store(env)) as store:
        store.tenants.change(TENANT_KEY, {"schedule": "*/30 * * * *", "time_zone": "Europe/Helsinki"})
    now = show(env, str(person.entra["id"]))["now"]
    assert (now["next_mode"], now["next_full_due"]) == ("full", now["next_due"])
    record(env, person, SyncResult(outcome=Outcome.UNCHANGED))
    now = show(env, str(person.entra["id"]))["now"]
    assert now["next_mode"] == "delta"
    assert now["next_due"].endswith(":00Z")
    assert now["next_due"] < now["next_full_due"]
    shown = text(env, person)
    assert f"{now['next_due']}, delta, which reads this user only if" in shown
    assert f"the next full run is due {now['next_full_due']}" in shown


@pytest.mark.parametrize(
    ("outcome", "said"),
    [
        ("unchanged", "Skolon is right in what the sync compares: a run would change nothing"),
        ("not_found", "Skolon has no such user"),
        ("out_of_scope", "excluded, or not in Entra"),
    ],
)
def test_what_the_next_run_would_do(
    stand_ins: Environment, env: dict[str, str], outcome: str, said: str
) -> None:
    """Where it would change nothing, nothing is late."""
    person = user_with(stand_ins, outcome)
    found = show(env, str(person.entra["id"]))["now"]
    assert (found["outcome"], found["differences"], found["delay"]) == (outcome, [], None)
    assert said in text(env, person)


def test_what_would_fail_says_who_must_act(stand_ins: Environment, env: dict[str, str]) -> None:
    """In Swedish and English."""
    person = user_with(stand_ins, "dead_lettered", "invalid_user")
    found = show(env, str(person.entra["id"]))["now"]
    assert (found["outcome"], found["reason"], found["owner"]) == ("dead_lettered", "invalid_user", "entra")
    shown = text(env, person)
    assert "a run would fail" in shown
    assert "fix (sv)" in shown


def test_what_is_written_of_a_user_that_fails_is_said(stand_ins: Environment, env: dict[str, str]) -> None:
    """A bad personal number holds no other value back: the first line says so, and the table has them."""
    person = next(each for each in stand_ins.municipality if each.unwritten == ("ssn",))
    directory, user = next(iter(stand_ins.microsoft.directories.values())), str(person.entra["id"])
    before = len(show(env, user)["now"]["differences"])
    surname = person.entra["surname"]
    directory.change(user, {"surname": "Rättad"})
    try:
        found, shown = show(env, user)["now"], text(env, person)
    finally:
        directory.change(user, {"surname": surname})
    written = {each["attribute"] for each in found["differences"]}
    assert (found["outcome"], "last_name" in written) == ("dead_lettered", True)
    assert len(written) >= before
    count = len(written)
    others = "1 other attribute" if count == 1 else f"{count} other attributes"
    assert f"a run would fail, and change {others} all the same" in shown


@pytest.mark.parametrize(
    ("result", "reason", "said"),
    [
        (SyncResult(outcome=Outcome.UNCHANGED), "changed_since", "have changed since run 1"),
        (SyncResult(outcome=Outcome.NOT_FOUND), "left_out", "run 1 left this user out"),
        (FAILED, "failed", "run 1 failed for this user"),
        (None, "pending_run", "run 1 has not come to this user yet"),
    ],
)
def test_why_it_has_not_been_done(
    stand_ins: Environment,
    env: dict[str, str],
    result: SyncResult | Failure | None,
    reason: str,
    said: str,
) -> None:
    """By what the last run recorded."""
    person = user_with(stand_ins, "updated")
    record(env, person, result)
    delay = show(env, str(person.entra["id"]))["now"]["delay"]
    assert (delay["reason"], delay["run"]) == (reason, "1")
    assert said in text(env, person)


def test_a_user_that_is_right_by_now_is_said_to_be(stand_ins: Environment, env: dict[str, str]) -> None:
    """Beside what the runs have recorded; without a look at Skolon that alone is known."""
    person = user_with(stand_ins, "unchanged")
    record(env, person, FAILED)
    shown = text(env, person)
    assert "now yes, as above; before that no: it could not be updated." in shown
    assert "The next run that reads this user records it" in shown
    assert "now yes" not in text(env, person, "--recorded")
    found = show(env, str(person.entra["id"]))
    assert (found["in_sync"], found["now"]["outcome"]) == (False, "unchanged")


def test_recorded_asks_neither_entra_nor_skolon(stand_ins: Environment, env: dict[str, str]) -> None:
    """It needs no settings of theirs, and names and addresses are unknown to it."""
    person = user_with(stand_ins, "updated")
    record(env, person, FAILED)
    stand_ins.skolon.forget_requests()
    found = show(env, str(person.entra["id"]), "--recorded")
    assert (found["now"], found["reason"]) == (None, "rejected_by_skolon")
    assert stand_ins.skolon.requests() == {}
    done = update_sync(
        "users", "show", TENANT_KEY, "-", "--recorded", env=env, stdin=str(person.entra["displayName"])
    )
    assert done.returncode == 2
    assert "without --recorded, Entra and Skolon are asked too" in done.stderr


@pytest.mark.parametrize(
    "who", ["Ingen Alls", "ingen@exempel.example", "6a1c0c3e-0000-4000-8000-0000000000ff"]
)
def test_a_user_that_is_nowhere(env: dict[str, str], who: str) -> None:
    """P6: wrong use, and what was typed is not repeated."""
    done = update_sync("users", "show", TENANT_KEY, "-", env=env, stdin=who)
    assert (done.returncode, done.stdout) == (2, "")
    assert "No user with that id, address or name" in done.stderr
    assert "ngen" not in done.stderr


def test_what_is_recorded_is_shown_while_entra_is_away(stand_ins: Environment, env: dict[str, str]) -> None:
    """And that both sides could not be looked at, with exit code 1."""
    person = user_with(stand_ins, "updated")
    record(env, person, FAILED)
    stand_ins.microsoft.faults.add(GraphFault(effect=Effect.ERROR, kind=Kind.USER, status=503, times=None))
    found = show(env, str(person.entra["id"]), code=1)
    assert found["now"]["outcome"] is None
    assert found["now"]["away"] == found["now"]["structured_away"]["texts"]["en"]
    assert found["now"]["away"].startswith("Microsoft Graph did not answer as it should (")
    assert found["reason"] == "rejected_by_skolon"
    lines = update_sync("users", "show", TENANT_KEY, str(person.entra["id"]), env=env).stdout
    assert "away (sv)  Microsoft Graph svarade inte som det ska (" in lines
    assert "away (en)  Microsoft Graph did not answer as it should (" in lines
    compared = update_sync("matches", "show", TENANT_KEY, str(person.entra["id"]), env=env)
    assert compared.returncode == 1
    assert "Which Skolon users match is not known." in compared.stdout
    assert "No Skolon user was found" not in compared.stdout
    assert "away (sv)  Microsoft Graph svarade inte som det ska (" in compared.stdout


def test_nothing_is_said_twice(stand_ins: Environment, env: dict[str, str]) -> None:
    """Where the runs recorded what is found now, reason, owner, detail and advice are said once."""
    person = user_with(stand_ins, "dead_lettered", "invalid_user")
    detail = from_json(show(env, str(person.entra["id"]))["now"]["structured_detail"])
    assert detail is not None
    record(env, person, Failure(reason=Reason.INVALID_USER, stage=Stage.MAP, detail=detail))
    shown = text(env, person)
    assert [shown.count(each) for each in (detail, "owner ", "fix (sv) ", "fix (en) ")] == [1, 1, 1, 1]
    assert "invalid_user, as above" in shown
    other = Detail(DetailKind.NOT_AN_EPPN, attribute="eppn")
    record(env, person, Failure(reason=Reason.INVALID_USER, stage=Stage.MAP, detail=other), "later")
    assert other in text(env, person)


def test_what_is_not_synced_is_not_said_to_be_right(made_up: Environment, env: dict[str, str]) -> None:
    """An attribute without a source: nothing is known of it, in both views, as text and as JSON."""
    person = user_with(made_up, "unchanged")
    entra_id = str(person.entra["id"])
    assert "eppn" not in show(env, entra_id)["now"]["not_compared"]
    with closing(open_store(env)) as store:
        store.tenants.change(TENANT_KEY, {"sources": {"eppn": []}, "match_keys": ["external_id", "email"]})
    record(env, person, SyncResult(outcome=Outcome.UNCHANGED))
    found = show(env, entra_id)
    assert found["now"]["outcome"] == "unchanged"
    assert "eppn" in found["now"]["not_compared"]
    assert "eppn" in found["not_synced"]
    said = text(env, person)
    assert "Not compared, as the sync does not set them: " in said
    assert "yes, in what the sync compares" in said
    assert "EPPN" in next(line for line in said.splitlines() if line.startswith("not synced"))
    tried = update_sync("tenants", "preview", TENANT_KEY, "--user", entra_id, env=env)
    assert "not compared, as the sync does not set them: " in tried.stdout
