"""Problems are told once by mail and webhook, and that it is well again: by the command and its servers."""

from __future__ import annotations

import datetime as dt
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Final

import pytest

from administration.notifications.rounds import tick
from cli.notifications.senders import open_senders
from devtools.commands import json_output, update_sync
from schemas.dead_letter_reasons import Reason
from schemas.outcomes import Cause, Outcome, Stage
from schemas.runs.changes import ChangeKind
from schemas.runs.sync_result import Failure, SyncResult
from schemas.settings import load_settings
from schemas.users.attributes import Attribute
from tests.integration.cli.command_line import add_tenant, open_store, tenant_object
from tests.integration.cli.json_docs import faults
from tests.integration.hub.made_up_runs import FAILED, USERS, finish, start
from tests.integration.notifications.conftest import RECIPIENT, TENANT
from tests.integration.notifications.receivers import SENDER

if TYPE_CHECKING:
    from collections.abc import Mapping

    from schemas.settings import Settings
    from tests.integration.notifications.conftest import Scene
    from tests.integration.notifications.receivers import MailServer

CITY: Final = Attribute.CITY
UPDATED: Final = SyncResult(
    outcome=Outcome.UPDATED, skolon_id="s1", changed=(CITY,), change_kinds={CITY: ChangeKind.CHANGED}
)
OTHER: Final = Failure(reason=Reason.VALUE_TAKEN, stage=Stage.UPDATE, detail="eppn")


def fail(scene: Scene, event: str, *failures: Failure) -> int:
    run = start(scene.store, TENANT, event)
    finish(scene.store, run, dict(zip(USERS, failures, strict=False)))
    return run


def body_of(scene: Scene, number: int = -1) -> str:
    return str(scene.mail.mails[number][1].get_content())


def test_a_problem_is_told_once_and_so_is_that_it_is_well_again(scene: Scene) -> None:
    """By mail and by a webhook that its receiver can trust; not again in the next minutes."""
    fail(scene, "one", FAILED, FAILED)

    assert [scene.send() for _ in range(3)] == [2, 0, 0]
    fail(scene, "two")
    assert [scene.send() for _ in range(2)] == [2, 0]

    assert [recipient for recipient, _ in scene.mail.mails] == [RECIPIENT] * 2
    assert scene.mail.subjects == [
        "Exempelkommun: users could not be updated",
        "Exempelkommun: Well again: the users could be updated",
    ]
    message = scene.mail.mails[0][1]
    assert (message["From"], message["Auto-Submitted"]) == (SENDER, "auto-generated")
    assert "A value breaks a rule: 2 users could not be updated." in body_of(scene, 0)
    assert "https://hub.example/tenants/exempel/attention/" in body_of(scene, 0)
    assert [each["type"] for each in scene.hook.bodies] == [
        "problem.users_failed",
        "well_again.users_failed",
    ]
    assert [list(faults(each, "Webhook")) for each in scene.hook.bodies] == [[], []]
    [problem] = scene.hook.bodies[0]["data"]["problems"]
    assert (problem["reason"], problem["users"]) == ("invalid_user", 2)
    assert not any(user in str(scene.hook.bodies) + body_of(scene, 0) for user in USERS)


def test_a_further_cause_is_told_and_one_that_is_gone_is_not(scene: Scene) -> None:
    """Again when the cause changes: a reason that comes to others, but not one that leaves."""
    fail(scene, "one", FAILED)
    assert scene.send() == 2
    fail(scene, "two", FAILED, OTHER)
    assert scene.send() == 2
    fail(scene, "three", FAILED, FAILED)
    assert scene.send() == 0
    fail(scene, "four", FAILED, OTHER)
    assert scene.send() == 2
    assert "Another user in Skolon has the value: 1 user could not be updated." in body_of(scene)


def test_it_is_told_above_a_number_and_well_again_at_half_of_it(scene: Scene) -> None:
    """A number that goes up and down by one is not told each time."""
    scene.run("set", TENANT, "--most-failed", "2")
    told = []
    for number, failures in enumerate([2, 3, 2, 3, 1]):
        fail(scene, str(number), *([FAILED] * failures))
        told.append(scene.send())
    assert told == [0, 2, 0, 0, 2]


@pytest.mark.parametrize(
    ("cause", "problem", "well"),
    [
        (
            Cause.GUARD_EXCEEDED,
            "a halted run waits for an answer",
            "the halted run has its answer",
        ),
        (Cause.ENTRA_CREDENTIALS, "a run was halted", "the run is halted no longer"),
    ],
)
def test_a_halt_and_a_question_lead_to_the_run(scene: Scene, cause: Cause, problem: str, well: str) -> None:
    """The mail has the page of the run; an answer, or a complete run of all users, ends it."""
    run = start(scene.store, TENANT, "halt")
    scene.store.runs.halt(run, cause, "made up")
    scene.send()
    assert f"https://hub.example/tenants/exempel/runs/{run}" in body_of(scene)
    if cause is Cause.GUARD_EXCEEDED:
        # No other run starts before its answer.
        scene.store.runs.cancel(run)
    fail(scene, "later")
    scene.send()
    assert scene.mail.subjects == [f"Exempelkommun: {problem}", f"Exempelkommun: Well again: {well}"]


