"""`update-sync runs undo`, as processes on a database file: what it refuses, and what it says."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from devtools.commands import json_output, update_sync
from schemas.messages.messages import SyncRequest
from schemas.outcomes import Cause, Mode, Outcome
from schemas.runs.sync_result import SyncResult
from schemas.users.attributes import Attribute
from tests.integration.cli.command_line import (
    UNREACHABLE,
    add_tenant,
    database_environment,
    tenant_object,
)

if TYPE_CHECKING:
    from pathlib import Path

    from store.store import Store

USER = "00000000-0000-4000-8000-000000000000"
UNKNOWN_USER = "00000000-0000-4000-8000-00000000ffff"


@pytest.fixture
def env(tmp_path: Path) -> dict[str, str]:
    variables = database_environment(tmp_path, UPDATE_SYNC_AMQP_URL=f"amqp://{UNREACHABLE}")
    add_tenant(variables, "exempel", tenant_object())
    return variables


def run_of_one(store: Store, *, dry_run: bool = False, changed: bool = True, open_still: bool = False) -> int:
    run = store.triggers.open(SyncRequest(tenant="exempel", dry_run=dry_run), "event").run.id
    store.receipts.create_pending(run, [USER])
    if changed:
        store.claims.claim(
            run, USER, "s1", {Attribute.CITY: "Lund"}, new_values={Attribute.CITY: "Hemligstad"}
        )
    if not open_still:
        store.receipts.finish(run, USER, SyncResult(outcome=Outcome.UNCHANGED, skolon_id="s1"))
        store.runs.finish_reading(run)
        assert store.runs.complete_if_done(run)
    return run


@pytest.mark.parametrize(
    ("kind", "why"),
    [
        ({"open_still": True}, "it is open: wait for it, or cancel it"),
        ({"dry_run": True, "changed": False}, "it was a dry run, which changes no user"),
        ({"changed": False}, "it has changed no user"),
    ],
)
def test_what_cannot_be_undone_is_wrong_use(
    env: dict[str, str], store: Store, kind: dict[str, bool], why: str
) -> None:
    """It is refused at once, with the reason and 2, and nothing is published."""
    run = run_of_one(store, **kind)
    done = update_sync("runs", "undo", "--yes", str(run), env=env)
    assert (done.returncode, done.stdout) == (2, "")
    assert why in done.stderr


def test_a_principal_name_is_refused_and_not_repeated(env: dict[str, str], store: Store) -> None:
    """P6: `--user` takes object ids; what is none is said in a line, without repeating it."""
    run = run_of_one(store)
    done = update_sync("runs", "undo", "--yes", str(run), "--user", "anna@exempelkommun.example", env=env)
    assert done.returncode == 2
    assert "'--user': Not an Entra object id" in done.stderr
    assert "anna" not in done.stderr + done.stdout


def test_somebody_unknown_is_wrong_use(env: dict[str, str], store: Store) -> None:
    """A user whom the run has never seen is named; so is a run that is not there."""
    run = run_of_one(store)
    done = update_sync("runs", "undo", "--yes", str(run), "--user", UNKNOWN_USER, "--user", USER, env=env)
    assert done.returncode == 2
    assert UNKNOWN_USER in done.stderr
    assert USER not in done.stderr
    assert update_sync("runs", "undo", "--yes", "4711", env=env).returncode == 2


def test_nothing_happens_while_rabbitmq_is_away(env: dict[str, str], store: Store) -> None:
    """P8: what is away is said, and no undo is open; the hints were given, without anybody's value (P6)."""
    run = run_of_one(store)
    done = update_sync("runs", "undo", "--yes", str(run), env=env)
    assert done.returncode == 1
    assert "RabbitMQ is away" in done.stderr
    assert "fix that first" in done.stdout
    assert "Hemligstad" not in done.stdout + done.stderr
    assert [each.run.id for each in store.runs.list()] == [run]


