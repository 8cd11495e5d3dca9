"""Detects lost messages from what each check observed; has no clock and no server of its own.

RabbitMQ tells how many messages are ready in a queue, and nothing about unacknowledged ones. So a message is
lost when all messages of its time have left the queues, and its user has given no sign of life for longer
than any worker can keep a message.

Clocks that differ and processes that hang can mislead it. Then a message is published twice, which does no
harm (promise P4).
"""

from __future__ import annotations

import datetime as dt
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from runtime.circuit_breaker import MAX_WAIT

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable

#: Checks that are remembered (promise P10).
_MAX_OBSERVATIONS: Final = 500


@dataclass(frozen=True, kw_only=True)
class LossTimeouts:
    """How long to wait, in seconds: between two checks, and without a sign of life before a message is lost.

    `quiet_time` is longer than a worker takes for a user while all services answer. `quiet_time_in_outage` is
    longer than a message lies in a worker's memory and hand while a service is away: prefetched, held, and
    put aside with a sign of life each five minutes. What was published again is given twice the time the next
    time, up to `max_quiet_time`: a policy that drops everything makes no storm.
    """

    check_interval: float = 60.0
    quiet_time: float = MAX_WAIT
    quiet_time_in_outage: float = 4 * MAX_WAIT
    max_quiet_time: float = 3600.0

    def required_quiet(self, *, away: bool, times: int) -> dt.timedelta:
        """Return how long there must be no sign of life, after `times` repeated publications."""
        first = self.quiet_time_in_outage if away else self.quiet_time
        return dt.timedelta(seconds=max(first, min(first * 2 ** min(times, 16), self.max_quiet_time)))


class DrainHistory:
    """Remembers, per check, which messages had left the ready queues."""

    def __init__(self) -> None:
        self._seen: deque[tuple[dt.datetime, dt.datetime]] = deque(maxlen=_MAX_OBSERVATIONS)

    def record(self, now: dt.datetime, left: dt.datetime | None) -> None:
        """Record at `now` that all messages published before `left` have left the queues (None: unknown)."""
        if left is not None:
            self._seen.append((now, left))

    def drained_before(self, moment: dt.datetime) -> dt.datetime | None:
        """Return the time before which all published messages had left the queues by `moment`."""
        return max((left for at, left in self._seen if at <= moment), default=None)


class UnchangedSince:
    """Remembers since when each thing is unchanged."""

    def __init__(self) -> None:
        self._since: dict[Hashable, dt.datetime] = {}

    def record(self, now: dt.datetime, things: Iterable[Hashable]) -> None:
        """Record at `now` which things there are; a changed one is a new one."""
        self._since = {thing: self._since.get(thing, now) for thing in things}

    def since(self, thing: Hashable) -> dt.datetime:
        """Return when a thing of the last check was first seen."""
        return self._since[thing]


def lost_before(
    now: dt.datetime, quiet: dt.timedelta, passage: DrainHistory, since: dt.datetime
) -> dt.datetime | None:
    """Return the time before which a last sign of life means a lost message; None for never.

    `since` is when the owner of the messages was first seen: nothing earlier is known.
    """
    left = passage.drained_before(now - quiet)
    return left if left is not None and left > since else None
