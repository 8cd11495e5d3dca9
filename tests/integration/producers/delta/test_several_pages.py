"""Deltas of several pages, and people who change while a run is being read."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from sandbox.microsoft.faults import Effect, Fault
from sandbox.microsoft.http_messages import Kind
from sandbox.municipality.changes import changed_users
from schemas.outcomes import Mode, Outcome, Status
from tests.integration.producers.delta.steps import (
    all_is_right,
    asked,
    change,
    counts,
    delta,
    held_before,
    rename,
    settled,
    surnames,
    until,
)

if TYPE_CHECKING:
    from cli.sandbox.in_process_sync import InProcessSync
    from sandbox.environment import Environment


@pytest.fixture
def people() -> int:
    """Say how many live there: enough for several pages."""
    return 20


@pytest.mark.usefixtures("small_pages")
def test_a_delta_of_several_pages(made_up: Environment, sync: InProcessSync) -> None:
    """Every page of a delta is read, and the link is that of the last one."""
    change(made_up, 8)
    assert counts(delta(sync)) == {"updated": 8}
    assert asked(made_up) == {"delta": 3}
    assert delta(sync).published == 0
    all_is_right(sync)


@pytest.mark.usefixtures("small_pages")
def test_a_page_of_a_delta_that_expires(made_up: Environment, sync: InProcessSync) -> None:
    """P3: the delta restarts from its link, and each user is counted exactly once."""
    change(made_up, 5)
    made_up.microsoft.faults.add(Fault(effect=Effect.EXPIRED_PAGE_TOKEN, page=2))

    summary = delta(sync)

    assert counts(summary) == {"updated": 5}
    assert summary.run.attempt == 2
    assert set(asked(made_up)) == {"delta"}
    # Those of the first page may have changed in between, so they are looked at once more.
    assert counts(delta(sync)) == {"unchanged": 5}
    assert delta(sync).published == 0


@pytest.mark.usefixtures("small_pages")
def test_a_delta_that_expires_on_its_way(made_up: Environment, sync: InProcessSync) -> None:
    """Everybody is read, by this run and by the next, which has no link that would cover all changes."""
    change(made_up, 5)
    fault = Fault(effect=Effect.ERROR, kind=Kind.DELTA, page=2, status=410, code="resyncRequired")
    made_up.microsoft.faults.add(fault)

    summary = delta(sync)

    assert (summary.published, summary.counts[Outcome.UPDATED]) == (made_up.municipality.size, 5)
    following = delta(sync)
    assert following.published == made_up.municipality.size
    assert "no delta link is kept" in (following.run.detail or "")
    assert delta(sync).published == 0


@pytest.mark.usefixtures("small_pages")
def test_who_changes_while_a_delta_is_read(made_up: Environment, sync: InProcessSync) -> None:
    """P4: somebody told of once more, on a later page with newer values, ends as those are."""
    first = change(made_up, 4)[0]
    made_up.microsoft.faults.add(Fault(effect=Effect.GROWING_ROUND, page=2, times=None))
    with held_before(made_up, 2, Kind.DELTA):
        trigger = sync.start(mode=Mode.DELTA)
        until(lambda: settled(sync, trigger, first))
        rename(made_up, first, "Nyast")
    assert counts(sync.wait(trigger)) == {"updated": 4}
    assert delta(sync).counts[Outcome.UPDATED] == 1
    assert surnames(made_up)[first] == "Nyast"
    all_is_right(sync)


def test_who_changes_while_everybody_is_read(
    made_up: Environment, sync: InProcessSync, monkeypatch: pytest.MonkeyPatch
) -> None:
    """P4: a change that comes after its page of the list was read is met by the next delta."""
    monkeypatch.setattr("clients.graph.client.PAGE_SIZE", people_on_a_page := 10)
    first_page = (made_up.municipality.user(number).entra["id"] for number in range(people_on_a_page))
    ordinary = {user["id"] for user in changed_users(made_up.municipality, 10)}
    early = next(user for user in first_page if user in ordinary)
    with held_before(made_up, 2, Kind.USERS):
        run = sync.start()
        until(lambda: settled(sync, run, early))
        rename(made_up, early, "Nyast")
    assert sync.wait(run).run.status is Status.COMPLETED
    assert surnames(made_up)[early] != "Nyast"

    assert counts(delta(sync)) == {"updated": 1}

    assert surnames(made_up)[early] == "Nyast"
