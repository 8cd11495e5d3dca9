"""A run that the guard has halted is answered before another one may change users."""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import update

from administration.dead_letters.refused_requests import refused_requests
from administration.matches.decisions import MatchDecider
from administration.tenants.status import tenant_statuses
from bootstrap.message_services import MessageServices
from devtools.commands import command_environment, json_output, update_sync, wait_for
from producers.resume import resume_run
from queues.message import tenant_sync_message
from sandbox.environment import TENANT_KEY, Environment, serve_environment
from schemas.crypto.encryption import new_key
from schemas.errors import UsageError
from schemas.messages.messages import TENANT_SYNC_QUEUE, USER_SYNC_QUEUE, SyncRequest
from schemas.outcomes import Cause, Status
from schemas.tenants.tenant_status import ProblemKind
from store import tables
from tests.integration.cli.command_line import UNREACHABLE

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from cli.sandbox.in_process_sync import InProcessSync
    from schemas.runs.run import RunSummary

PEOPLE = 100
USER = "00000000-0000-4000-8000-0000000000aa"
MISTAKE: dict[str, Any] = {
    "sources": {"idp_identifier": ["onPremisesImmutableId"]},
    "guard": {"identity_changed": {"count": 5, "share": 0.05}},
}


@pytest.fixture
def made_up(tmp_path: Path) -> Iterator[Environment]:
    with serve_environment(tmp_path, users=PEOPLE) as served:
        sources = {**served.tenant["sources"], **MISTAKE["sources"]}
        yield dataclasses.replace(served, tenant={**served.tenant, **MISTAKE, "sources": sources})


@pytest.fixture
def halted(sync: InProcessSync) -> RunSummary:
    summary = sync.run()
    assert summary.run.cause is Cause.GUARD_EXCEEDED
    sync.broker.join(USER_SYNC_QUEUE, timeout=60_000, fail_fast=False)
    return summary


@pytest.fixture
def env(tmp_path: Path) -> dict[str, str]:
    return command_environment(
        UPDATE_SYNC_DATABASE_URL=f"sqlite:///{tmp_path / 'sandbox.sqlite'}",
        UPDATE_SYNC_AMQP_URL=f"amqp://{UNREACHABLE}/",
        UPDATE_SYNC_SECRET_KEYS=new_key(),
    )


def refused_triggers(sync: InProcessSync) -> list[dict[str, Any]]:
    with sync.broker.browse_dead_letters(TENANT_SYNC_QUEUE) as browser:
        return [json.loads(found.dead_letter.body)["options"] for found in browser]


@pytest.mark.parametrize("users", [(), ("one",)])
def test_a_client_cannot_wear_the_guard_down(
    made_up: Environment, sync: InProcessSync, halted: RunSummary, users: tuple[str, ...]
) -> None:
    """P7: a further trigger, of all users or of one, changes nobody, and is kept until the answer."""
    before = made_up.skolon_users()
    named = tuple(sync.store.runs.pending_users(halted.run.id, limit=1)) if users else ()

    request = SyncRequest(tenant=TENANT_KEY, users=named)
    sync.broker.publish([tenant_sync_message(request, event_id="impatient")])

    wait_for(lambda: refused_triggers(sync), "the refusal of the trigger")
    assert "guard_unanswered" in json.dumps(refused_triggers(sync))
    assert [summary.run.id for summary in sync.store.runs.list()] == [halted.run.id]
    assert made_up.skolon_users() == before
    assert refused_requests(sync.broker, store=sync.store) == {TENANT_KEY: 1}
    (status,) = tenant_statuses(None, store=sync.store, now=dt.datetime.now(dt.UTC), refused={TENANT_KEY: 1})
    assert (ProblemKind.REQUESTS_REFUSED, 1) in {(each.kind, each.requests) for each in status.problems}


