"""Delta runs: who is read, who is touched, and that the end is right."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cli.sandbox.in_process_sync import InProcessSync, in_process_sync
from sandbox.environment import TENANT_KEY, Environment
from sandbox.microsoft.faults import Effect, Fault
from sandbox.microsoft.http_messages import Kind
from sandbox.municipality.changes import changed_users
from schemas.outcomes import Mode, NotFoundReason, Outcome, Status
from tests.integration.producers.delta.steps import (
    all_is_right,
    asked,
    change,
    counts,
    crowd,
    delta,
    directory,
    surnames,
)

if TYPE_CHECKING:
    from pathlib import Path


def test_seven_changes_among_two_thousand(made_up: Environment, sync: InProcessSync) -> None:
    """Of all the people only those are read and touched who changed, in three requests at most."""
    crowd(made_up, 2000 - made_up.municipality.size)
    assert sync.run().published == 2000
    changed = change(made_up, 7)
    asked(made_up)
    patched = made_up.skolon.requests().get("PATCH user", 0)

    summary = delta(sync)

    assert summary.run.mode is Mode.DELTA
    assert counts(summary) == {"updated": 7}
    assert asked(made_up) == {"delta": 1}
    assert made_up.skolon.requests()["PATCH user"] == patched + 7
    assert {receipt.entra_id for receipt in sync.store.receipts.list(summary.run.id)} == set(changed)


def test_nothing_changed(made_up: Environment, sync: InProcessSync) -> None:
    """Without changes a delta sends one request and publishes no user, and the run completes."""
    searched = made_up.skolon.requests()

    summary = delta(sync)

    assert (summary.run.status, summary.published) == (Status.COMPLETED, 0)
    assert asked(made_up) == {"delta": 1}
    assert made_up.skolon.requests() == searched


def test_full_and_delta_runs_in_turn(made_up: Environment, sync: InProcessSync) -> None:
    """P4: whichever kind of run comes next, each change is made once, and the end is right."""
    for seed, mode in enumerate((Mode.DELTA, Mode.FULL, Mode.DELTA, Mode.DELTA, Mode.FULL, Mode.DELTA)):
        change(made_up, 3, seed=seed)
        summary = sync.run(mode=mode)
        assert summary.counts[Outcome.UPDATED] == 3
        assert summary.published == (made_up.municipality.size if mode is Mode.FULL else 3)
    all_is_right(sync)


def test_a_delta_that_tells_of_everybody(made_up: Environment, sync: InProcessSync) -> None:
    """P3: each user of a delta, edge cases too, ends as in a full run."""
    full = sync.run()
    for person in made_up.municipality:
        directory(made_up).remove(person.entra["id"])
        directory(made_up).add(person.entra)

    summary = delta(sync)

    assert summary.run.detail is None
    assert (summary.counts, summary.reasons) == (full.counts, full.reasons)
    assert Outcome.UPDATED not in summary.counts


def test_a_first_run_may_be_a_delta(made_up: Environment, tmp_path: Path) -> None:
    """Without a link everybody is read, which the run says, and the next one has a link."""
    made_up.tenant["birthdays"] = True
    with in_process_sync(made_up, TENANT_KEY, tmp_path) as sync:
        summary = delta(sync)
        assert counts(summary) == made_up.municipality.expected_outcomes("first")
        assert "no delta link is kept" in (summary.run.detail or "")
        assert made_up.wrong_users() == []
        assert delta(sync).published == 0


def test_who_left_entra_is_recorded_and_left_alone(made_up: Environment, sync: InProcessSync) -> None:
    """A removed user is out of scope, without a message and without a request to Skolon."""
    before = made_up.skolon_users()
    searched = made_up.skolon.requests()
    gone = [person.entra["id"] for person in made_up.municipality if person.outcome == "unchanged"][:2]
    directory(made_up).remove(gone[0], reason="changed")
    directory(made_up).remove(gone[1], reason="deleted")

    summary = delta(sync)

    assert counts(summary) == {"out_of_scope": 2}
    receipts = sync.store.receipts.list(summary.run.id)
    assert {(each.entra_id, each.not_found_reason) for each in receipts} == {
        (user, NotFoundReason.NO_LONGER_IN_ENTRA) for user in gone
    }
    assert made_up.skolon_users() == before
    assert made_up.skolon.requests() == searched
    assert delta(sync).published == 0


def test_who_is_back_in_entra_is_synced_again(made_up: Environment, sync: InProcessSync) -> None:
    """Somebody who was removed and restored, before or between the runs, is synced as anybody."""
    user = changed_users(made_up.municipality, 1)[0] | {"surname": "Åter"}
    directory(made_up).remove(user["id"])
    directory(made_up).add(user)
    assert counts(delta(sync)) == {"updated": 1}
    directory(made_up).remove(user["id"])
    assert counts(delta(sync)) == {"out_of_scope": 1}
    directory(made_up).add(user | {"surname": "Igen"})
    assert counts(delta(sync)) == {"updated": 1}
    assert surnames(made_up)[user["id"]] == "Igen"


def test_what_was_left_out_and_decides_is_read(made_up: Environment, sync: InProcessSync) -> None:
    """A protected identity is protected in a delta too, whether its mark was left out or not."""
    people = [user["id"] for user in changed_users(made_up.municipality, 3)]
    exclusion = made_up.tenant["scope"]["exclude"][0]
    protected = {exclusion["source"]: exclusion["equals"]}
    entities: dict[str, dict[str, Any]] = {
        people[0]: {"surname": "Hemlig", "onPremisesExtensionAttributes": protected},
        people[1]: {"surname": "Ny", "onPremisesExtensionAttributes": None},
        people[2]: {"surname": "Ny", "accountEnabled": None},
    }
    for user, properties in entities.items():
        directory(made_up).remove(user)
        whole = next(person.entra for person in made_up.municipality if person.entra["id"] == user)
        directory(made_up).add(whole | properties)

    summary = delta(sync)

    # Never set since they came, the second's and third's were left out, and asked for by id.
    assert asked(made_up) == {"delta": 1, "user": 2}
    outcomes = {each.entra_id: each.outcome for each in sync.store.receipts.list(summary.run.id)}
    assert outcomes[people[0]] is Outcome.OUT_OF_SCOPE
    assert outcomes[people[1]] is Outcome.UPDATED
    assert outcomes[people[2]] is Outcome.OUT_OF_SCOPE


def test_a_directory_without_deltas(made_up: Environment, sync: InProcessSync) -> None:
    """A full run asks Graph for a delta link in vain, and does all the rest."""
    fault = Fault(effect=Effect.ERROR, kind=Kind.DELTA, status=400, code="Request_BadRequest", times=None)
    made_up.microsoft.faults.add(fault)
    all_is_right(sync)
    sync.store.tenants.change(TENANT_KEY, {"birthdays": True})
    assert delta(sync).published == made_up.municipality.size
