"""`update-sync runs`, as processes on a database file that holds some runs."""

from __future__ import annotations

import re
import signal
import subprocess
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import update

from devtools.commands import DEADLINE, json_output, update_sync
from schemas.dead_letter_reasons import Reason
from schemas.details.detail import Detail
from schemas.details.kinds import DetailKind
from schemas.messages.messages import SyncRequest
from schemas.outcomes import Cause, Mode, Outcome, Stage, Status
from schemas.runs.run import identity_kept_warning
from schemas.runs.sync_result import Failure, SyncResult
from schemas.users.attributes import Attribute
from store import tables
from tests.integration.cli.command_line import (
    COMMAND,
    UNREACHABLE,
    run_on_terminal,
)
from tests.integration.cli.json_docs import faults

if TYPE_CHECKING:
    from store.store import Store

USERS = tuple(f"00000000-0000-4000-8000-00000000000{number}" for number in range(4))


@pytest.fixture
def run(store: Store) -> int:
    """Open a run of four people that has been read to its end."""
    number = store.triggers.open(SyncRequest(tenant="exempel"), "first").run.id
    store.receipts.create_pending(number, USERS)
    store.runs.finish_reading(number)
    return number


def finish(store: Store, run: int, *, dead: bool) -> None:
    store.claims.claim(run, USERS[0], "skolon-0", {Attribute.CITY: "Hemligstad", Attribute.EMAIL: None})
    changed = (Attribute.CITY, Attribute.EMAIL)
    store.receipts.finish(
        run, USERS[0], SyncResult(outcome=Outcome.UPDATED, skolon_id="skolon-0", changed=changed)
    )
    store.receipts.finish(run, USERS[1], SyncResult(outcome=Outcome.UNCHANGED))
    store.receipts.finish(run, USERS[2], SyncResult(outcome=Outcome.NOT_FOUND))
    if dead:
        dead_letter = Failure(reason=Reason.AMBIGUOUS_MATCH, stage=Stage.MATCH, detail="2 users by eppn")
        store.receipts.mark_dead_lettered(run, USERS[3], dead_letter, 1)
    else:
        store.receipts.finish(run, USERS[3], SyncResult(outcome=Outcome.UNCHANGED))
    store.runs.complete_if_done(run)


def test_a_run_is_shown_as_the_contract_says(env: dict[str, str], store: Store, run: int) -> None:
    """P3: the object's counts are what the receipts say, and add up."""
    finish(store, run, dead=True)
    shown = json_output("runs", "show", str(run), env=env)
    assert shown["run"] == str(run)
    assert (shown["tenant"], shown["mode"], shown["dry_run"]) == ("exempel", "full", False)
    assert (shown["status"], shown["cause"]) == ("completed", None)
    assert (shown["published"], shown["pending"]) == (4, 0)
    assert shown["outcomes"] == {
        "updated": 1,
        "would_update": 0,
        "unchanged": 1,
        "not_found": 1,
        "out_of_scope": 0,
        "superseded": 0,
        "dead_lettered": 1,
    }
    assert shown["reasons"] == {"ambiguous_match": 1}
    assert shown["started"].endswith("Z")
    assert shown["finished"].endswith("Z")
    plain = update_sync("runs", "show", str(run), env=env)
    assert plain.returncode == 0
    assert all(word in plain.stdout for word in ("exempel", "completed", "dead_lettered", "ambiguous_match"))


def test_receipts_are_listed_without_values(env: dict[str, str], store: Store, run: int) -> None:
    """P6: users, reasons and changed attributes are shown, and no values."""
    finish(store, run, dead=True)
    done = update_sync("runs", "show", str(run), "--users", env=env)
    rows = {line.split("\t")[0]: line for line in done.stdout.splitlines() if line.startswith(USERS[0][:8])}
    assert set(rows) == set(USERS)
    assert "updated" in rows[USERS[0]]
    assert "city, email" in rows[USERS[0]]
    assert "ambiguous_match" in rows[USERS[3]]
    listed = json_output("runs", "show", str(run), "--users", env=env)["users"]
    assert [receipt["user"] for receipt in listed] == list(USERS)
    assert "Hemligstad" not in done.stdout + str(listed)


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (("--outcome", "unchanged"), USERS[1:2]),
        (("--outcome", "dead_lettered"), USERS[3:]),
        (("--reason", "ambiguous_match"), USERS[3:]),
        (("--reason", "collision"), ()),
        (("--limit", "2"), USERS[:2]),
    ],
)
def test_receipts_can_be_narrowed_down(
    env: dict[str, str], store: Store, run: int, options: tuple[str, ...], expected: tuple[str, ...]
) -> None:
    """Outcome, reason and limit choose whose receipts are listed."""
    finish(store, run, dead=True)
    listed = json_output("runs", "show", str(run), "--users", *options, env=env)["users"]
    assert tuple(receipt["user"] for receipt in listed) == expected


