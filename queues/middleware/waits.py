"""What is told of a message that is to be tried again, so that its run can say what it waits for."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any, Final

from runtime.services import CircuitOpenError
from schemas.errors import NotYetError
from schemas.messages.messages import METADATA_KEY
from schemas.runs.waits import Wait

if TYPE_CHECKING:
    from dramatiq import Message

    from schemas.errors import TransientError

#: Seconds after which it is told once more of a message that is only put aside again and again: so many of
#: them cost the database little, and the search for lost messages sees a sign of life.
REPORT_INTERVAL: Final = 300.0

_WAIT: Final = "wait"


def wait_to_report(
    message: Message[Any], error: TransientError | NotYetError, delay: float, now: dt.datetime
) -> Wait | None:
    """Return what is to be told of a message that is tried again in `delay` seconds; None for nothing new.

    A try that failed is always told: it has cost a request. What was put aside without asking is told when it
    waits for another service than was told last, and then as a sign of life.
    """
    if isinstance(error, CircuitOpenError):
        if not _is_new(message, error, now):
            return None
        failed = None
    else:
        failed = now
    next_try = now + dt.timedelta(seconds=delay)
    if isinstance(error, NotYetError):
        return Wait(service=None, reported=now, next_try=next_try, failed_at=now)
    return Wait(
        service=error.dependency,
        reported=now,
        next_try=next_try,
        failed_at=failed,
        status=error.status,
        kind=error.kind,
    )


def with_wait(message: Message[Any], wait: Wait) -> Message[Any]:
    """Return the message with a note of what was told of it."""
    note = {
        "service": wait.service and str(wait.service),
        "told": wait.reported.isoformat(timespec="seconds"),
    }
    copy: Message[Any] = message.copy(options={METADATA_KEY: {**_section(message), _WAIT: note}})
    return copy


def _is_new(message: Message[Any], error: CircuitOpenError, now: dt.datetime) -> bool:
    note = _section(message).get(_WAIT)
    if not isinstance(note, dict) or note.get("service") != str(error.dependency):
        return True
    try:
        told = dt.datetime.fromisoformat(str(note.get("told")))
    except ValueError:
        return True
    if told.tzinfo is None:
        return True
    # A clock that was put back must not silence it for long.
    return abs((now - told).total_seconds()) >= REPORT_INTERVAL


def _section(message: Message[Any]) -> dict[str, Any]:
    section = message.options.get(METADATA_KEY)
    return section if isinstance(section, dict) else {}
