"""A run that the guard has halted looks at the rest of its people, and changes none of them."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import pytest

from producers.resume import resume_run
from sandbox.environment import TENANT_KEY, Environment, serve_environment
from sandbox.skolon.faults import Fault
from schemas.messages.messages import USER_SYNC_QUEUE, SyncRequest, UserSync
from schemas.outcomes import Cause, Outcome, Status
from schemas.runs.changes import ChangeKind
from schemas.users.attributes import Attribute

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from cli.sandbox.in_process_sync import InProcessSync
    from schemas.runs.run import RunSummary

PEOPLE = 120
LIMIT = 5


@pytest.fixture
def made_up(tmp_path: Path) -> Iterator[Environment]:
    """Have a municipality whose administrator took the wrong source for everybody's Idp identifier."""
    with serve_environment(tmp_path, users=PEOPLE) as served:
        mistake: dict[str, Any] = {
            **served.tenant,
            "sources": {**served.tenant["sources"], "idp_identifier": ["onPremisesImmutableId"]},
            "guard": {"identity_changed": {"count": LIMIT, "share": LIMIT / PEOPLE}},
        }
        yield dataclasses.replace(served, tenant=mistake)


def halted(sync: InProcessSync) -> RunSummary:
    """Run until the guard halts it, and until nobody has a message of it in hand any more."""
    run = sync.run()
    sync.broker.join(USER_SYNC_QUEUE, timeout=120_000, fail_fast=False)
    return sync.store.runs.summary(run.run.id)


def test_a_halted_run_shows_what_it_would_have_gone_on_to_do(
    made_up: Environment, sync: InProcessSync
) -> None:
    """P3: everybody who is pending was looked at, nobody of them changed, and no dead letter."""
    tried = sync.run(dry_run=True)
    stopped = halted(sync)
    assert (stopped.run.status, stopped.run.cause) == (Status.HALTED, Cause.GUARD_EXCEEDED)

    prospect = sync.store.forecasts.for_run(stopped.run.id)

    assert prospect is not None
    assert (prospect.not_evaluated, prospect.not_listed) == (0, 0)
    assert sum(prospect.outcomes.values()) == stopped.pending
    # What was done and what is foreseen make up what the dry run has seen; of two who claim one Skolon user
    # both are foreseen to get it.
    done = stopped.counts.get(Outcome.UPDATED, 0) + prospect.outcomes.get(Outcome.UPDATED, 0)
    collisions = made_up.municipality.expected_reasons().get("collision", 0)
    assert 0 <= done - tried.counts[Outcome.WOULD_UPDATE] <= collisions
    assert prospect.changes.attributes[Attribute.IDP_IDENTIFIER][ChangeKind.CHANGED] > PEOPLE / 2
    patches = made_up.skolon.requests().get("PATCH user", 0)
    assert patches == stopped.counts.get(Outcome.UPDATED, 0)


def test_who_was_looked_at_is_worked_on_all_the_same(made_up: Environment, sync: InProcessSync) -> None:
    """P4: accepted, the run goes on with everybody who is pending, and its sums are of what it did."""
    stopped = halted(sync)

    _, published = resume_run(stopped.run.id, store=sync.store, publisher=sync.broker, override_guard=True)

    assert published == stopped.pending
    completed = sync.wait(stopped.run.id)
    assert completed.run.status is Status.COMPLETED
    assert made_up.wrong_users() == []
    assert sync.store.forecasts.for_run(stopped.run.id) is None
    dead_letters = sync.store.receipts.list(stopped.run.id, outcome=Outcome.DEAD_LETTERED)
    # Of a user with a bad value the other values are written.
    partly = sum(bool(receipt.changed) for receipt in dead_letters)
    changed = sync.store.change_totals.for_run(stopped.run.id).users
    assert changed == completed.counts[Outcome.UPDATED] + partly


@pytest.mark.parametrize(
    "fault",
    [
        Fault(kind="status", status=401, times=None, path_kind="search"),
        Fault(kind="status", status=503, times=1, path_kind="search"),
        Fault(kind="not_json", times=None, path_kind="search"),
    ],
    ids=lambda fault: f"{fault.kind}-{fault.status}",
)
def test_a_user_that_cannot_be_looked_at_stays_pending(
    made_up: Environment, sync: InProcessSync, fault: Fault
) -> None:
    """P7, P8: what fails in looking ahead is no dead letter, no second cause, and not tried again."""
    user = next(each.entra["id"] for each in made_up.municipality if each.outcome == "updated")
    request = SyncRequest(tenant=TENANT_KEY)
    run = sync.store.triggers.open(request, "an event").run
    sync.store.receipts.create_pending(run.id, [user])
    sync.store.runs.halt(run.id, Cause.GUARD_EXCEEDED, "too many")
    message = sync.store.message_cipher.encrypt_user(
        UserSync(tenant=TENANT_KEY, run=run.id, user=user, payload=None)
    )
    made_up.skolon.faults.add(fault)

    sync.handler.handle(**vars(message))

    summary = sync.store.runs.summary(run.id)
    assert (summary.run.status, summary.run.cause, summary.pending) == (
        Status.HALTED,
        Cause.GUARD_EXCEEDED,
        1,
    )
    prospect = sync.store.forecasts.for_run(run.id)
    assert prospect is not None
    assert prospect.not_evaluated == 1
    made_up.skolon.faults.clear()
    sync.handler.handle(**vars(message))
    seen = sync.store.forecasts.for_run(run.id)
    assert seen is not None
    assert (seen.outcomes, seen.not_evaluated) == ({Outcome.UPDATED: 1}, 0)
    assert made_up.skolon.requests().get("PATCH user", 0) == 0