@pytest.mark.parametrize(
    ("changed", "said"), [(0, "It had changed no user"), (1, "It had changed 1 user before that.")]
)
def test_the_mail_of_a_halt_says_how_many_were_changed(scene: Scene, changed: int, said: str) -> None:
    """It does not say that nothing is changed; a run that was cancelled is not said to have made all well."""
    run = start(scene.store, TENANT, "halt")
    for user in USERS[:changed]:
        scene.store.receipts.finish(run, user, UPDATED)
    scene.store.runs.halt(run, Cause.GUARD_EXCEEDED, "made up")
    scene.send()
    assert said in " ".join(body_of(scene).split())
    assert "Until then it changes no further user" in " ".join(body_of(scene).split())
    scene.store.runs.cancel(run)
    scene.send()
    assert "You need do nothing" not in body_of(scene)
    assert "continued or cancelled" in " ".join(body_of(scene).split())


def test_a_secret_is_told_of_30_7_and_1_days_before_it_expires(scene: Scene) -> None:
    """And when it has expired; each once. A new date is well again."""
    today = dt.datetime.now(dt.UTC).date()
    told = []
    for days in (31, 30, 29, 8, 7, 2, 1, 0, -1, -2, 200):
        expires = (today + dt.timedelta(days=days)).isoformat()
        scene.store.tenants.change(TENANT, {"client_secret_expires": expires})
        told.append((days, scene.send()))
    # A new date is another cause: here each look is one, so each within 30 days is told.
    assert [days for days, count in told if count] == [30, 29, 8, 7, 2, 1, 0, -1, -2, 200]
    assert scene.mail.subjects[-1] == "Exempelkommun: Well again: the client secret is renewed"


def test_that_no_user_was_confirmed_is_told_as_status_shows_it(scene: Scene) -> None:
    """After as many days as the tenant has chosen, and well again with the next run."""
    fail(scene, "one")
    later = dt.datetime.now(dt.UTC) + dt.timedelta(days=3, minutes=1)
    senders = open_senders(load_settings_of(scene.env), scene.store)
    assert tick(later, senders=senders, store=scene.store) == 0
    scene.run("set", TENANT, "--unconfirmed-days", "3")
    assert tick(later, senders=senders, store=scene.store) == 2
    assert scene.mail.subjects == ["Exempelkommun: no user was confirmed as right"]
    fail(scene, "two")
    assert scene.send() == 2


def load_settings_of(env: Mapping[str, str]) -> Settings:
    with pytest.MonkeyPatch.context() as patch:
        for name, value in env.items():
            patch.setenv(name, value)
        return load_settings(())


def test_quiet_hours_hold_back_and_what_got_well_in_them_is_not_told(scene: Scene) -> None:
    """What is still so is told after them."""
    now = dt.datetime.now(dt.UTC)
    scene.store.tenants.change(TENANT, {"time_zone": "UTC"})
    hours = f"{now - dt.timedelta(hours=1):%H:%M}-{now + dt.timedelta(hours=1):%H:%M}"
    scene.run("set", TENANT, "--quiet", hours)
    fail(scene, "one", FAILED)
    assert scene.send() == 0
    fail(scene, "two")
    assert scene.send() == 0
    scene.run("set", TENANT, "--no-quiet")
    assert scene.send() == 0
    scene.run("set", TENANT, "--quiet", hours)
    fail(scene, "three", OTHER)
    assert scene.send() == 0
    scene.run("set", TENANT, "--no-quiet")
    assert scene.send() == 2


def test_a_tenant_that_is_switched_off_is_not_told_of(scene: Scene) -> None:
    """It is not well again either."""
    fail(scene, "one", FAILED)
    assert scene.send() == 2
    scene.store.tenants.change(TENANT, {"enabled": False})
    assert scene.send() == 0
    scene.store.tenants.change(TENANT, {"enabled": True})
    assert scene.send() == 2


def test_operators_are_told_of_all_tenants(scene: Scene) -> None:
    """By settings of their own, whatever a tenant has chosen."""
    add_tenant(scene.env, "annan", tenant_object(name="Annan kommun", organisation="annan"))
    scene.run("set", "--recipient", "drift@skolon.example", "--most-failed", "0", "--language", "sv")
    run = start(scene.store, "annan", "annan")
    finish(scene.store, run, {USERS[0]: FAILED})
    assert scene.send() == 1
    fail(scene, "one", FAILED)
    assert scene.send() == 3
    assert [recipient for recipient, _ in scene.mail.mails].count("drift@skolon.example") == 2
    assert "Annan kommun: " in scene.mail.subjects[0]


def test_several_processes_tell_once(mail: MailServer, postgresql_environment: dict[str, str]) -> None:
    """Eight that look at the same moment, on PostgreSQL."""
    env = {**postgresql_environment, **mail.variables}
    add_tenant(env, TENANT, tenant_object())
    json_output("notifications", "set", TENANT, "--recipient", RECIPIENT, "--most-failed", "0", env=env)
    store = open_store(env)
    run = start(store, TENANT, "one")
    finish(store, run, {USERS[0]: FAILED})
    store.close()
    with ThreadPoolExecutor(8) as pool:
        done = list(pool.map(lambda _: update_sync("notifications", "send", env=env), range(8)))
    assert [each.returncode for each in done] == [0] * 8, [each.stderr for each in done]
    json_output("notifications", "send", env=env)
    assert len(mail.mails) == 1
