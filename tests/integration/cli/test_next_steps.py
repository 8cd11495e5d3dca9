"""What to do next: each answer that leaves something to do names the command for it, before it asks."""

from __future__ import annotations

import datetime as dt
import json
from typing import TYPE_CHECKING

import pytest

from devtools.commands import json_output, update_sync
from schemas.dead_letter_reasons import Reason
from schemas.hub.member import Role
from schemas.messages.messages import SyncRequest
from schemas.outcomes import Cause, Mode, Outcome, Stage, Status
from schemas.runs.sync_result import Failure, SyncResult
from schemas.users.attributes import Attribute
from tests.contract.store.factories import begin_run
from tests.integration.cli.command_line import UNREACHABLE, database_environment, run_on_terminal

if TYPE_CHECKING:
    from pathlib import Path

    from schemas.runs.run import Run
    from store.store import Store

ANNA, BO = (f"00000000-0000-4000-8000-00000000000{number}" for number in range(2))
FAILED = Failure(reason=Reason.INVALID_USER, stage=Stage.MAP, detail="eppn: must have exactly one @")


def update(store: Store, run: Run, user: str) -> None:
    """Have a run change a user."""
    store.claims.claim(
        run.id, user, f"s-{user}", {Attribute.CITY: "Lund"}, new_values={Attribute.CITY: "Malmö"}
    )
    store.receipts.finish(run.id, user, SyncResult(outcome=Outcome.UPDATED, skolon_id=f"s-{user}"))


def end(store: Store, run: Run) -> None:
    store.runs.finish_reading(run.id)
    assert store.runs.complete_if_done(run.id)


@pytest.fixture
def undone(store: Store) -> Run:
    """Have a run that updated two users, and an undo of it that restored one."""
    run = begin_run(store, "event", ANNA, BO, key="exempel")
    update(store, run, ANNA)
    update(store, run, BO)
    end(store, run)
    request = SyncRequest(tenant="exempel", mode=Mode.UNDO, reverts_run_id=run.id)
    undo = store.triggers.open(request, "undo").run
    store.receipts.create_pending(undo.id, [ANNA])
    update(store, undo, ANNA)
    end(store, undo)
    return run


@pytest.mark.usefixtures("undone")
def test_the_status_says_why_fewer_are_right_after_an_undo(env: dict[str, str]) -> None:
    """And what sets them right, in both languages; it is no problem by itself."""
    done = update_sync("status", env=env)
    assert "1 of 2" in done.stdout
    assert "exempel (after an undo): update-sync trigger exempel" in done.stdout
    assert "1 user has former values since a run was undone" in done.stdout
    assert "1 användare har sina tidigare värden sedan en körning ångrades" in done.stdout
    assert "update-sync tenants set exempel …" in done.stdout
    [shown] = json.loads(update_sync("status", "--json", env=env).stdout)["tenants"]
    assert (shown["users"]["reverted"], shown["problems"]) == (1, [])


def test_an_undo_needs_a_word(env: dict[str, str], undone: Run, amqp_url: str) -> None:
    """What changes users on a person's word needs it: an answer, or --yes where there is no terminal."""
    env = {**env, "UPDATE_SYNC_AMQP_URL": amqp_url}
    done = update_sync("runs", "undo", str(undone.id), env=env)
    assert (done.returncode, "pass --yes" in done.stderr) == (2, True)
    code, seen = run_on_terminal("runs", "undo", str(undone.id), env=env, typed={"[y/N]": "n\n"})
    assert (code, "Nothing has been done" in seen) == (1, True)


