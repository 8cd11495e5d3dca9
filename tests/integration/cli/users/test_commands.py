"""`users show`, `tenants freshness` and `tenants report`, over what a run in this process left behind."""

from __future__ import annotations

import json
import time
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from devtools.commands import json_output, update_sync, wait_for
from schemas.crypto.encryption import FieldCipher, new_key
from schemas.dead_letter_reasons import Reason
from schemas.messages.messages import SyncRequest
from schemas.outcomes import Mode, Outcome, Stage
from schemas.runs.identity_digests import IdentityDigests, normalize_eppn
from schemas.runs.sign_in import SignInMatch, ValueMatch
from schemas.runs.sync_result import Failure, SyncResult
from schemas.users.attributes import Attribute
from tests.contract.store.factories import begin_run
from tests.integration.cli.command_line import add_tenant, database_environment, open_store, tenant_object
from tests.integration.cli.json_docs import faults

if TYPE_CHECKING:
    from pathlib import Path

ANNA, BO = (f"00000000-0000-4000-8000-00000000000{number}" for number in range(2))
EPPN = "anna.andersson@skola.example"
WRONG = Failure(reason=Reason.INVALID_USER, stage=Stage.MAP, detail="eppn: must have exactly one @")


@pytest.fixture
def env(tmp_path: Path) -> dict[str, str]:
    """Give books with a complete run: Anna is right, Bo is a dead letter, and both have one EPPN."""
    variables = database_environment(tmp_path)
    add_tenant(variables, "exempel", tenant_object())
    index = FieldCipher([variables["UPDATE_SYNC_SECRET_KEYS"]]).index
    marks = IdentityDigests(eppn=index.digest("exempel", Attribute.EPPN, normalize_eppn(EPPN)))
    with closing(open_store(variables)) as store:
        run = store.triggers.open(SyncRequest(tenant="exempel"), "event").run.id
        store.receipts.create_pending(run, [ANNA, BO])
        right = SyncResult(
            outcome=Outcome.UPDATED,
            skolon_id="s1",
            changed=(Attribute.CITY,),
            digests=marks,
            sign_in=SignInMatch(email=ValueMatch.EXACT, idp_identifier=ValueMatch.CASE_DIFFERS),
        )
        store.receipts.finish(run, ANNA, right)
        store.receipts.record_digests(run, BO, marks)
        store.receipts.mark_dead_lettered(run, BO, WRONG, 1)
        store.runs.finish_reading(run)
        store.runs.complete_if_done(run)
    return variables


@pytest.mark.parametrize("who", [ANNA, "s1"])
def test_who_is_right_is_said_since_when(env: dict[str, str], who: str) -> None:
    """By Entra id or Skolon id: right, confirmed by which run, and what it changed, without values."""
    (person,) = json_output("users", "show", "exempel", who, "--recorded", env=env)["users"]
    assert (person["user"], person["skolon_user"], person["in_sync"]) == (ANNA, "s1", True)
    assert person["since"] == person["verified"]["at"]
    assert (person["verified"]["run"], person["verified"]["changed"]) == ("1", ["city"])
    shown = update_sync("users", "show", "exempel", who, "--recorded", env=env).stdout
    assert "by run 1, updated" in shown


def test_who_is_not_right_is_said_why(env: dict[str, str]) -> None:
    """P9: the reason, whose turn it is, and what to do about it, in Swedish and English."""
    (person,) = json_output("users", "show", "exempel", BO, "--recorded", env=env)["users"]
    assert (person["in_sync"], person["reason"], person["owner"]) == (False, "invalid_user", "entra")
    assert set(person["explanation"]) == {"sv", "en"}
    assert person["verified"] is None
    shown = update_sync("users", "show", "exempel", BO, "--recorded", env=env).stdout
    assert all(words in shown for words in ("Rätta i Entra", "Correct the field", WRONG.detail, "never"))


def test_an_eppn_finds_all_who_have_it(env: dict[str, str]) -> None:
    """P6: without regard to case, after keys were rotated, from standard input; it is printed nowhere."""
    rotated = {**env, "UPDATE_SYNC_SECRET_KEYS": f"{new_key()},{env['UPDATE_SYNC_SECRET_KEYS']}"}
    found = update_sync(
        "users", "show", "exempel", "-", "--recorded", "--json", env=rotated, stdin=EPPN.upper() + "\n"
    )
    assert found.returncode == 0, found.stderr
    assert all(user in found.stdout for user in (ANNA, BO))
    assert EPPN not in (found.stdout + found.stderr).casefold()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("exempel", "somebody.else@skola.example"), "No user with that id or EPPN was found in 'exempel'"),
        (("another", ANNA), "no tenant 'another'"),
        (("exempel", ""), "The user is blank"),
        (("exempel", " "), "The user is blank"),
    ],
)
def test_nobody_is_wrong_use(env: dict[str, str], arguments: tuple[str, ...], said: str) -> None:
    """P6: who is not there is said with exit 2, and not by what was typed."""
    done = update_sync("users", "show", *arguments, "--recorded", env=env)
    assert (done.returncode, done.stdout) == (2, "")
    assert said in done.stderr
    assert "somebody" not in done.stderr


def test_an_eppn_needs_the_keys(env: dict[str, str]) -> None:
    """Without keys nothing can be found by EPPN, and that is said."""
    done = update_sync(
        "users", "show", "exempel", EPPN, "--recorded", env={**env, "UPDATE_SYNC_SECRET_KEYS": ""}
    )
    assert done.returncode == 2
    assert "UPDATE_SYNC_SECRET_KEYS" in done.stderr


