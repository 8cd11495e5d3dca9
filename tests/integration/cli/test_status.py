"""`update-sync status`: what a person reads and what a program gets, over databases with runs in them."""

from __future__ import annotations

import datetime as dt
import json
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import update

from devtools.commands import json_output, update_sync, wait_for
from schemas.dead_letter_reasons import Reason
from schemas.errors import Dependency
from schemas.messages.messages import SyncRequest
from schemas.outcomes import Cause, Mode, Outcome, Stage
from schemas.runs.sync_result import Failure, SyncResult
from schemas.runs.waits import Wait
from store import tables
from tests.integration.cli.command_line import UNREACHABLE, add_tenant, tenant_object

if TYPE_CHECKING:
    from store.store import Store

USERS = tuple(f"00000000-0000-4000-8000-00000000000{number}" for number in range(6))
FAILED = Failure(reason=Reason.INVALID_USER, stage=Stage.MAP, detail="eppn: must have exactly one @")
UNCHANGED = SyncResult(outcome=Outcome.UNCHANGED)


def sync(
    store: Store,
    results: dict[str, SyncResult | Failure],
    *,
    event: str,
    reads_list: bool = False,
    **request: Any,
) -> int:
    """Record a run of `exempel` in which these users had these results; a delta may read the whole list."""
    opened = store.triggers.open(SyncRequest(tenant="exempel", **request), event).run
    run = opened.id
    if reads_list:
        assert store.delta_state.read_plan(opened, "0" * 64).start_link is None
    store.receipts.create_pending(run, list(results))
    for user, result in results.items():
        if isinstance(result, Failure):
            store.receipts.mark_dead_lettered(run, user, result, 1)
        else:
            store.receipts.finish(run, user, result)
    store.runs.finish_reading(run)
    store.runs.complete_if_done(run)
    return run


def status(env: dict[str, str], *arguments: str) -> tuple[int, dict[str, Any]]:
    """Return the exit code and the object that is printed."""
    done = update_sync("status", *arguments, "--json", env=env)
    assert done.returncode in (0, 1), done.stderr
    return done.returncode, json.loads(done.stdout)


def problems(env: dict[str, str]) -> list[dict[str, Any]]:
    code, found = status(env, "exempel")
    (tenant,) = found["tenants"]
    assert code == found["with_problems"] == min(1, len(tenant["problems"]))
    return list(tenant["problems"])


def change_tenant(store: Store, **values: object) -> None:
    with store.database.transaction() as connection:
        connection.execute(update(tables.tenants).values(**values))


def test_what_fails_for_most_is_a_fault_of_the_settings(env: dict[str, str], store: Store) -> None:
    """Not of each person's values in Entra; a few failures are."""
    sync(store, dict.fromkeys(USERS, FAILED), event="wrong source")
    (problem,) = problems(env)
    assert (problem["reason"], problem["users"], problem["owner"]) == ("invalid_user", 6, "administrator")
    shown = " ".join(update_sync("status", "exempel", env=env).stdout.split())
    assert "6 users failed, most of all: invalid_user; a source in the settings is probably wrong" in shown
    sync(store, {**dict.fromkeys(USERS, UNCHANGED), USERS[0]: FAILED}, event="corrected")
    (problem,) = problems(env)
    assert (problem["users"], problem["owner"]) == (1, "entra")


def test_a_tenant_in_order(env: dict[str, str], store: Store) -> None:
    """Each user once, by the newest result: a later run counts, a dry run does not."""
    missing = SyncResult(outcome=Outcome.NOT_FOUND)
    sync(store, {USERS[0]: UNCHANGED, USERS[1]: FAILED, USERS[2]: missing}, event="full")
    sync(store, {USERS[1]: UNCHANGED, USERS[3]: UNCHANGED}, event="delta", mode=Mode.DELTA)
    sync(store, {USERS[0]: FAILED}, event="dry", dry_run=True)
    code, found = status(env)
    (tenant,) = found["tenants"]
    assert (code, found["with_problems"], tenant["problems"]) == (0, 0, [])
    assert (tenant["last_run"]["run"], tenant["last_run"]["mode"]) == ("2", "delta")
    users = tenant["users"]
    assert (users["expected"], users["in_sync"]) == (3, 3)
    assert (users["verified_within_day"], users["verified_within_week"]) == (3, 3)
    assert (users["failed"], users["not_found"]) == (0, 1)
    shown = update_sync("status", env=env)
    assert shown.returncode == 0
    assert "3 of 3" in shown.stdout
    assert "1 tenant, none needs a person. 3 of 3 users in sync." in shown.stdout


