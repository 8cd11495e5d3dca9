"""How runs read Entra, and the delta links that they leave behind."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from schemas.errors import NotYetError
from schemas.outcomes import Cause, Mode, NotFoundReason, Outcome
from schemas.runs.sync_result import NO_LONGER_IN_ENTRA
from schemas.tenants.mapping_fingerprint import mapping_fingerprint
from schemas.users.attributes import Attribute
from tests.contract.store.factories import CLIENT_SECRET, TENANT, begin_run, complete, request, result, tenant

if TYPE_CHECKING:
    from schemas.runs.run import Run
    from store.runs.delta_state import ReadPlan
    from store.store import Store

MAPPING = "a" * 64
OTHER_MAPPING = "b" * 64


def begun(
    store: Store, event: str, mode: Mode = Mode.DELTA, *, dry_run: bool = False, key: str = TENANT
) -> tuple[Run, ReadPlan]:
    run = store.triggers.open(request(key, mode=mode, dry_run=dry_run), event).run
    return run, store.delta_state.read_plan(run, MAPPING)


def leave(store: Store, link: str, event: str = "first") -> Run:
    """Complete a full run that stores a delta link."""
    run, plan = begun(store, event, Mode.FULL)
    assert plan.delta_link_for(run.attempt) is None
    assert plan.needs_delta_link
    store.delta_state.record_delta_link(run.id, link)
    complete(store, run)
    return run


def kept(store: Store, event: str = "look", mapping: str = MAPPING) -> str | None:
    """Return the link from which a delta run would go on, and cancel that run."""
    run = store.triggers.open(request(mode=Mode.DELTA), event).run
    link = store.delta_state.read_plan(run, mapping).start_link
    store.runs.cancel(run.id)
    return link


def test_a_delta_goes_on_from_the_link_of_the_last_complete_run(store: Store) -> None:
    """A delta uses the link of a full run, and replaces it."""
    assert kept(store, "before") is None
    leave(store, "link-1")
    run, plan = begun(store, "second")
    assert plan.delta_link_for(run.attempt) == "link-1"
    store.delta_state.record_delta_link(run.id, "link-2")
    complete(store, run)
    assert kept(store) == "link-2"


def test_a_link_is_kept_when_its_run_is_complete_and_not_before(store: Store) -> None:
    """The link moves in the transaction that completes the run; a halted or cancelled one moves nothing."""
    leave(store, "link-1")
    run, _ = begun(store, "second")
    store.delta_receipts.create_pending(run.id, ["anna"], [])
    store.delta_state.record_delta_link(run.id, "link-2")
    store.runs.finish_reading(run.id)
    assert not store.runs.complete_if_done(run.id)
    store.runs.halt(run.id, Cause.SKOLON_CREDENTIALS, "")
    assert kept(store) == "link-1"
    store.runs.resume(run.id)
    complete(store, run)
    assert kept(store, "again") == "link-2"
    third, _ = begun(store, "third")
    store.delta_state.record_delta_link(third.id, "link-3")
    store.runs.finish_reading(third.id)
    store.runs.cancel(third.id)
    assert kept(store, "last") == "link-2"


def test_an_older_run_does_not_take_the_place_of_a_newer(store: Store) -> None:
    """P4: a run that was halted and is completed after a newer one leaves that one's link."""
    older, _ = begun(store, "older", Mode.FULL)
    store.delta_state.record_delta_link(older.id, "link-1")
    store.runs.halt(older.id, Cause.ENTRA_CREDENTIALS, "")
    leave(store, "link-2", "newer")
    store.runs.resume(older.id)
    complete(store, older)
    assert kept(store) == "link-2"


def test_another_mapping_has_no_link(store: Store) -> None:
    """A link is good for the mapping that it was given for, and for no other one."""
    leave(store, "link-1")
    assert kept(store, "other", OTHER_MAPPING) is None
    assert kept(store, "same") == "link-1"


