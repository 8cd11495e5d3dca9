"""A scope rule that leaves out users that were synced before: the guard halts the run, and names the rule."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import pytest

from administration.tenants.preview import preview_of
from devtools.commands import command_environment, json_output, update_sync
from producers.resume import resume_run
from sandbox.environment import TENANT_KEY
from schemas.messages.messages import USER_SYNC_QUEUE
from schemas.outcomes import VERIFYING_OUTCOMES, Cause, Outcome, Status

if TYPE_CHECKING:
    from pathlib import Path

    from cli.sandbox.in_process_sync import InProcessSync
    from schemas.runs.run import RunSummary

PEOPLE = 150
#: Those that the sandbox's eight threads work on when the limit is reached.
IN_HAND = 8
#: All users have the municipality's domain, so it leaves out all.
ALL_LEFT_OUT: Final[dict[str, Any]] = {
    "scope": {"exclude": [{"source": "upnDomain", "ends_with": "e"}]},
}


@pytest.fixture
def env(tmp_path: Path) -> dict[str, str]:
    return command_environment(UPDATE_SYNC_DATABASE_URL=f"sqlite:///{tmp_path / 'sandbox.sqlite'}")


def synced(summary: RunSummary) -> int:
    return sum(summary.counts.get(outcome, 0) for outcome in VERIFYING_OUTCOMES)


def test_a_rule_that_leaves_out_all_is_halted(sync: InProcessSync, env: dict[str, str]) -> None:
    """P7: the first run is let through; then a quarter may leave, and the halt names rule and remedy."""
    before = synced(sync.run())
    sync.store.tenants.change(TENANT_KEY, ALL_LEFT_OUT)

    halted = sync.run()
    sync.broker.join(USER_SYNC_QUEUE, timeout=60_000, fail_fast=False)

    assert (halted.run.status, halted.run.cause) == (Status.HALTED, Cause.GUARD_EXCEEDED)
    limit = before // 4
    detail = halted.run.detail or ""
    assert f"{limit + 1} of {before} synced users would be left out; the limit (guard.left_scope)" in detail
    assert "most often scope.exclude upnDomain:ends_with=…: the user matches the rule" in detail
    shown = " ".join(update_sync("runs", "show", str(halted.run.id), env=env).stdout.split())
    assert "users that the scope leaves out so far)" in detail
    assert "first correct the mapping or the scope, then cancel or undo the run" in shown
    assert "Users that were synced before and that the scope leaves out now:" in shown
    found = json_output("runs", "show", str(halted.run.id), env=env)
    left = sum(each["users"] for each in found["scope_exits"])
    assert limit < left <= limit + 1 + IN_HAND
    assert found["pending"] > 0

    # Until it is answered, a preview counts those that it left out, as the next run will.
    dry = sync.run(dry_run=True)
    told = preview_of(dry, sync.store.tenants.settings(TENANT_KEY), sync.store).details.guard
    assert told is not None
    assert told.counts.left_scope == before
    # Cancelled and tried again, it comes no further: those that it left out count once more.
    assert sync.store.runs.cancel(halted.run.id)
    again = sync.run()
    assert again.run.cause is Cause.GUARD_EXCEEDED
    sync.broker.join(USER_SYNC_QUEUE, timeout=60_000, fail_fast=False)

    resume_run(again.run.id, store=sync.store, publisher=sync.broker, override_guard=True)
    done = sync.wait(again.run.id)
    assert (done.run.status, synced(done)) == (Status.COMPLETED, 0)
    # What an operator has let through is no news.
    assert sync.run().run.status is Status.COMPLETED


def test_a_preview_tells_how_many_would_leave(sync: InProcessSync) -> None:
    """The dry run is let through, and says that the guard would halt the real one."""
    before = synced(sync.run())
    dry = sync.run(dry_run=True, settings=ALL_LEFT_OUT)

    assert dry.run.status is Status.COMPLETED
    found = preview_of(dry, sync.store.tenants.settings(TENANT_KEY), sync.store)
    guard = found.details.guard
    assert guard is not None
    assert (guard.counts.left_scope, guard.synced_before) == (before, before)
    (excess,) = guard.would_halt
    assert "(guard.left_scope)" in excess
    (only,) = found.as_json()["scope_exits"]
    rule = "scope.exclude upnDomain:ends_with=…: the user matches the rule"
    assert (only["rule"], only["users"]) == (rule, before)
    assert only["structured_rule"]["texts"]["sv"].endswith("användaren omfattas av regeln")
    # It counts for nothing afterwards.
    usual = sync.run()
    assert (usual.run.status, synced(usual)) == (Status.COMPLETED, before)
    assert sync.store.guard_counters.counts(usual.run.id).left_scope == 0


def test_a_first_run_leaves_out_as_many_as_it_likes(sync: InProcessSync) -> None:
    """Without an earlier run there is nothing that a user could leave."""
    sync.store.tenants.change(TENANT_KEY, ALL_LEFT_OUT)
    first = sync.run()
    assert first.run.status is Status.COMPLETED
    assert first.counts[Outcome.OUT_OF_SCOPE] > PEOPLE / 2
    assert sync.store.scope_exits.for_run(first.run.id) == ()