def test_each_run_is_listed_as_what_it_is(env: dict[str, str], store: Store, run: int) -> None:
    """One word each; what changes nothing is counted, and listed if it is asked for."""
    finish(store, run, dead=False)
    requests: tuple[dict[str, Any], ...] = (
        {"mode": Mode.DELTA},
        {"users": (USERS[0],)},
        {"dry_run": True},
        {"settings": {"sources": {"eppn": []}}, "dry_run": True},
        {"mode": Mode.UNDO, "reverts_run_id": run},
    )
    for number, request in enumerate(requests):
        store.runs.cancel(store.triggers.open(SyncRequest(tenant="exempel", **request), str(number)).run.id)
    listed = json_output("runs", "list", env=env)
    assert [each["kind"] for each in listed] == ["undo", "users", "delta", "full"]
    everything = json_output("runs", "list", "--kind", "all", env=env)
    assert [each["kind"] for each in everything] == ["undo", "preview", "preview", "users", "delta", "full"]
    only = json_output("runs", "list", "--kind", "users", "--kind", "preview", env=env)
    assert [each["kind"] for each in only] == ["preview", "preview", "users"]
    shown = update_sync("runs", "list", env=env).stdout
    assert [line.split("\t")[2] for line in shown.splitlines()[:-1]] == [
        "kind",
        f"undo of {run}",
        "1 user",
        "delta",
        "full",
    ]
    assert shown.endswith("2 previews are not listed: --kind preview lists previews and dry runs.\n")
    assert "not listed" not in update_sync("runs", "list", "--limit", "1", env=env).stdout
    one = listed[1]["run"]
    assert re.search(r"^kind +1 user$", update_sync("runs", "show", one, env=env).stdout, re.MULTILINE)
    assert update_sync("runs", "list", "--kind", "undo", "--event", "0", env=env).returncode == 2


def test_runs_are_listed_newest_first(env: dict[str, str], store: Store, run: int) -> None:
    """The list can be narrowed to a tenant and a number, and a line has as many columns as the heading."""
    finish(store, run, dead=False)
    newer = store.triggers.open(SyncRequest(tenant="exempel", users=(USERS[0],)), "second").run.id
    assert [each["run"] for each in json_output("runs", "list", env=env)] == [str(newer), str(run)]
    assert [each["run"] for each in json_output("runs", "list", "--limit", "1", env=env)] == [str(newer)]
    of_status = json_output("runs", "list", "--status", "completed", "--status", "halted", env=env)
    assert [each["run"] for each in of_status] == [str(run)]
    assert [each["run"] for each in json_output("runs", "list", "--event", "first", env=env)] == [str(run)]
    nothing = update_sync("runs", "list", "--event", "none", env=env)
    assert (nothing.returncode, nothing.stdout) == (2, "")
    assert "No run has the event none" in nothing.stderr
    unknown = update_sync("runs", "list", "--tenant", "another", "--json", env=env)
    assert (unknown.returncode, unknown.stdout) == (2, "")
    assert "no tenant 'another'" in unknown.stderr
    lines = update_sync("runs", "list", env=env).stdout.splitlines()
    assert {line.count("\t") for line in lines} == {lines[0].count("\t")}
    assert lines[1].startswith(f"{newer}\texempel\t")


@pytest.mark.parametrize("number", ["17", "99999999999999999999"])
@pytest.mark.parametrize("command", ["show", "watch", "cancel"])
def test_an_unknown_run_is_said(env: dict[str, str], command: str, number: str) -> None:
    """A run that is not there ends with 2 and a word on how to see the others, whatever its number."""
    done = update_sync("runs", command, number, env=env)
    assert (done.returncode, done.stdout) == (2, "")
    assert f"no run {number}" in done.stderr
    assert "runs list" in done.stderr


