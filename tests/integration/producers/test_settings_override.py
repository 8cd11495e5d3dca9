"""Settings that are tried before they are saved: a preview counts what the run that follows does."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import pytest

from sandbox.environment import TENANT_KEY, Environment, serve_environment
from schemas.messages.messages import USER_SYNC_QUEUE
from schemas.outcomes import Outcome, Status
from schemas.runs.changes import ChangeKind
from schemas.users.attributes import Attribute

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from cli.sandbox.in_process_sync import InProcessSync
    from schemas.runs.run import RunSummary

PEOPLE = 120
NO_GUARD: dict[str, Any] = {"changed": None, "identity_changed": None, "not_found": None}
#: The wrong source, with everybody's Idp identifier blank in Skolon or not.
MISTAKE: dict[str, Any] = {
    "sources": {"eppn": ["userPrincipalName"], "idp_identifier": ["onPremisesImmutableId"]}
}


@pytest.fixture
def made_up(tmp_path: Path) -> Iterator[Environment]:
    with serve_environment(tmp_path, users=PEOPLE) as served:
        yield dataclasses.replace(served, tenant={**served.tenant, "guard": NO_GUARD})


def counts(summary: RunSummary) -> dict[str, int]:
    """Return a run's outcomes, what it would update as what it updates."""
    names = {Outcome.WOULD_UPDATE: Outcome.UPDATED}
    return {str(names.get(outcome, outcome)): count for outcome, count in summary.counts.items() if count}


@pytest.mark.parametrize("settings", [{}, MISTAKE, {"erase_blank": ["city", "mobile_phone"]}])
def test_a_preview_counts_what_the_run_then_does(
    made_up: Environment, sync: InProcessSync, settings: dict[str, Any]
) -> None:
    """P1: outcomes, reasons and changes of each attribute are the same, and Skolon was only read before."""
    tried = sync.run(dry_run=True, settings=settings)

    assert tried.run.status is Status.COMPLETED
    assert set(made_up.skolon.requests()) <= {"POST search", "GET search", "GET user", "POST token"}
    assert sync.store.change_totals.for_run(tried.run.id).users > 0
    with sync.broker.browse_dead_letters(USER_SYNC_QUEUE) as browser:
        assert list(browser) == []

    sync.store.tenants.change(TENANT_KEY, settings or {"name": "Exempelkommun"})
    done = sync.run()

    assert done.run.status is Status.COMPLETED
    assert counts(done) == counts(tried)
    assert done.reasons == tried.reasons
    assert tried.reasons
    assert sync.store.change_totals.for_run(done.run.id) == sync.store.change_totals.for_run(tried.run.id)


def test_what_is_tried_is_not_what_is_saved(sync: InProcessSync) -> None:
    """A preview of a mistake sees it, and leaves the tenant's own runs and settings as they are."""
    saved = sync.store.tenants.settings(TENANT_KEY)
    usual = sync.store.change_totals.for_run(sync.run(dry_run=True).run.id)
    mistake = sync.store.change_totals.for_run(sync.run(dry_run=True, settings=MISTAKE).run.id)

    changed = mistake.attributes[Attribute.IDP_IDENTIFIER].get(ChangeKind.CHANGED, 0)
    assert changed > usual.attributes.get(Attribute.IDP_IDENTIFIER, {}).get(ChangeKind.CHANGED, 0)
    assert mistake.identity > usual.identity
    assert sync.store.tenants.settings(TENANT_KEY) == saved
    assert sync.store.change_totals.for_run(sync.run(dry_run=True).run.id) == usual
