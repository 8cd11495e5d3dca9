"""Lists that lie: cut short, empty, or of users that Skolon suddenly lacks; queues in memory."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from producers.resume import resume_run
from sandbox.microsoft.faults import Effect, Fault
from sandbox.microsoft.http_messages import Kind
from schemas.errors import UsageError
from schemas.outcomes import Cause, Mode, Outcome, Status
from schemas.runs.run import WarningKind
from tests.integration.producers.delta.steps import change, counts, crowd, delta, resume

if TYPE_CHECKING:
    from cli.sandbox.in_process_sync import InProcessSync
    from sandbox.environment import Environment

PEOPLE = 50

#: Users on a page of Graph's list, fewer than there are.
ON_A_PAGE = 20


@pytest.fixture(autouse=True)
def _small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("clients.graph.client.PAGE_SIZE", ON_A_PAGE)
    # What a delta reads beside the changed users is not counted here.
    monkeypatch.setattr("producers.page_sources.MAX_READ_AGAIN", 0)


def end_list_early(made_up: Environment, *, empty: bool = False) -> None:
    """Have the next list end after its first page, or before its first user."""
    effects = (Effect.EMPTY_PAGE, Effect.CUT_SHORT) if empty else (Effect.CUT_SHORT,)
    for effect in effects:
        made_up.microsoft.faults.add(Fault(effect=effect, kind=Kind.USERS))


def test_a_list_that_is_cut_short_is_warned_of(made_up: Environment, sync: InProcessSync) -> None:
    """A complete run says how many people Graph counted and how many it listed; the next one is right."""
    end_list_early(made_up)
    short = sync.run()
    assert short.published == ON_A_PAGE
    assert short.run.status is Status.COMPLETED
    assert [warning.kind for warning in short.warnings] == [WarningKind.COUNT_DIFFERS]
    assert f"{short.published} were read" in short.warnings[0].detail
    assert sync.run().warnings == ()


def test_nobody_warns_where_nobody_counted(made_up: Environment, sync: InProcessSync) -> None:
    """A directory that refuses to count its people is read as far as it goes, without a warning."""
    made_up.microsoft.faults.add(
        Fault(effect=Effect.ERROR, kind=Kind.COUNT, status=400, code="Request_BadRequest")
    )
    end_list_early(made_up)
    short = sync.run()
    assert (short.published, short.run.status, short.warnings) == (ON_A_PAGE, Status.COMPLETED, ())


def test_a_run_of_named_people_and_a_delta_are_not_compared(
    made_up: Environment, sync: InProcessSync
) -> None:
    """Who reads a part of the people on purpose has nothing to warn of."""
    whole = sync.run()
    assert whole.warnings == ()
    assert sync.run(mode=Mode.DELTA).warnings == ()
    assert sync.run(users=(str(next(iter(made_up.municipality)).entra["id"]),)).warnings == ()


def test_a_short_list_leaves_no_delta_link(made_up: Environment, sync: InProcessSync) -> None:
    """The delta after it begins where the run before it stood, and so misses no change."""
    sync.run()
    changed = change(made_up, 5)
    end_list_early(made_up)
    short = sync.run()
    assert short.published == ON_A_PAGE

    following = delta(sync)

    assert following.run.detail is None
    assert following.published == len(changed)
    assert sync.run().counts.get(Outcome.UPDATED, 0) == 0


def test_a_first_list_that_is_short_leaves_no_delta_link(made_up: Environment, sync: InProcessSync) -> None:
    """A delta that has no older link either reads all users."""
    end_list_early(made_up)
    assert sync.run().published == ON_A_PAGE
    assert delta(sync).published == PEOPLE


@pytest.mark.parametrize("dry_run", [False, True])
def test_an_empty_list_halts(made_up: Environment, sync: InProcessSync, dry_run: bool) -> None:  # noqa: FBT001
    """A directory always has users: a list without any is no success; once resumed, all are read."""
    end_list_early(made_up, empty=True)
    halted = sync.run(dry_run=dry_run)
    assert (halted.run.status, halted.run.cause) == (Status.HALTED, Cause.SUSPICIOUS_LIST)
    assert f"counts {PEOPLE}" in (halted.run.detail or "")

    resumed = resume(sync, halted)

    assert (resumed.run.status, resumed.published) == (Status.COMPLETED, PEOPLE)


def forget_users(made_up: Environment) -> None:
    """Have Skolon lose all its users."""
    (organisation,) = made_up.skolon.organisations
    made_up.skolon.fill(organisation, [])


def test_users_that_skolon_suddenly_lacks_halt(made_up: Environment, sync: InProcessSync) -> None:
    """A run that finds nearly none of those whom the last full run found is no success."""
    sync.run()
    forget_users(made_up)

    halted = sync.run()

    assert (halted.run.status, halted.run.cause) == (Status.HALTED, Cause.SUSPICIOUS_LIST)
    assert "were not found in Skolon" in (halted.run.detail or "")
    assert halted.pending == 0
    change(made_up, 3)
    sync.store.runs.cancel(halted.run.id)
    assert delta(sync).published == 3


def test_a_suspicious_run_can_be_let_through(made_up: Environment, sync: InProcessSync) -> None:
    """It is resumed only with the override; then it is complete, and the next one is compared with it."""
    sync.run()
    forget_users(made_up)
    halted = sync.run()
    with pytest.raises(UsageError, match="--override-guard"):
        resume_run(halted.run.id, store=sync.store, publisher=sync.broker)

    resume_run(halted.run.id, store=sync.store, publisher=sync.broker, override_guard=True)

    assert sync.wait(halted.run.id).run.status is Status.COMPLETED
    assert sync.run().run.status is Status.COMPLETED


def test_a_dry_run_may_find_few(made_up: Environment, sync: InProcessSync) -> None:
    """A dry run is for looking; and a few more users that are not found are no surge."""
    sync.run()
    crowd(made_up, 15)
    assert sync.run().run.status is Status.COMPLETED
    forget_users(made_up)
    assert sync.run(dry_run=True).run.status is Status.COMPLETED


@pytest.mark.parametrize(
    ("status", "code"),
    [(400, "Request_BadRequest"), (403, "Authorization_RequestDenied"), (404, "Request_ResourceNotFound")],
)
def test_a_stray_refusal_in_mid_list_passes(
    made_up: Environment, sync: InProcessSync, status: int, code: str
) -> None:
    """A page that Graph refuses once, and then gives, halts no run."""
    made_up.microsoft.faults.add(
        Fault(effect=Effect.ERROR, kind=Kind.USERS, page=2, status=status, code=code, times=2)
    )
    summary = sync.run()
    assert (summary.run.status, summary.published) == (Status.COMPLETED, PEOPLE)


def test_relative_links_are_followed(made_up: Environment, sync: InProcessSync) -> None:
    """A list and a delta whose links lead on without naming the host are read to their ends."""
    made_up.microsoft.faults.add(Fault(effect=Effect.RELATIVE_LINK, times=None))
    summary = sync.run()
    assert (summary.run.status, summary.published) == (Status.COMPLETED, PEOPLE)
    change(made_up, 3)
    assert counts(delta(sync)) == {"updated": 3}
