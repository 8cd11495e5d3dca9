"""What is told of a message that is tried again: a failure always, what is put aside now and then."""

from __future__ import annotations

import datetime as dt

from dramatiq import Message

from queues.middleware.waits import REPORT_INTERVAL, wait_to_report, with_wait
from runtime.services import CircuitOpenError
from schemas.errors import Dependency, FailureKind, NotYetError, TransientError
from schemas.runs.waits import Wait

NOW = dt.datetime(2026, 11, 26, 21, 4, tzinfo=dt.UTC)
FAILED = TransientError(Dependency.SKOLON, "HTTP 501", status=501)
TIMED_OUT = TransientError(Dependency.SKOLON, "no answer in time", kind=FailureKind.TIMEOUT)
HELD_BACK = CircuitOpenError(Dependency.SKOLON, "is away, so nothing was asked", retry_after=3)
LATER = dt.timedelta(seconds=REPORT_INTERVAL)
SOON = dt.timedelta(seconds=1)

MESSAGE: Message[None] = Message(queue_name="q", actor_name="a", args=(), kwargs={}, options={})


def told(error: TransientError, *, after: dt.timedelta, message: Message[None]) -> Wait | None:
    return wait_to_report(message, error, 4.0, NOW + after)


def test_a_failure_is_told_with_its_facts() -> None:
    """Service, moment, status and next try are values, not words."""
    wait = wait_to_report(MESSAGE, FAILED, 4.0, NOW)
    next_try = NOW + dt.timedelta(seconds=4)
    assert wait == Wait(
        service=Dependency.SKOLON, reported=NOW, next_try=next_try, failed_at=NOW, status=501, kind=None
    )
    late = wait_to_report(MESSAGE, TIMED_OUT, 4.0, NOW)
    assert late is not None
    assert (late.status, late.kind) == (None, FailureKind.TIMEOUT)


def test_a_user_in_an_older_run_waits_for_no_service() -> None:
    """What waits for another message is told too, without a service, a status or a kind."""
    wait = wait_to_report(MESSAGE, NotYetError("an older run is processing this user"), 4.0, NOW)
    assert wait == Wait(
        service=None,
        reported=NOW,
        next_try=NOW + dt.timedelta(seconds=4),
        failed_at=NOW,
        status=None,
        kind=None,
    )
    assert told(HELD_BACK, after=SOON, message=with_wait(MESSAGE, wait)) is not None


def test_every_failure_is_told() -> None:
    """Each cost a request, so each may cost a row."""
    wait = wait_to_report(MESSAGE, FAILED, 4.0, NOW)
    assert wait is not None
    assert told(FAILED, after=SOON, message=with_wait(MESSAGE, wait)) is not None


def test_what_is_put_aside_is_told_once_and_then_as_a_sign_of_life() -> None:
    """Who is put aside again and again does not write again and again, unless it waits for another one."""
    wait = wait_to_report(MESSAGE, HELD_BACK, 4.0, NOW)
    assert wait is not None
    assert (wait.failed_at, wait.status, wait.kind) == (None, None, None)
    noted = with_wait(MESSAGE, wait)
    assert told(HELD_BACK, after=SOON, message=noted) is None
    assert told(HELD_BACK, after=LATER - SOON, message=noted) is None
    assert told(HELD_BACK, after=LATER, message=noted) is not None
    assert told(HELD_BACK, after=-LATER, message=noted) is not None
    assert told(CircuitOpenError(Dependency.GRAPH, "is away"), after=SOON, message=noted) is not None


def test_an_unreadable_note_counts_as_none() -> None:
    """A publisher may write anything."""
    notes: tuple[object, ...] = (
        None,
        "",
        [],
        {"service": "skolon"},
        {"service": "skolon", "told": "2026-11-26T21:04"},
    )
    for note in notes:
        forged = MESSAGE.copy(options={"update_sync": {"wait": note}})
        assert told(HELD_BACK, after=SOON, message=forged) is not None