def test_failed_users_need_a_person(env: dict[str, str], store: Store) -> None:
    """By reason: how many, who must act, and the command that names them."""
    sync(store, {USERS[0]: UNCHANGED, USERS[1]: FAILED, USERS[2]: FAILED}, event="full")
    (problem,) = problems(env)
    assert (problem["kind"], problem["reason"], problem["users"]) == ("users_failed", "invalid_user", 2)
    assert problem["owner"] == "entra"
    shown = update_sync("status", env=env)
    assert shown.returncode == 1
    assert (
        "exempel (who must act: entra): "
        "update-sync dead-letters list --users --tenant exempel --reason invalid_user\n"
        "  sv  2 användare kunde inte uppdateras: invalid_user\n"
        "  en  2 users failed: invalid_user\n"
    ) in shown.stdout


def test_a_halted_run_needs_a_person_until_a_later_one_is_complete(env: dict[str, str], store: Store) -> None:
    """A run of one user does not answer it."""
    run = store.triggers.open(SyncRequest(tenant="exempel"), "halts").run.id
    store.runs.halt(run, Cause.ENTRA_CREDENTIALS, "invalid_client")
    sync(store, {USERS[0]: UNCHANGED}, event="one", users=(USERS[0],))
    (problem,) = problems(env)
    assert (problem["kind"], problem["run"], problem["cause"]) == ("run_halted", "1", "entra_credentials")
    assert "run 1 is halted since 2" in update_sync("status", env=env).stdout
    sync(store, {USERS[0]: UNCHANGED}, event="later")
    assert problems(env) == []


def test_a_schedule_that_nothing_follows(env: dict[str, str], store: Store) -> None:
    """Without a scheduler a due run is overdue; without a producer a requested one is not started."""
    now = dt.datetime.now(dt.UTC)
    due = (now - dt.timedelta(minutes=30)).replace(second=0, microsecond=0)
    store.tenants.change("exempel", {"schedule": f"{due.minute} {due.hour} * * *", "time_zone": "UTC"})
    assert problems(env) == []
    change_tenant(store, schedule_active_since=now - dt.timedelta(hours=1))
    (problem,) = problems(env)
    assert (problem["kind"], problem["owner"]) == ("run_overdue", "operator")
    assert problem["since"] == f"{due:%Y-%m-%dT%H:%M:00Z}"
    change_tenant(store, schedule_last_due=due, schedule_published=due)
    (problem,) = problems(env)
    assert problem["kind"] == "run_not_started"
    assert "no producer runs" in update_sync("status", env=env).stdout


@pytest.mark.parametrize(
    ("days", "kind"), [(31, None), (30, "secret_expires"), (0, "secret_expires"), (-1, "secret_expired")]
)
def test_secrets_that_expire(env: dict[str, str], store: Store, days: int, kind: str | None) -> None:
    """A month before the date that was entered, and from that date on."""
    date = (dt.datetime.now(dt.UTC).date() + dt.timedelta(days=days)).isoformat()
    store.tenants.change("exempel", {"client_secret_expires": date, "schedule": "30 2 * * *"})
    assert [problem["kind"] for problem in problems(env)] == ([] if kind is None else [kind])
    assert (date in update_sync("status", env=env).stdout) is (kind is not None)


def test_tenants_with_problems_alone(env: dict[str, str], store: Store) -> None:
    """A disabled tenant waits for nothing; no problem at all is exit code 0 and one line."""
    scheduled = tenant_object(schedule="30 2 * * *")
    add_tenant(env, "granne", scheduled)
    store.tenants.change("exempel", {"schedule": "30 2 * * *"})
    passed = tenant_object(enabled=False, client_secret_expires="2020-01-01")  # noqa: S106 - a date
    add_tenant(env, "vilande", passed)
    assert update_sync("status", "--problems", env=env).stdout.splitlines() == [
        "3 tenants, none needs a person, 2 never synced. No user is in sync."
    ]
    sync(store, {USERS[0]: FAILED}, event="full")
    code, found = status(env, "--problems")
    assert (code, [each["tenant"] for each in found["tenants"]]) == (1, ["exempel"])
    assert [each["tenant"] for each in status(env)[1]["tenants"]] == ["exempel", "granne", "vilande"]


