"""What a run waits for, in words."""

from __future__ import annotations

import datetime as dt
import math
from http import HTTPStatus
from typing import TYPE_CHECKING, Final

from schemas.errors import Dependency, FailureKind

if TYPE_CHECKING:
    from collections.abc import Mapping

    from schemas.runs.waits import Waiting

_SERVICES: Final[Mapping[Dependency | None, str]] = {
    None: "an older run, or another user that gives up a value",
    Dependency.ENTRA: "Entra",
    Dependency.GRAPH: "Microsoft Graph",
    Dependency.SKOLON: "Skolon",
    Dependency.DATABASE: "the database",
    Dependency.BROKER: "RabbitMQ",
    Dependency.MACHINE: "open files on the worker's machine",
}

_KINDS: Final[Mapping[FailureKind, str]] = {
    FailureKind.NO_CONNECTION: "no connection",
    FailureKind.TIMEOUT: "no answer in time",
    FailureKind.TLS: "TLS failed (is the certificate trusted?)",
    FailureKind.UNREADABLE: "an answer that makes no sense",
    FailureKind.REFUSED: "refused for now",
}

#: Within so long the time of day alone is clear.
_TODAY: Final = dt.timedelta(hours=12)


def describe_waiting(waiting: Waiting, now: dt.datetime) -> str:
    """Return who waits for what, since when, the last answer and the next try; `now` is aware."""
    parts = [f"{_who(waiting)} for {_SERVICES[waiting.service]} since {_since(waiting.since, now)}"]
    answer = last_answer(waiting)
    if answer is not None:
        parts.append(f"last answer {answer}")
    left = math.ceil((waiting.next_try - now).total_seconds())
    parts.append(f"next try in {left} s" if left > 0 else "next try now")
    return ", ".join(parts)


def last_answer(waiting: Waiting) -> str | None:
    """Return the last response in words, None if there was no request so far."""
    said = [] if waiting.last_status is None else [f"HTTP {waiting.last_status}"]
    if waiting.last_status == HTTPStatus.TOO_MANY_REQUESTS:
        said[0] += " (throttled)"
    if waiting.last_kind is not None:
        said.append(_KINDS[waiting.last_kind])
    return ", but ".join(said) or None


def _who(waiting: Waiting) -> str:
    users = "1 user" if waiting.users == 1 else f"{waiting.users} users"
    if not waiting.page:
        return f"{users} {'waits' if waiting.users == 1 else 'wait'}"
    return f"the next page and {users} wait" if waiting.users else "the next page waits"


def _since(moment: dt.datetime, now: dt.datetime) -> str:
    return f"{moment:%H:%M} UTC" if now - moment < _TODAY else f"{moment:%Y-%m-%d %H:%M} UTC"