@pytest.mark.parametrize(("dead", "code"), [(False, 0), (True, 1)])
def test_watching_ends_with_the_run(
    *,
    env: dict[str, str],
    store: Store,
    run: int,
    dead: bool,
    code: int,
) -> None:
    """`watch` ends with the run: with 0 if all is well, with 1 if there are dead letters."""
    arguments = [COMMAND, "runs", "watch", str(run)]
    with subprocess.Popen(arguments, env=env, stdout=subprocess.PIPE, text=True) as process:  # noqa: S603 - ours
        assert process.stdout is not None
        assert process.stdout.readline() == "updating\tpublished 4\tpending 4\n"
        finish(store, run, dead=dead)
        rest, _ = process.communicate(timeout=DEADLINE)
    assert process.returncode == code
    assert "completed\tpublished 4\tpending 0\n" in rest


def test_watching_shows_json_alone(env: dict[str, str], store: Store, run: int) -> None:
    """With --json, standard output holds the contract's object and nothing else."""
    finish(store, run, dead=False)
    assert json_output("runs", "watch", str(run), env=env) == json_output("runs", "show", str(run), env=env)


def test_watching_on_a_terminal(env: dict[str, str], store: Store, run: int) -> None:
    """On a terminal the run is shown when it has ended, and the plain lines are not."""
    finish(store, run, dead=False)
    code, seen = run_on_terminal("runs", "watch", str(run), env=env)
    assert code == 0, seen
    assert "completed" in seen
    assert "published 4\t" not in seen


def test_an_interrupted_watch_ends_with_130(env: dict[str, str], run: int) -> None:
    """Ctrl-C ends a watch with 130 and no traceback; the run goes on."""
    arguments = [COMMAND, "runs", "watch", str(run)]
    with subprocess.Popen(  # noqa: S603 - ours
        arguments, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=DEADLINE)
    assert process.returncode == 130
    assert "Traceback" not in errors
    assert json_output("runs", "show", str(run), env=env)["status"] == "updating"


def test_a_halted_run_says_why_and_what_to_do(env: dict[str, str], store: Store, run: int) -> None:
    """P7: one cause, in words, and the command that takes the run up again; watching it ends with 1."""
    store.runs.halt(run, Cause.ENTRA_CREDENTIALS, "The client secret has expired")
    done = update_sync("runs", "watch", str(run), env=env)
    assert done.returncode == 1
    assert "entra_credentials: The client secret has expired" in done.stdout
    assert f"runs resume {run}" in done.stdout
    assert update_sync("runs", "show", str(run), env=env).returncode == 0


def test_cancelling_is_done_once(env: dict[str, str], run: int) -> None:
    """An open run is cancelled; cancelling what has ended is wrong use."""
    assert update_sync("runs", "cancel", str(run), env=env).returncode == 0
    assert json_output("runs", "show", str(run), env=env)["status"] == "cancelled"
    again = update_sync("runs", "cancel", str(run), env=env)
    assert again.returncode == 2
    assert "cancelled" in again.stderr


def test_a_dry_run_that_was_cancelled_says_nothing_of_the_guard(env: dict[str, str], store: Store) -> None:
    """It has not looked at all users: that the guard would not halt the real run is not known."""
    dry = store.triggers.open(SyncRequest(tenant="exempel", dry_run=True), "dry").run.id
    for status in ("reading", "cancelled"):
        shown = json_output("runs", "show", str(dry), env=env)
        assert list(faults(shown, "RunDetails")) == []
        assert (shown["status"], shown["guard"]["complete"]) == (status, False)
        lines = update_sync("runs", "show", str(dry), env=env).stdout
        assert "Whether the guard would halt the real run is not known" in lines
        assert "would not halt" not in lines
        update_sync("runs", "cancel", str(dry), env=env)


def test_resuming_while_rabbitmq_is_away_changes_nothing(env: dict[str, str], store: Store, run: int) -> None:
    """P8: without RabbitMQ the run stays halted, with its cause; what is away is said plainly; exit 1."""
    store.runs.halt(run, Cause.ENTRA_CREDENTIALS, "The client secret has expired")
    done = update_sync(
        "runs", "resume", str(run), env={**env, "UPDATE_SYNC_AMQP_URL": f"amqp://{UNREACHABLE}"}
    )
    assert done.returncode == 1
    assert "RabbitMQ is away" in done.stderr
    assert "UPDATE_SYNC_AMQP_URL" in done.stderr
    shown = json_output("runs", "show", str(run), env=env)
    assert (shown["status"], shown["cause"]) == ("halted", "entra_credentials")