def test_a_tenant_that_is_not_there(env: dict[str, str]) -> None:
    """Wrong use, and no answer that looks like one."""
    done = update_sync("status", "nowhere", env=env)
    assert (done.returncode, done.stdout) == (2, "")
    assert "no tenant 'nowhere'" in done.stderr


def test_an_open_run_says_what_it_waits_for(env: dict[str, str], store: Store) -> None:
    """How many users it has left; it is no problem while it goes on."""
    run = store.triggers.open(SyncRequest(tenant="exempel"), "open").run.id
    store.receipts.create_pending(run, USERS[:3])
    store.runs.finish_reading(run)
    store.receipts.finish(run, USERS[0], UNCHANGED)
    assert problems(env) == []
    assert "1 updating, 2 of 3 pending" in update_sync("status", env=env).stdout
    assert json_output("status", env=env)["tenants"][0]["last_run"]["pending"] == 2


@pytest.mark.parametrize("minutes", [50, 70])
def test_a_service_that_is_away_for_long_needs_a_person(
    env: dict[str, str], store: Store, minutes: int
) -> None:
    """P8: an outage is waited for; after an hour `status --problems` tells of it, and since when."""
    now = dt.datetime.now(dt.UTC)
    since, is_problem = now - dt.timedelta(minutes=minutes), minutes > 60
    run = store.triggers.open(SyncRequest(tenant="exempel"), "open").run.id
    store.receipts.create_pending(run, USERS[:3])
    store.runs.finish_reading(run)
    wait = Wait(service=Dependency.SKOLON, reported=since, next_try=now, failed_at=since, status=503)
    for user in USERS[:2]:
        store.waits.record_user(run, user, wait)
    # Another user that waits for an older run is none of it.
    store.waits.record_user(run, USERS[2], Wait(service=None, reported=since, next_try=now))
    shown = update_sync("status", "--problems", env=env)
    assert shown.returncode == int(is_problem)
    said = f"run 1 has waited for Skolon since {since:%Y-%m-%dT%H:%M:%SZ}: it goes on by itself afterwards"
    assert (said in shown.stdout) is is_problem
    found = [(each["kind"], each["service"], each["users"], each["run"]) for each in problems(env)]
    assert found == ([("service_away", "skolon", 2, "1")] if is_problem else [])


EXCLUDED = SyncResult(outcome=Outcome.OUT_OF_SCOPE, detail="scope.exclude city=…: the user matches the rule")


def test_a_tenant_that_has_never_run_is_named(env: dict[str, str], store: Store) -> None:
    """It needs a person unless a schedule or an open run changes that; one user is not all."""
    (problem,) = problems(env)
    assert (problem["kind"], problem["owner"]) == ("never_synced", "administrator")
    shown = update_sync("status", env=env).stdout
    assert "  en  never synced, and no schedule starts a run" in shown
    assert "1 tenant, 1 with a problem, 1 never synced. No user is in sync." in shown
    store.triggers.open(SyncRequest(tenant="exempel"), "first")
    assert problems(env) == []
    assert status(env)[1]["tenants"][0]["never_synced"]


def test_a_scope_without_users_is_not_well(env: dict[str, str], store: Store) -> None:
    """The fall is told against the run before, and as long as no user is in scope, that needs a person."""
    sync(store, dict.fromkeys(USERS, UNCHANGED), event="all")
    sync(store, {**dict.fromkeys(USERS, UNCHANGED), USERS[0]: EXCLUDED}, event="fewer")
    assert problems(env) == []
    fall = "1 user fewer in scope than in run 1 (6 then, 5 in run 2)"
    assert f"exempel: {fall}" in update_sync("status", env=env).stdout
    assert fall in update_sync("runs", "show", "2", env=env).stdout
    sync(store, dict.fromkeys(USERS, EXCLUDED), event="none")
    (problem,) = problems(env)
    assert (problem["kind"], problem["run"], problem["users"]) == ("no_users", "3", 6)
    shown = update_sync("status", env=env).stdout
    assert "no user is kept in sync since run 3: 6 users are out of scope or not in Skolon" in shown
    assert "5 users fewer in scope than in run 2" in shown
    assert shown.rstrip().endswith("1 tenant, 1 with a problem. No user is in sync.")
    sync(store, dict.fromkeys(USERS, EXCLUDED), event="again")
    assert [each["kind"] for each in problems(env)] == ["no_users"]
    assert json_output("runs", "show", "4", env=env)["scope_change"] == {
        "run": "4",
        "in_scope": 0,
        "run_before": "3",
        "in_scope_before": 0,
    }


