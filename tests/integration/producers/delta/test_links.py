"""Delta links: which answers of Graph mean that one has expired, and who may move it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from cli.sandbox.in_process_sync import InProcessSync, in_process_sync
from sandbox.environment import TENANT_KEY, Environment
from sandbox.microsoft.faults import Effect, Fault
from sandbox.microsoft.http_messages import Kind
from sandbox.skolon.faults import Fault as SkolonFault
from schemas.outcomes import Cause, Mode, Outcome, Status
from tests.integration.producers.delta.steps import (
    all_is_right,
    asked,
    change,
    counts,
    delta,
    rename,
    resume,
    surnames,
    until,
)

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def people() -> int:
    """Say how many live there: enough to tell everybody from those who changed."""
    return 20


EXPIRED = [
    *(Fault(effect=Effect.EXPIRED_DELTA, status=status) for status in (410, 404, 400)),
    Fault(effect=Effect.ERROR, kind=Kind.DELTA, status=410, code="resyncRequired"),
    Fault(effect=Effect.ERROR, kind=Kind.DELTA, status=400, code="syncStateNotFound"),
    Fault(effect=Effect.ERROR, kind=Kind.DELTA, status=404, code="SyncStateNotFound"),
    Fault(effect=Effect.EXPIRED_PAGE_TOKEN, kind=Kind.DELTA),
    *(
        Fault(effect=Effect.ERROR, kind=Kind.DELTA, status=status, code="Request_SomeOtherCode")
        for status in (400, 404, 409)
    ),
]


@pytest.mark.parametrize(
    "fault", EXPIRED, ids=[f"{fault.effect}-{fault.status}-{fault.code}" for fault in EXPIRED]
)
def test_an_expired_link_has_everybody_read(made_up: Environment, sync: InProcessSync, fault: Fault) -> None:
    """The run that meets it reads everybody and says why; the next one is a delta again."""
    change(made_up, 3)
    made_up.microsoft.faults.add(fault)

    summary = delta(sync)

    assert (summary.run.status, summary.run.mode) == (Status.COMPLETED, Mode.DELTA)
    assert "Graph no longer takes the stored delta link" in (summary.run.detail or "")
    assert summary.published == made_up.municipality.size
    assert summary.counts[Outcome.UPDATED] == 3
    # The expired link, the new one before the list is read, and the list.
    requests = asked(made_up)
    assert (requests["delta"], requests["users"]) == (2, 1)
    change(made_up, 2, seed=2)
    assert counts(delta(sync)) == {"updated": 2}
    assert asked(made_up) == {"delta": 1}


def test_a_link_that_has_lain_too_long(
    made_up: Environment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After more than seven days Graph has forgotten the link, and all users are read."""
    monkeypatch.setattr("sandbox.microsoft.graph.delta.LINK_SECONDS", -1)
    with in_process_sync(made_up, TENANT_KEY, tmp_path) as sync:
        sync.run()
        assert delta(sync).published == made_up.municipality.size


PASSES = [
    *(
        Fault(effect=Effect.ERROR, kind=Kind.DELTA, status=status, retry_after=wait, times=times)
        for status, wait, times in (
            (429, "0.312", 2),
            (500, None, 1),
            (502, None, 1),
            (503, None, 2),
            (504, None, 1),
        )
    ),
    Fault(effect=Effect.ERROR, kind=Kind.DELTA, status=401, code="InvalidAuthenticationToken"),
    *(
        Fault(effect=effect, kind=Kind.DELTA)
        for effect in (
            Effect.HTML,
            Effect.GARBAGE,
            Effect.TRUNCATED,
            Effect.CUT,
            Effect.EMPTY_PAGE,
            Effect.REPEATED_ENTITY,
            Effect.CUT_SHORT,
        )
    ),
    Fault(effect=Effect.HTML, kind=Kind.DELTA, status=404),
]


@pytest.mark.parametrize("fault", PASSES, ids=[f"{fault.effect}-{fault.status}" for fault in PASSES])
def test_what_passes_has_nobody_read_in_vain(made_up: Environment, sync: InProcessSync, fault: Fault) -> None:
    """P8: throttling, outages, odd answers, empty pages and repeated users leave a delta what it is."""
    change(made_up, 3)
    made_up.microsoft.faults.add(fault)

    summary = delta(sync)

    assert summary.run.status is Status.COMPLETED
    assert counts(summary) == {"updated": 3}
    assert set(asked(made_up)) == {"delta"}
    assert delta(sync).published == 0


