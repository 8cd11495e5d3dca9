"""When a message is lost: decided from what was seen look by look, without a clock or a server of its own.

RabbitMQ tells how many messages lie ready in a queue, and nothing of those that somebody has in hand. So a
message is lost when everything from its time has left the queues, and nobody who could have had it in hand
since has given a sign of life for longer than any message can lie there.

That is certain but for clocks that differ and processes that hang. A message that was not lost comes twice
then, which does no harm (promise P4).
"""

from __future__ import annotations

import datetime as dt
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from runtime.breaker_registry import LONGEST_HOLD

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable

#: Looks that are remembered at most (promise P10).
_MAX_OBSERVATIONS: Final = 500


@dataclass(frozen=True, kw_only=True)
class LossTimeouts:
    """How long to wait, in seconds: between two looks, and before what gives no sign of life is lost.

    `quiet_time` is longer than somebody is worked on while everything answers. `quiet_time_in_outage` is
    longer than a message lies in a worker's memory and hand while a service is away: prefetched, held, and
    put aside with a sign of life each five minutes. What was published again is given twice the time the next
    time, up to `max_quiet_time`: a policy that drops everything makes no storm.
    """

    check_interval: float = 60.0
    quiet_time: float = LONGEST_HOLD
    quiet_time_in_outage: float = 4 * LONGEST_HOLD
    max_quiet_time: float = 3600.0

    def required_quiet(self, *, away: bool, times: int) -> dt.timedelta:
        """Return for how long there must be no sign of life, after so many `times` of publishing again."""
        first = self.quiet_time_in_outage if away else self.quiet_time
        return dt.timedelta(seconds=max(first, min(first * 2 ** min(times, 16), self.max_quiet_time)))


class DrainHistory:
    """What has left the ready queues, as was seen at each look."""

    def __init__(self) -> None:
        self._seen: deque[tuple[dt.datetime, dt.datetime]] = deque(maxlen=_MAX_OBSERVATIONS)

    def record(self, now: dt.datetime, left: dt.datetime | None) -> None:
        """Note at `now` that everything published before `left` has left the queues (None: unknown)."""
        if left is not None:
            self._seen.append((now, left))

    def drained_before(self, moment: dt.datetime) -> dt.datetime | None:
        """Return before when everything that was published had left the queues by that moment."""
        return max((left for at, left in self._seen if at <= moment), default=None)


class UnchangedSince:
    """Since when things look the same as they do now."""

    def __init__(self) -> None:
        self._since: dict[Hashable, dt.datetime] = {}

    def record(self, now: dt.datetime, things: Iterable[Hashable]) -> None:
        """Note at `now` which things there are; what has changed is another thing."""
        self._since = {thing: self._since.get(thing, now) for thing in things}

    def since(self, thing: Hashable) -> dt.datetime:
        """Return when a thing of the last look was seen first."""
        return self._since[thing]


def lost_before(
    now: dt.datetime, quiet: dt.timedelta, passage: DrainHistory, since: dt.datetime
) -> dt.datetime | None:
    """Return the moment before which a last sign of life means that the message is lost; None for never.

    `since` is when the one whose messages they are was seen first: nothing is known from before.
    """
    left = passage.drained_before(now - quiet)
    return left if left is not None and left > since else None