def test_an_undo_of_what_was_undone_says_so(env: dict[str, str], store: Store, undone: Run) -> None:
    """Before it asks: by which run, for how many users; and of a complete undo what gives the values back."""
    env = {**env, "UPDATE_SYNC_AMQP_URL": f"amqp://{UNREACHABLE}"}
    by_complete = f"Run {undone.id} is undone already: run 2 restored 1 user.\n"
    said = update_sync("runs", "undo", "--yes", str(undone.id), env=env).stdout
    assert by_complete in said
    assert f"To have the values of run {undone.id} again: update-sync runs undo 2\n" in said
    request = SyncRequest(tenant="exempel", mode=Mode.UNDO, reverts_run_id=2, users=(ANNA,))
    again = store.triggers.open(request, "undo of the undo").run
    store.receipts.create_pending(again.id, [ANNA])
    update(store, again, ANNA)
    end(store, again)
    said = update_sync("runs", "undo", "--yes", "2", env=env).stdout
    assert "Run 3 (completed) has undone run 2 for 1 user." in said
    assert "already:" not in said
    # Undone itself, it is no undo to rely on.
    assert by_complete not in update_sync("runs", "undo", "--yes", str(undone.id), env=env).stdout


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (
            ("hub", "members"),
            "The Data Hub has no member. For a link: update-sync hub invite NAME --role operator",
        ),
        (("tenants", "list"), "No tenant so far: 'update-sync tenants add' adds one."),
        (("tenants", "freshness", "--all"), "No tenant so far: 'update-sync tenants add' adds one."),
        (("runs", "list"), "No run so far: 'update-sync trigger' requests one."),
        (("runs", "list", "--status", "halted"), "No run fits these options."),
    ],
)
def test_where_there_is_nothing_it_is_said(tmp_path: Path, arguments: tuple[str, ...], said: str) -> None:
    """And no headings over nothing; as JSON it is an empty list, never null."""
    env = database_environment(tmp_path)
    done = update_sync(*arguments, env=env)
    assert (done.returncode, done.stdout) == (0, f"{said}\n"), done.stderr
    assert json_output(*arguments, env=env) == []


def test_no_is_an_answer(env: dict[str, str], store: Store, amqp_url: str) -> None:
    """Whatever a command asks: it ends with 1, says that nothing has been done, and nothing has."""
    member = store.hub_members.add("Made Up", Role.OPERATOR, [])
    store.hub_sessions.start("0" * 64, member.id)
    run = begin_run(store, "event", ANNA, BO, key="exempel")
    store.receipts.finish(run.id, BO, SyncResult(outcome=Outcome.UNCHANGED))
    store.runs.halt(run.id, Cause.GUARD_EXCEEDED, "too many")
    store.tenants.change("exempel", {"give_up_after_hours": 3})
    env = {**env, "UPDATE_SYNC_AMQP_URL": amqp_url}
    before = store.tenants.get("exempel")
    for arguments in (
        ("tenants", "remove", "exempel"),
        ("tenants", "set", "exempel", "--source", "eppn="),
        ("runs", "resume", str(run.id), "--override-guard"),
        ("hub", "remove", str(member.id)),
    ):
        code, seen = run_on_terminal(*arguments, env=env, typed={"[y/N]": "n\n"})
        assert (code, "Nothing has been done." in seen) == (1, True), (arguments, seen)
        assert store.tenants.get("exempel") == before
        assert store.runs.get(run.id).status is Status.HALTED
        assert [each.id for each in store.hub_members.list()] == [member.id]


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ((), "It has changed no user."),
        (
            (ANNA,),
            "It has changed 1 user, which stays so. To restore the former values: update-sync runs undo 1",
        ),
        ((ANNA, BO), "It has changed 2 users, which stay so."),
    ],
)
def test_cancelling_says_what_stays_changed(
    env: dict[str, str], store: Store, changed: tuple[str, ...], said: str
) -> None:
    run = begin_run(store, "event", ANNA, BO, "third", key="exempel")
    for user in changed:
        update(store, run, user)
    assert said in update_sync("runs", "cancel", str(run.id), env=env).stdout


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("runs", "undo", "999"), "There is no run 999"),
        (("runs", "undo", "1"), "Run 1 cannot be undone: it has changed no user"),
        (("runs", "resume", "1", "--override-guard"), "Run 1 is cancelled: there is nothing to resume"),
        (("dead-letters", "replay", "--tenant", "nowhere"), "There is no tenant 'nowhere'"),
        (("tenants", "remove", "nowhere"), "There is no tenant 'nowhere'"),
    ],
)
def test_what_cannot_be_done_is_refused_before_it_asks(
    env: dict[str, str], store: Store, amqp_url: str, arguments: tuple[str, ...], said: str
) -> None:
    """On a terminal, and without one no `--yes` is asked for to learn it."""
    run = begin_run(store, "event", ANNA, BO, key="exempel")
    store.receipts.finish(run.id, BO, SyncResult(outcome=Outcome.UNCHANGED))
    store.runs.halt(run.id, Cause.GUARD_EXCEEDED, "too many")
    store.runs.cancel(run.id)
    store.tenants.change("exempel", {"give_up_after_hours": 3})
    env = {**env, "UPDATE_SYNC_AMQP_URL": amqp_url}
    code, seen = run_on_terminal(*arguments, env=env)
    assert (code, said in seen, "[y/N]" in seen) == (2, True, False)
    piped = update_sync(*arguments, env=env)
    assert (piped.returncode, said in piped.stderr, "--yes" in piped.stderr) == (2, True, False)