@pytest.mark.parametrize(
    ("status", "code", "cause"),
    [
        (403, "Authorization_RequestDenied", Cause.ENTRA_PERMISSION),
        (401, "InvalidAuthenticationToken", Cause.ENTRA_CREDENTIALS),
    ],
)
def test_what_halts_a_delta_leaves_its_link(
    made_up: Environment, sync: InProcessSync, status: int, code: str, cause: Cause
) -> None:
    """P7: bad credentials are no expired link; once they are mended, the resumed run goes on from it."""
    change(made_up, 3)
    made_up.microsoft.faults.add(
        Fault(effect=Effect.ERROR, kind=Kind.DELTA, status=status, code=code, times=None)
    )
    halted = delta(sync)
    assert (halted.run.status, halted.run.cause) == (Status.HALTED, cause)
    assert set(asked(made_up)) == {Kind.DELTA}
    made_up.microsoft.faults.clear()

    summary = resume(sync, halted)

    assert summary.run.status is Status.COMPLETED
    assert summary.published == 3
    assert Kind.USERS not in asked(made_up)
    assert delta(sync).published == 0


def test_a_delta_that_goes_round_in_a_circle_halts(made_up: Environment, sync: InProcessSync) -> None:
    """A link that leads back is found in a delta as on a list."""
    made_up.microsoft.faults.add(Fault(effect=Effect.REPEATED_LINK, kind=Kind.DELTA, times=None))
    summary = delta(sync)
    assert (summary.run.status, summary.run.cause) == (Status.HALTED, Cause.PAGE_LOOP)


def test_a_changed_mapping_has_everybody_read(made_up: Environment, sync: InProcessSync) -> None:
    """What people did not change may be mapped otherwise now; another secret changes nothing."""
    sync.store.tenants.change(TENANT_KEY, {"client_secret": made_up.tenant["client_secret"], "name": "Ny"})
    assert delta(sync).published == 0
    sync.store.tenants.change(TENANT_KEY, {"sources": {"ssn": []}})
    assert delta(sync).published == made_up.municipality.size
    assert delta(sync).published == 0


def test_dry_runs_and_named_users_leave_the_link(made_up: Environment, sync: InProcessSync) -> None:
    """Whoever they have seen, the next delta sees as well."""
    changed = change(made_up, 3)
    assert counts(delta(sync, dry_run=True)) == {"would_update": 3}
    assert counts(delta(sync, users=tuple(changed[:1]))) == {"updated": 1}
    made_up.microsoft.faults.add(Fault(effect=Effect.EXPIRED_DELTA))
    assert delta(sync, dry_run=True).published == made_up.municipality.size
    assert counts(delta(sync)) == {"updated": 2, "unchanged": 1}
    assert delta(sync).published == 0


def test_a_cancelled_delta_leaves_the_link(made_up: Environment, sync: InProcessSync) -> None:
    """What a cancelled run left undone, the next one does."""
    change(made_up, 3)
    made_up.skolon.faults.add(SkolonFault(kind="status", status=503, times=None))
    run = sync.start(mode=Mode.DELTA)
    until(lambda: sync.store.runs.get(run).status is Status.UPDATING)
    sync.store.runs.cancel(run)
    made_up.skolon.faults.clear()
    assert counts(delta(sync)) == {"updated": 3}


def test_a_halted_delta_after_a_newer_one(made_up: Environment, sync: InProcessSync) -> None:
    """P4: a halted delta that is resumed after a newer one changes nothing more."""
    changed = change(made_up, 3)
    made_up.skolon.faults.add(SkolonFault(kind="status", status=401, times=None))
    halted = delta(sync)
    assert (halted.run.status, halted.run.cause) == (Status.HALTED, Cause.SKOLON_CREDENTIALS)
    made_up.skolon.faults.clear()
    rename(made_up, changed[0], "Nyast")
    assert counts(delta(sync)) == {"updated": 3}

    assert counts(resume(sync, halted)) == {"superseded": 3}

    assert surnames(made_up)[changed[0]] == "Nyast"
    assert delta(sync).published == 0
    all_is_right(sync)