def test_a_decision_is_remembered_until_the_answer(
    made_up: Environment, sync: InProcessSync, halted: RunSummary, tmp_path: Path
) -> None:
    """Nothing is requested that would be refused, and `users show` advises no such thing."""
    (user,) = sync.store.runs.pending_users(halted.run.id, limit=1)
    decider = MatchDecider(tenant=TENANT_KEY, operator="admin", store=sync.store)
    services = MessageServices(sync.settings, pool_size=2)
    with closing(services.store):
        decided = decider.ignore(services.gateways, entra_id=user)
    assert decided.halted is not None
    assert (decided.halted.id, decided.request) == (halted.run.id, None)
    assert [each.entra_id for each in sync.store.match_decisions.list(TENANT_KEY)] == [user]
    assert decider.forget(entra_id=user).request is None
    variables = command_environment(
        **made_up.variables,
        UPDATE_SYNC_DATABASE_URL=f"sqlite:///{tmp_path / 'sandbox.sqlite'}",
        UPDATE_SYNC_SECRET_KEYS=sync.settings.secret_keys[0],
    )
    shown = update_sync("users", "show", TENANT_KEY, user, env=variables)
    assert f"none before halted run {halted.run.id} is answered" in shown.stdout, shown.stderr
    assert "update-sync trigger" not in shown.stdout


def test_the_commands_refuse_and_say_what_to_do(
    sync: InProcessSync, halted: RunSummary, env: dict[str, str]
) -> None:
    """Exit 2, before anything is published: RabbitMQ, which is away, is not even asked."""
    assert sync.store.runs.get(halted.run.id).status is Status.HALTED
    for arguments in (("trigger", TENANT_KEY), ("trigger", TENANT_KEY, "--user", USER, "--mode", "delta")):
        done = update_sync(*arguments, "--wait", env=env)
        assert done.returncode == 2
        for answer in ("resume 1 --override-guard", "cancel 1", "undo 1"):
            assert f"'runs {answer}'" in done.stderr
    done = update_sync("trigger", TENANT_KEY, env={**env, "UPDATE_SYNC_LOG_FORMAT": "json"})
    assert "halted run 1" in json.loads(done.stderr)["event"]


def test_dry_runs_still_show_what_would_be(sync: InProcessSync, halted: RunSummary) -> None:
    """A preview of the correction is what a person needs now."""
    assert halted.run.status is Status.HALTED
    assert sync.run(dry_run=True).run.status is Status.COMPLETED
    assert sync.run(dry_run=True, settings={"guard": {"identity_changed": None}}).run.status is (
        Status.COMPLETED
    )


def test_an_answer_lets_runs_start(sync: InProcessSync, halted: RunSummary, env: dict[str, str]) -> None:
    """A cancelled run asks nothing any more."""
    cancelled = json_output("runs", "cancel", str(halted.run.id), env=env)
    assert cancelled["status"] == "cancelled"

    again = sync.run()

    assert again.run.id > halted.run.id


def test_a_resumed_run_is_not_halted_again(sync: InProcessSync) -> None:
    """An answer counts at once, also for users that workers were at when it came."""
    halted = sync.run()

    resume_run(halted.run.id, store=sync.store, publisher=sync.broker, override_guard=True)

    assert sync.wait(halted.run.id).run.status is Status.COMPLETED
    sync.store.runs.check_guard_answered(TENANT_KEY)


def test_no_other_halted_run_is_resumed(sync: InProcessSync, halted: RunSummary) -> None:
    """A run that was halted for another cause changes users too, and waits."""
    older = sync.store.runs.get(halted.run.id)
    sync.store.runs.cancel(older.id)
    stopped = sync.start()
    sync.store.runs.halt(stopped, Cause.GAVE_UP, "made up")
    sync.broker.join(USER_SYNC_QUEUE, timeout=60_000, fail_fast=False)
    with sync.store.database.transaction() as connection:
        connection.execute(
            update(tables.runs).where(tables.runs.c.id == older.id).values(status=Status.HALTED)
        )

    with pytest.raises(UsageError, match=f"halted run {older.id}"):
        resume_run(stopped, store=sync.store, publisher=sync.broker)