def test_an_undo_is_shown_as_such(env: dict[str, str], store: Store) -> None:
    """Everywhere it says which run it undoes, and of how many people something was left."""
    run = run_of_one(store)
    undo = store.triggers.open(
        SyncRequest(tenant="exempel", mode=Mode.UNDO, reverts_run_id=run), "undo"
    ).run.id
    store.receipts.create_pending(undo, [USER])
    left = SyncResult(outcome=Outcome.UNCHANGED, skolon_id="s1", skipped=(Attribute.CITY,))
    store.receipts.finish(undo, USER, left)
    shown = json_output("runs", "show", str(undo), "--users", env=env)
    assert (shown["mode"], shown["reverts_run_id"], shown["skipped"]) == ("undo", str(run), 1)
    assert shown["users"][0]["skipped"] == ["city"]
    assert shown["as_before"] == 0
    plain = update_sync("runs", "show", str(undo), env=env).stdout
    assert f"undo of {run}" in plain
    assert "1 with an attribute that has changed since" in plain
    assert f"undo of {run}" in update_sync("runs", "list", env=env).stdout


def test_a_halted_undo_has_advice_of_its_own(env: dict[str, str], store: Store) -> None:
    """It reads nothing from Entra and maps nothing: what to do is to look, and to go on or to give it up."""
    run = run_of_one(store)
    undo = store.triggers.open(
        SyncRequest(tenant="exempel", mode=Mode.UNDO, reverts_run_id=run), "undo"
    ).run.id
    store.receipts.create_pending(undo, [USER])
    store.runs.halt(undo, Cause.GUARD_EXCEEDED, "too many")
    shown = update_sync("runs", "show", str(undo), env=env).stdout
    assert "See with 'runs show' what it has done and would do." in shown
    assert f"update-sync runs resume {undo} --override-guard" in shown
    assert f"update-sync runs cancel {undo}" in shown
    assert "mapping" not in shown
    assert "mappningen" not in shown


def test_values_that_are_as_before_are_counted(env: dict[str, str], store: Store) -> None:
    """An undo that finds the former values says of how many users; so does its dry run."""
    run = run_of_one(store)
    request = SyncRequest(tenant="exempel", mode=Mode.UNDO, reverts_run_id=run, dry_run=True)
    undo = store.triggers.open(request, "undo").run.id
    store.receipts.create_pending(undo, [USER])
    store.receipts.finish(undo, USER, SyncResult(outcome=Outcome.UNCHANGED, skolon_id="s1"))
    store.runs.finish_reading(undo)
    store.runs.complete_if_done(undo)
    assert json_output("runs", "show", str(undo), env=env)["as_before"] == 1
    assert json_output("runs", "show", str(run), env=env)["as_before"] == 0
    plain = update_sync("runs", "show", str(undo), env=env).stdout
    assert "1 with their former values already" in plain
    assert "The guard would not halt the real run." in plain


def test_an_undo_that_the_guard_will_halt_says_so_before_it_starts(env: dict[str, str], store: Store) -> None:
    """By its own dry run, and before the question; not if the guard is to let it pass."""
    store.tenants.change("exempel", {"guard": {"changed": {"count": 0, "share": 0}}})
    run = run_of_one(store)
    store.guard_counters.record_directory_size(run, 4)
    excess = "1 of 4 users would be changed; the limit (guard.changed) is 0 users and 0%"
    for option in ("--yes", "--dry-run"):
        said = update_sync("runs", "undo", option, str(run), env=env).stdout
        assert f"The guard will halt the undo before its end, if all of them still need it: {excess}" in said
        assert "What is as before already is not written" in said
    passes = update_sync("runs", "undo", "--yes", "--override-guard", str(run), env=env).stdout
    assert "may have changed 1 user." in passes
    assert "guard" not in passes


def test_an_undo_of_filled_identities_counts_as_their_loss(env: dict[str, str], store: Store) -> None:
    """What the run filled without risk, the undo empties: that counts as a changed identity."""
    store.tenants.change("exempel", {"guard": {"identity_changed": {"count": 0, "share": 0}}})
    run = store.triggers.open(SyncRequest(tenant="exempel"), "event").run.id
    store.receipts.create_pending(run, [USER])
    store.claims.claim(run, USER, "s1", {Attribute.EPPN: None}, new_values={Attribute.EPPN: "a@b.example"})
    store.guard_counters.record_directory_size(run, 4)
    store.runs.halt(run, Cause.ENTRA_CREDENTIALS, "invalid_client")
    said = update_sync("runs", "undo", "--yes", str(run), env=env).stdout
    assert "1 of 4 users would get another user name, EPPN or other id" in said