@pytest.mark.parametrize(
    ("changes", "stays"),
    [
        ({"client_secret": "second_store"}, True),
        ({"name": "Annan kommun", "guard": {"changed": None}, "give_up_after_hours": 1}, True),
        ({"sources": {"eppn": ["extensionAttribute3"]}}, False),
        ({"scope": {"enabled_only": True}}, False),
    ],
)
def test_a_changed_mapping_forgets_the_link(store: Store, changes: object, stays: bool) -> None:  # noqa: FBT001 - an expectation
    """A mapping that was changed, even for a moment, has left people mapped otherwise: all are read again."""
    leave(store, "link-1")
    before = store.tenants.settings(TENANT)
    store.tenants.change(TENANT, changes)
    undo = {"sources": {"eppn": list(before.sources[Attribute.EPPN])}}
    store.tenants.change(TENANT, {**undo, "scope": {"enabled_only": False}})
    assert mapping_fingerprint(store.tenants.settings(TENANT)) == mapping_fingerprint(before)
    assert kept(store) == ("link-1" if stays else None)


def test_a_mapping_changed_during_a_run_leaves_no_link(store: Store) -> None:
    """Part of the run's people were mapped otherwise, so its link would not cover them."""
    run, _ = begun(store, "first", Mode.FULL)
    store.delta_state.record_delta_link(run.id, "link-1")
    store.tenants.change(TENANT, {"birthdays": False})
    store.delta_state.record_delta_link(run.id, "link-2")
    complete(store, run)
    assert kept(store) is None


def test_one_tenant_keeps_its_link_whatever_another_does(store: Store) -> None:
    """Links are the tenant's own."""
    store.tenants.add(tenant("annan"), CLIENT_SECRET)
    leave(store, "link-1")
    store.tenants.change("annan", {"birthdays": False})
    run, plan = begun(store, "annan", key="annan")
    assert plan.start_link is None
    store.delta_state.fall_back_to_list(run.id, attempt=2, why="expired")
    assert kept(store) == "link-1"
    store.tenants.change(TENANT, {"birthdays": False})
    assert kept(store, "again") is None


def test_a_dry_run_reads_the_link_and_touches_it_never(store: Store) -> None:
    """A dry run goes on from the link, leaves none, and forgets none that Graph refuses."""
    leave(store, "link-1")
    dry, plan = begun(store, "dry", dry_run=True)
    assert (plan.start_link, plan.needs_delta_link) == ("link-1", False)
    store.delta_state.record_delta_link(dry.id, "link-2")
    store.delta_state.fall_back_to_list(dry.id, attempt=2, why="expired")
    complete(store, dry)
    assert kept(store) == "link-1"


def test_how_a_run_reads_is_decided_once(store: Store, second_store: Store) -> None:
    """P4: a page that comes twice, or after a newer run has moved the link, is read in the same way."""
    leave(store, "link-1")
    run, plan = begun(store, "second")
    store.runs.halt(run.id, Cause.ENTRA_CREDENTIALS, "")
    leave(store, "link-2", "third")
    assert second_store.delta_state.read_plan(run, OTHER_MAPPING) == plan
    assert plan.start_link == "link-1"


def test_a_link_that_graph_refuses_is_forgotten(store: Store) -> None:
    """From the next scan on the run reads everybody, says why, and wants a link to leave behind."""
    leave(store, "link-1")
    run, _ = begun(store, "second")
    store.delta_state.fall_back_to_list(run.id, attempt=2, why="expired")
    plan = store.delta_state.read_plan(run, MAPPING)
    assert (plan.delta_link_for(1), plan.delta_link_for(2), plan.delta_link_for(3)) == ("link-1", None, None)
    assert plan.needs_delta_link
    assert store.runs.get(run.id).detail == "expired"
    store.runs.cancel(run.id)
    assert kept(store) is None


