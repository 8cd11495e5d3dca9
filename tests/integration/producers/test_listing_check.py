"""A list of everybody that Graph cuts short without a word: real HTTP, queues in memory."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from sandbox.microsoft.faults import Effect, Fault
from sandbox.microsoft.http_messages import Kind
from schemas.outcomes import Mode, Status
from schemas.runs.run import WarningKind

if TYPE_CHECKING:
    from cli.sandbox.in_process_sync import InProcessSync
    from sandbox.environment import Environment

PEOPLE = 50


def end_lists_at_once(made_up: Environment) -> None:
    """Have the next list end before its first person, as if there were nobody."""
    for effect in (Effect.EMPTY_PAGE, Effect.CUT_SHORT):
        made_up.microsoft.faults.add(Fault(effect=effect, kind=Kind.USERS))


@pytest.mark.parametrize("mode", [Mode.FULL, Mode.DELTA])
def test_a_list_that_is_cut_short_is_warned_of(made_up: Environment, sync: InProcessSync, mode: Mode) -> None:
    """A complete run says how many people Graph counted and how many it listed; the next one is right."""
    end_lists_at_once(made_up)
    short = sync.run(mode=mode)
    assert short.run.status is Status.COMPLETED
    assert [warning.kind for warning in short.warnings] == [WarningKind.COUNT_DIFFERS]
    assert f"{short.published} were read" in short.warnings[0].detail
    assert sync.run().warnings == ()


def test_nobody_warns_where_nobody_counted(made_up: Environment, sync: InProcessSync) -> None:
    """A directory that refuses to count its people is read as far as it goes, without a warning."""
    made_up.microsoft.faults.add(
        Fault(effect=Effect.ERROR, kind=Kind.COUNT, status=400, code="Request_BadRequest")
    )
    end_lists_at_once(made_up)
    short = sync.run()
    assert (short.run.status, short.warnings) == (Status.COMPLETED, ())


def test_a_run_of_named_people_and_a_delta_are_not_compared(
    made_up: Environment, sync: InProcessSync
) -> None:
    """Who reads a part of the people on purpose has nothing to warn of."""
    whole = sync.run()
    assert whole.warnings == ()
    assert sync.run(mode=Mode.DELTA).warnings == ()
    assert sync.run(users=(str(next(iter(made_up.municipality)).entra["id"]),)).warnings == ()