def test_a_database_that_is_away_is_said() -> None:
    """P6, P8: what is away is said plainly, without the password in its address; exit 1."""
    url = f"postgresql://somebody:s3cretpassw0rd@{UNREACHABLE}/nothing"
    done = update_sync("runs", "list", env={"UPDATE_SYNC_DATABASE_URL": url})
    assert (done.returncode, done.stdout) == (1, "")
    assert "The database is away" in done.stderr
    assert "s3cretpassw0rd" not in done.stderr
    assert "Traceback" not in done.stderr


def test_an_address_of_a_database_that_is_none_is_wrong_use() -> None:
    """P6: a port that is no number is wrong use of the setting, said by its name alone."""
    done = update_sync(
        "runs", "list", env={"UPDATE_SYNC_DATABASE_URL": "postgresql://u:s3cretpassw0rd@h:port/x"}
    )
    assert done.returncode == 2
    assert "UPDATE_SYNC_DATABASE_URL" in done.stderr
    assert "s3cretpassw0rd" not in done.stderr


def test_a_suspicious_run_says_how_to_let_it_through(env: dict[str, str], store: Store, run: int) -> None:
    """With users, a suspicious run is resumed with the override; a list without any is just read again."""
    finish(store, run, dead=False)
    empty = store.triggers.open(SyncRequest(tenant="exempel"), "empty").run.id
    for number in (run, empty):
        with store.database.transaction() as connection:
            connection.execute(
                update(tables.runs)
                .where(tables.runs.c.id == number)
                .values(status=Status.HALTED, cause=Cause.SUSPICIOUS_LIST, detail="too few")
            )
    shown = {number: update_sync("runs", "show", str(number), env=env).stdout for number in (run, empty)}
    assert all("suspicious_list: too few" in text for text in shown.values())
    assert f"runs resume {run} --override-guard    goes on unchecked" in shown[run]
    assert f"runs resume {empty}\n" in shown[empty]


def test_why_a_run_was_halted_is_told_in_both_languages(env: dict[str, str], store: Store, run: int) -> None:
    """As the advice beside it; JSON has the parts too."""
    detail = Detail(DetailKind.GUARD_EXCEEDED, limit="changed", count=3, size=4, most=1, share="10")
    store.runs.halt(run, Cause.GUARD_EXCEEDED, detail)
    store.run_warnings.record_users(run, 2, identity_kept_warning)
    shown = update_sync("runs", "show", str(run), env=env).stdout
    assert (
        "guard_exceeded: 3 of 4 users would be changed; the limit (guard.changed) is 1 user and 10%" in shown
    )
    assert (
        "guard_exceeded: 3 av 4 användare skulle ändras; gränsen (guard.changed) är 1 användare och 10 %"
        in shown
    )
    assert "2 användare behåller ett värde, eftersom en tidigare källa i Entra är tom" in shown
    found = json_output("runs", "show", str(run), env=env)
    assert (found["detail"], found["structured_detail"]["kind"]) == (detail, "guard_exceeded")
    assert found["warnings"][0]["structured_detail"]["parameters"] == {"users": 2}


def test_a_run_that_the_guard_halted_names_each_answer(env: dict[str, str], store: Store, run: int) -> None:
    """Also those for wrong changes. Once it is cancelled, nothing says that it is halted or may resume."""
    store.runs.halt(run, Cause.GUARD_EXCEEDED, "guard.changed: 3 of 4 users")
    shown = update_sync("runs", "show", str(run), env=env).stdout
    answers = (
        f"runs resume {run} --override-guard    goes on unchecked",
        "tenants set exempel",
        f"runs cancel {run}    ends it",
        f"runs undo {run}    ends it, and restores",
        "trigger exempel",
    )
    places = [shown.index(f"update-sync {answer}") for answer in answers]
    assert places == sorted(places)
    assert "The guard has halted the run." in shown
    assert list(faults(json_output("runs", "show", str(run), env=env), "RunDetails")) == []
    assert update_sync("runs", "cancel", str(run), env=env).returncode == 0
    shown = update_sync("runs", "show", str(run), env=env).stdout
    assert "guard_exceeded: guard.changed: 3 of 4 users" in shown
    assert "The run is cancelled; the guard had halted it." in shown
    assert "has halted" not in shown
    assert "runs resume" not in shown
