"""Why nothing happens to a request or a run: no process that works on it, or another run that comes first."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final, Protocol

from schemas.details.detail import texts_from
from schemas.details.template import Template
from schemas.errors import OperatorError, TransientError
from schemas.messages.messages import TENANT_PAGES_QUEUE, TENANT_SYNC_QUEUE, USER_SYNC_QUEUE
from schemas.outcomes import OPEN_STATUSES, Status

if TYPE_CHECKING:
    from collections.abc import Mapping

    from queues.interfaces import QueueDepth
    from schemas.reports.remedy import Language
    from schemas.runs.run import RunSummary
    from store.runs.runs import Runs


class IdleReason(StrEnum):
    """What a request or a run waits for, beside the services that its users wait for."""

    #: No producer consumes requests or pages.
    NO_PRODUCER = "no_producer"
    #: No worker consumes users.
    NO_WORKER = "no_worker"
    #: RabbitMQ cannot be reached.
    BROKER_AWAY = "broker_away"
    #: Another run of the tenant is open; a request waits for its end.
    OTHER_RUN = "other_run"


@dataclass(frozen=True, kw_only=True)
class Idle:
    """A reason, and for another run its number."""

    reason: IdleReason
    run: int | None = None

    def as_json(self) -> dict[str, Any]:
        """Return the JSON object."""
        return {"reason": str(self.reason), "run": None if self.run is None else str(self.run)}


@dataclass(frozen=True, kw_only=True)
class WaitingRequests:
    """How many requests for runs lie in RabbitMQ, not taken by a producer, and whether one runs."""

    count: int
    has_producer: bool

    @property
    def need_producer(self) -> bool:
        """Whether they wait for a producer to be started."""
        return bool(self.count) and not self.has_producer

    def as_json(self) -> dict[str, Any]:
        """Return the JSON object."""
        return {"count": self.count, "has_producer": self.has_producer}


class ConsumerCounts(Protocol):
    """Counts the consumers of queues."""

    def consumers(self, queue: str) -> int:
        """Return how many consumers a queue has; raises an error of ours if RabbitMQ cannot be asked."""


class MessageCounts(ConsumerCounts, Protocol):
    """Counts the messages that wait in queues too."""

    def depth(self, queue: str) -> QueueDepth:
        """Return how many messages wait; raises an error of ours if RabbitMQ cannot be asked."""


_REASONS: Final[Mapping[IdleReason, Template]] = {
    IdleReason.NO_PRODUCER: Template(
        "ingen producer är igång: starta en med 'update-sync producer'",
        "no producer runs: start one with 'update-sync producer'",
    ),
    IdleReason.NO_WORKER: Template(
        "ingen worker är igång: starta en med 'update-sync worker'",
        "no worker runs: start one with 'update-sync worker'",
    ),
    IdleReason.BROKER_AWAY: Template(
        "RabbitMQ går inte att nå, eller godtar inte UPDATE_SYNC_AMQP_URL",
        "RabbitMQ is away, or refuses what UPDATE_SYNC_AMQP_URL says",
    ),
    IdleReason.OTHER_RUN: Template(
        "körning {run} för kommunen pågår, och begäran väntar på att den blir klar",
        "run {run} of the tenant is open: the request waits for its end",
    ),
}


class IdleCheck:
    """Finds out why nothing happens; asks RabbitMQ and the database."""

    def __init__(self, *, broker: ConsumerCounts, runs: Runs) -> None:
        self._broker = broker
        self._runs = runs

    def of_request(self, tenant: str | None, *, is_quick: bool = False) -> tuple[Idle, ...]:
        """Return why a request for a run of a tenant is not picked up; nothing if no reason is known.

        A quick run waits for an undo alone.

        None stands for a request that waits for no other run.
        """
        found = self._without_consumers(TENANT_SYNC_QUEUE, IdleReason.NO_PRODUCER)
        if tenant is None:
            return found
        open_run = self._runs.open_run(tenant, to_quick=is_quick)
        other = () if open_run is None else (Idle(reason=IdleReason.OTHER_RUN, run=open_run.id),)
        return (*found, *other)

    def of_task(self, *, needs_producer: bool) -> tuple[Idle, ...]:
        """Return why a task on dead letters is not picked up; nothing if no reason is known."""
        producer = (
            self._without_consumers(TENANT_SYNC_QUEUE, IdleReason.NO_PRODUCER) if needs_producer else ()
        )
        return producer or self._without_consumers(USER_SYNC_QUEUE, IdleReason.NO_WORKER)

    def of_run(self, summary: RunSummary) -> tuple[Idle, ...]:
        """Return why an open run may come no further; nothing if all processes that it needs are there."""
        found: tuple[Idle, ...] = ()
        if summary.run.status is Status.READING:
            found = self._without_consumers(TENANT_PAGES_QUEUE, IdleReason.NO_PRODUCER)
        if summary.run.status in OPEN_STATUSES and summary.pending:
            found += self._without_consumers(USER_SYNC_QUEUE, IdleReason.NO_WORKER)
        return tuple(dict.fromkeys(found))

    def _without_consumers(self, queue: str, reason: IdleReason) -> tuple[Idle, ...]:
        try:
            return () if self._broker.consumers(queue) else (Idle(reason=reason),)
        except (TransientError, OperatorError):
            return (Idle(reason=IdleReason.BROKER_AWAY),)


def waiting_requests(broker: MessageCounts) -> WaitingRequests | None:
    """Return the requests for runs that wait, of whichever tenant; None if RabbitMQ cannot be asked."""
    try:
        depth = broker.depth(TENANT_SYNC_QUEUE)
        count = depth.ready + depth.deferred
        # Asked only if it matters: it takes a connection of its own.
        has_producer = not count or bool(broker.consumers(TENANT_SYNC_QUEUE))
    except (TransientError, OperatorError):
        return None
    return WaitingRequests(count=count, has_producer=has_producer)


def describe_requests(requests: WaitingRequests | None) -> str | None:
    """Return how many requests wait and what to do, in words; None if none waits."""
    if requests is None:
        return (
            "RabbitMQ is away, or refuses what UPDATE_SYNC_AMQP_URL says: it is not known whether requests "
            "for runs wait there. 'update-sync dead-letters list' tells which."
        )
    if not requests.count:
        return None
    wait = "1 request for a run waits" if requests.count == 1 else f"{requests.count} requests for runs wait"
    if requests.has_producer:
        return f"{wait} for a producer, or for the end of another run of the tenant."
    return f"{wait}: no producer runs. Start one with 'update-sync producer'."


def describe_idle(idle: Idle) -> dict[Language, str]:
    """Return a reason in words, with what to do, in each language."""
    return texts_from(_REASONS[idle.reason], run=idle.run or 0)