def test_setting_aside_says_how_many_users_and_until_when(env: dict[str, str], store: Store) -> None:
    """By the clock of the tenant, which the day was given by."""
    run = begin_run(store, "event", ANNA, BO, key="exempel")
    for user in (ANNA, BO):
        store.receipts.mark_dead_lettered(run.id, user, FAILED, 1)
    end(store, run)
    day = (dt.datetime.now(dt.UTC) + dt.timedelta(days=3)).date().isoformat()
    group = ("--tenant", "exempel", "--reason", "invalid_user")

    said = update_sync("dead-letters", "set-aside", *group, "--until", day, env=env).stdout

    assert f"2 users of exempel that fail for invalid_user are set aside until {day} 00:00" in said
    assert "(Europe/Stockholm)" in said
    none = ("--tenant", "exempel", "--reason", "gave_up", "--until", day)
    said = update_sync("dead-letters", "set-aside", *none, env=env).stdout
    assert f"No user of exempel fails for gave_up now. Users that do before {day} 00:00" in said
    back = update_sync("dead-letters", "set-aside", *group, "--end", env=env).stdout
    assert "2 users of exempel that fail for invalid_user are no longer set aside." in back


def test_a_run_with_failures_names_the_command_that_lists_them(env: dict[str, str], store: Store) -> None:
    """As `trigger --wait`, `runs watch` and `runs show` print it, until a newer run settles them."""
    run = begin_run(store, "event", ANNA, key="exempel")
    store.receipts.mark_dead_lettered(run.id, ANNA, FAILED, 1)
    end(store, run)
    command = "update-sync dead-letters list --users --tenant exempel"
    watched = update_sync("runs", "watch", str(run.id), env=env)
    assert (watched.returncode, command in watched.stdout) == (1, True)
    newer = begin_run(store, "newer", ANNA, key="exempel")
    store.receipts.finish(newer.id, ANNA, SyncResult(outcome=Outcome.UNCHANGED))
    end(store, newer)
    assert command not in update_sync("runs", "show", str(run.id), env=env).stdout
    dry = begin_run(store, "dry", ANNA, dry_run=True, key="exempel")
    store.receipts.mark_dead_lettered(dry.id, ANNA, FAILED, 1)
    end(store, dry)
    shown = update_sync("runs", "show", str(dry.id), env=env).stdout
    assert f"update-sync runs show {dry.id} --users --outcome dead_lettered" in shown
    users = json_output("runs", "show", str(dry.id), "--users", "--outcome", "dead_lettered", env=env)[
        "users"
    ]
    assert [each["user"] for each in users] == [ANNA]


def test_a_missing_key_is_told_in_words(env: dict[str, str], store: Store) -> None:
    """What happened, which keys to give to whom, and the command that goes on, in both languages."""
    run = begin_run(store, "event", ANNA, key="exempel")
    store.runs.halt(run.id, Cause.MISSING_KEY, "tenants.client_secret")
    shown = update_sync("runs", "show", str(run.id), env=env).stdout
    assert "Give every process the new key and the former one after it, restart them, and resume" in shown
    assert "Ge alla processer den nya nyckeln och efter den den tidigare, starta om dem" in shown
    assert f"update-sync runs resume {run.id}" in shown
    assert "missing_key" in update_sync("status", env=env).stdout
