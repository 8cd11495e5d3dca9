"""A mistake in a tenant's mapping, and the guard: whole runs in one process, over real HTTP."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import pytest

from producers.resume import resume_run
from sandbox.environment import Environment, serve_environment
from schemas.errors import UsageError
from schemas.messages.messages import USER_SYNC_QUEUE
from schemas.outcomes import Cause, Outcome, Status

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from cli.sandbox.in_process_sync import InProcessSync

PEOPLE = 200
#: A twentieth of everybody, and who is in the hands of the sandbox's eight threads at that moment.
LIMIT = 10
IN_HAND = 8


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


def test_a_mistake_is_stopped_at_the_limit(sync: InProcessSync) -> None:
    """P7: a run that passes a limit halts, having changed no more than it and what was in hand."""
    halted = sync.run()

    assert halted.run.status is Status.HALTED
    assert halted.run.cause is Cause.GUARD_EXCEEDED
    assert f"of {PEOPLE} users" in (halted.run.detail or "")
    sync.broker.join(USER_SYNC_QUEUE, timeout=60_000, fail_fast=False)
    identity = sync.store.guard_counters.counts(halted.run.id).identity_changed
    assert identity <= LIMIT
    settled = sync.store.runs.summary(halted.run.id)
    changed = sync.store.receipts.list(halted.run.id, outcome=Outcome.UPDATED, limit=PEOPLE)
    assert len([each for each in changed if "idp_identifier" in each.changed]) <= LIMIT + IN_HAND
    assert settled.pending > PEOPLE / 2


def test_only_a_person_lets_a_guarded_run_go_on(made_up: Environment, sync: InProcessSync) -> None:
    """Resuming has to say that it is meant; then everybody is as the mapping says."""
    halted = sync.run()
    sync.broker.join(USER_SYNC_QUEUE, timeout=60_000, fail_fast=False)
    with pytest.raises(UsageError, match="--override-guard"):
        resume_run(halted.run.id, store=sync.store, publisher=sync.broker)
    assert sync.store.runs.get(halted.run.id).status is Status.HALTED

    resume_run(halted.run.id, store=sync.store, publisher=sync.broker, override_guard=True)

    assert sync.wait(halted.run.id).run.status is Status.COMPLETED
    assert made_up.wrong_users() == []


def test_a_dry_run_is_let_through(sync: InProcessSync) -> None:
    """What changes nothing needs no guard: a dry run shows all that the mistake would do."""
    tried = sync.run(dry_run=True)
    assert tried.run.status is Status.COMPLETED
    assert tried.counts[Outcome.WOULD_UPDATE] > LIMIT + IN_HAND