def test_a_delta_that_read_all_users_is_as_good_as_a_full_run(env: dict[str, str], store: Store) -> None:
    """A bad run that was let through is history then: for the status, the report and the freshness."""
    all_users: dict[str, SyncResult | Failure] = dict.fromkeys(USERS, UNCHANGED)
    sync(store, all_users, event="good")
    sync(store, dict.fromkeys(USERS, EXCLUDED), event="bad")
    (problem,) = problems(env)
    assert (problem["kind"], problem["run"]) == ("no_users", "2")
    sync(store, {USERS[0]: UNCHANGED}, event="some", mode=Mode.DELTA)
    assert json_output("tenants", "report", "exempel", env=env)["run"] == "2"
    sync(store, all_users, event="corrected", mode=Mode.DELTA, reads_list=True)
    assert problems(env) == []
    (tenant,) = status(env)[1]["tenants"]
    assert tenant["scope_change"] == {"run": "4", "in_scope": 6, "run_before": "2", "in_scope_before": 0}
    assert json_output("tenants", "report", "exempel", env=env)["run"] == "4"
    assert json_output("tenants", "freshness", "exempel", env=env)["run"] == "4"
    assert "fewer in scope" not in update_sync("status", env=env).stdout


def test_a_run_that_asks_is_not_the_last_word(env: dict[str, str], store: Store) -> None:
    """While it waits for an answer, the good run before it is neither forgotten nor blamed."""
    sync(store, dict.fromkeys(USERS, UNCHANGED), event="good")
    run = store.triggers.open(SyncRequest(tenant="exempel"), "bad").run.id
    store.receipts.create_pending(run, USERS)
    for user in USERS:
        store.receipts.finish(run, user, EXCLUDED)
    store.runs.halt(run, Cause.GUARD_EXCEEDED, "guard.left_scope: 6 of 6 synced users")
    (problem,) = problems(env)
    assert (problem["kind"], problem["run"]) == ("run_halted", str(run))
    assert "6 of 6 users in sync" in update_sync("status", env=env).stdout
    store.runs.cancel(run)
    assert problems(env) == []


def test_requests_that_no_producer_has_taken_are_told(
    env: dict[str, str], store: Store, amqp_url: str
) -> None:
    """By `status`, which then exits with 1, and by `runs list`; without RabbitMQ it is said to be unknown."""
    sync(store, {USERS[0]: UNCHANGED}, event="complete")
    reachable = {**env, "UPDATE_SYNC_AMQP_URL": amqp_url}
    assert status(reachable)[1]["waiting_requests"] == {"count": 0, "has_producer": True}
    assert "request" not in update_sync("runs", "list", env=reachable).stdout
    assert update_sync("trigger", "exempel", env=reachable).returncode == 0
    wait_for(lambda: status(reachable)[0], "the request in its queue")
    code, found = status(reachable)
    assert (code, found["with_problems"]) == (1, 0)
    assert found["waiting_requests"] == {"count": 1, "has_producer": False}
    said = "1 request for a run waits: no producer runs. Start one with 'update-sync producer'."
    for command in (("status",), ("runs", "list")):
        assert said in update_sync(*command, env=reachable).stdout
    away = {**env, "UPDATE_SYNC_AMQP_URL": f"amqp://{UNREACHABLE}"}
    assert status(away)[1]["waiting_requests"] is None
    assert "it is not known whether requests" in update_sync("status", env=away).stdout


def test_an_open_run_without_workers_needs_a_person(env: dict[str, str], store: Store, amqp_url: str) -> None:
    """RabbitMQ is asked who takes its users; without an open run it is not asked."""
    reachable = {**env, "UPDATE_SYNC_AMQP_URL": amqp_url}
    away = {**env, "UPDATE_SYNC_AMQP_URL": f"amqp://{UNREACHABLE}"}
    sync(store, {USERS[0]: UNCHANGED}, event="complete")
    assert problems(away) == []
    run = store.triggers.open(SyncRequest(tenant="exempel"), "open").run.id
    store.receipts.create_pending(run, USERS[:3])
    assert [each["kind"] for each in problems(reachable)] == ["no_producer", "no_worker"]
    store.runs.finish_reading(run)
    (problem,) = problems(reachable)
    assert (problem["kind"], problem["run"], problem["owner"]) == ("no_worker", "2", "operator")
    assert "run 2 has stopped: no worker runs" in update_sync("status", env=reachable).stdout
    assert [each["kind"] for each in problems(away)] == ["broker_away"]