def test_freshness_of_a_tenant_and_of_all(env: dict[str, str]) -> None:
    """One of two people is confirmed: in a line for each tenant, and as an object or a list of them."""
    one = json_output("tenants", "freshness", "exempel", env=env)
    assert (one["expected"], one["within_day"], one["failed"], one["share_within_day"]) == (2, 1, 1, 0.5)
    assert json_output("tenants", "freshness", "--all", env=env) == [one]
    lines = update_sync("tenants", "freshness", "--all", env=env).stdout.splitlines()
    assert {line.count("\t") for line in lines} == {8}
    assert "50.0 %" in lines[1]
    assert update_sync("tenants", "freshness", env=env).returncode == 2


def test_an_undone_run_is_told_as_undone_everywhere(env: dict[str, str]) -> None:
    """`status`, freshness, the user and the run say the same of who was undone, and of who had failed."""
    with closing(open_store(env)) as store:
        request = SyncRequest(tenant="exempel", mode=Mode.UNDO, reverts_run_id=1)
        undo = store.triggers.open(request, "undo").run.id
        store.receipts.create_pending(undo, [ANNA, BO])
        for user in (ANNA, BO):
            store.receipts.finish(undo, user, SyncResult(outcome=Outcome.UPDATED, skolon_id=f"s-{user}"))
        store.runs.finish_reading(undo)
        store.runs.complete_if_done(undo)
    (tenant,) = json.loads(update_sync("status", "--json", env=env).stdout)["tenants"]
    totals = tenant["users"]
    assert (totals["in_sync"], totals["reverted"], totals["failed"]) == (0, 1, 1)
    fresh = json_output("tenants", "freshness", "exempel", env=env)
    assert (fresh["within_day"], fresh["reverted"], fresh["failed"]) == (0, 1, 1)
    (anna,) = json_output("users", "show", "exempel", ANNA, "--recorded", env=env)["users"]
    (bo,) = json_output("users", "show", "exempel", BO, "--recorded", env=env)["users"]
    assert {anna["state"], bo["state"]} == {"reverted", "dead_lettered"}
    assert [anna["verified"]["undone_by"], anna["history"][1]["undone_by"]] == ["2", "2"]
    assert (
        "updated; undone by run 2"
        in update_sync("users", "show", "exempel", ANNA, "--recorded", env=env).stdout
    )
    shown = update_sync("runs", "show", "1", env=env).stdout
    assert "for 2 users by run 2 (completed, " in shown
    assert json_output("runs", "show", "1", env=env)["undone_by"][0]["users"] == 2


def test_the_report_is_for_people_and_programs(env: dict[str, str]) -> None:
    """Who shares an EPPN is named, the EPPN is not; a tenant without a complete full run is wrong use."""
    found = json_output("tenants", "report", "exempel", env=env)
    assert list(faults(found, "Report")) == []
    assert found["same_eppn"] == {"count": 1, "users": [[ANNA, BO]]}
    assert (found["collisions"]["count"], found["warnings"]) == (0, [])
    shown = update_sync("tenants", "report", "exempel", env=env).stdout
    assert f"  {ANNA}\n    and {BO}\n" in shown
    assert EPPN not in shown
    add_tenant(env, "granne", tenant_object())
    done = update_sync("tenants", "report", "granne", env=env)
    assert done.returncode == 2
    assert "No full run" in done.stderr


def test_the_report_tells_who_could_sign_in(env: dict[str, str]) -> None:
    """Shares, ids and what another source would do, in plain words; no value is shown."""
    found = json_output("tenants", "report", "exempel", env=env)["sign_in"]
    assert (found["email"]["users"], found["email"]["exact"], found["locked_out"]["count"]) == (1, 1, 1)
    assert found["locked_out"]["users"] == [
        {"user": ANNA, "email": "exact", "idp_identifier": "case_differs"}
    ]
    not_judged = found["not_judged"]
    assert not_judged["count"] == sum(not_judged["reasons"].values()) > 0
    shown = update_sync("tenants", "report", "exempel", env=env).stdout
    why, users = next(iter(not_judged["reasons"].items()))
    assert f"People who could not be judged: {not_judged['count']} ({users} {why}" in shown
    assert "E-mail and mail: 100 % of 1 people (1 equal," in shown
    assert f"    {ANNA}\n      Idp identifier in other capital or small letters\n" in shown
    assert "With onPremisesImmutableId as its source, 1 people would get another Idp identifier" in shown
    assert "'tenants preview exempel --set idp_identifier=onPremisesImmutableId' tries it" in shown


def test_since_does_not_depend_on_how_many_runs_are_shown(env: dict[str, str]) -> None:
    """It is asked of the whole history: with one run shown and with all, as a text and as JSON."""
    # Times are printed in whole seconds: the later runs have to be of a later one.
    second = int(time.time())
    wait_for(lambda: int(time.time()) > second, "the next second")
    with closing(open_store(env)) as store:
        for number in range(4):
            run = begin_run(store, f"later {number}", ANNA, key="exempel")
            store.receipts.finish(run.id, ANNA, SyncResult(outcome=Outcome.UNCHANGED, skolon_id="s1"))
            store.runs.finish_reading(run.id)
            store.runs.complete_if_done(run.id)

    shown = [
        json_output("users", "show", "exempel", ANNA, "--recorded", "--limit", str(limit), env=env)["users"][
            0
        ]
        for limit in (1, 2, 100)
    ]

    assert len({each["since"] for each in shown}) == 1
    assert [len(each["history"]) for each in shown][:2] == [1, 2]
    text = update_sync("users", "show", "exempel", ANNA, "--recorded", "--limit", "1", env=env).stdout
    assert shown[0]["since"] in text