def test_why_everybody_is_read(store: Store) -> None:
    """A delta run without a link says so, and says nothing when there is one."""
    run, _ = begun(store, "first")
    assert "no delta link is kept" in (store.runs.get(run.id).detail or "")
    complete(store, run)
    leave(store, "link-1", "second")
    run, _ = begun(store, "third")
    assert store.runs.get(run.id).detail is None


def test_no_link_is_wanted_once_somebody_was_published(store: Store) -> None:
    """A link that is taken after people were read would leave out what changed about them since."""
    run = begin_run(store, "event", "anna")
    assert not store.delta_state.read_plan(run, MAPPING).needs_delta_link


def test_changed_and_removed_people_get_receipts(store: Store) -> None:
    """P3: the changed are pending, the removed are out of scope and counted, without any message."""
    leave(store, "link-1")
    run, _ = begun(store, "second")
    assert store.delta_receipts.create_pending(run.id, ["bo", "anna"], ["cecilia"]) == {"anna", "bo"}
    assert store.delta_receipts.create_pending(run.id, [], []) == set()
    gone = store.receipts.get(run.id, "cecilia")
    assert gone is not None
    assert (gone.outcome, gone.detail) == (Outcome.OUT_OF_SCOPE, NO_LONGER_IN_ENTRA.detail)
    assert gone.not_found_reason is NotFoundReason.NO_LONGER_IN_ENTRA
    assert gone.finished is not None
    assert store.runs.summary(run.id).counts == {Outcome.PENDING: 2, Outcome.OUT_OF_SCOPE: 1}
    store.delta_state.record_delta_link(run.id, "link-2")
    complete(store, run)
    assert kept(store) == "link-2"


@pytest.mark.parametrize(
    ("changed", "removed"), [(["anna"], []), ([], ["anna"]), (["dora", "anna"], []), ([], ["cecilia"])]
)
def test_who_is_told_of_twice_keeps_the_link_where_it_is(
    store: Store, changed: list[str], removed: list[str]
) -> None:
    """P4: newer values may have come too late for this run, so the next one reads them again."""
    leave(store, "link-1")
    run, _ = begun(store, "second")
    store.delta_receipts.create_pending(run.id, ["anna", "bo"], ["cecilia"])
    store.receipts.finish(run.id, "anna", result(Outcome.UNCHANGED))
    assert store.delta_receipts.create_pending(run.id, changed, removed) == set(changed) - {"anna"}
    store.delta_state.record_delta_link(run.id, "link-2")
    complete(store, run)
    assert kept(store) == "link-1"


def test_who_was_removed_and_is_back_is_worked_on(store: Store) -> None:
    """Graph promises no order: somebody whom a later page has again is pending, not out of scope."""
    leave(store, "link-1")
    run, _ = begun(store, "second")
    store.delta_receipts.create_pending(run.id, [], ["anna", "bo"])
    assert store.delta_receipts.create_pending(run.id, ["anna"], []) == {"anna"}
    receipt = store.receipts.get(run.id, "anna")
    assert receipt is not None
    assert (receipt.outcome, receipt.detail, receipt.finished) == (Outcome.PENDING, None, None)
    assert receipt.not_found_reason is None
    assert store.runs.pending_users(run.id) == ["anna"]


def test_changes_of_runs_that_are_not_read_any_more_are_not_written(store: Store) -> None:
    """P3: a late page cannot add a user to a run whose list is complete."""
    leave(store, "link-1")
    run, _ = begun(store, "second")
    store.runs.finish_reading(run.id)
    for changed, removed in (["anna"], []), ([], ["anna"]):
        with pytest.raises(NotYetError):
            store.delta_receipts.create_pending(run.id, changed, removed)
    assert store.receipts.get(run.id, "anna") is None


def test_a_removed_tenant_takes_its_link_along(store: Store) -> None:
    """A tenant of the same key that is added afterwards begins without a link."""
    leave(store, "link-1")
    store.tenants.remove(TENANT)
    store.tenants.add(tenant(), CLIENT_SECRET)
    assert kept(store) is None
