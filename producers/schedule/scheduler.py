"""The scheduler: publishes triggers for tenants whose runs are due."""

from __future__ import annotations

import datetime as dt
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, NoReturn

import structlog

from producers.schedule.policy import Trigger, blocking_run, decide, due_time, event_id, last_event_id
from queues.message import tenant_sync_message, with_proof
from schemas.errors import TransientError
from schemas.messages.messages import SyncRequest

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from queues.interfaces import Message
    from schemas.errors import Dependency
    from schemas.outcomes import Mode
    from schemas.tenants.schedule_state import ScheduleState
    from store.tenants.schedules import Schedules

#: Seconds between two ticks, each at a new minute: no due time lies in between.
_MINUTE: Final = 60.0

#: Seconds until the next attempt while the database or RabbitMQ is unavailable.
RETRY_INTERVAL: Final = 5.0

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, kw_only=True)
class PublishedTrigger:
    """A trigger that has been published: for which tenant and due time (in UTC)."""

    tenant: str
    due: dt.datetime
    mode: Mode
    event: str


class Scheduler:
    """Publishes triggers that are due; logs each problem of a tenant once."""

    def __init__(
        self,
        *,
        schedules: Schedules,
        publish: Callable[[Sequence[Message[Any]]], object],
        proof: Callable[[str, dict[str, Any]], str],
    ) -> None:
        """Take what publishes triggers, and what signs them (`schemas.messages.authentication`)."""
        self._schedules = schedules
        self._proof = proof
        self._publish = publish
        self._said: dict[int, object] = {}

    def tick(self, now: dt.datetime) -> list[PublishedTrigger]:
        """Publish a trigger for each tenant whose run is due at `now` (aware); return them.

        Raises `TransientError` when the database or RabbitMQ is unavailable. Nothing is lost by that, nor
        when the process is killed: a trigger not recorded as published is published again, under the same id.
        """
        with self._schedules.try_lock() as mine:
            if not mine:
                return []
            plans = self._schedules.enabled()
            self._said = {plan.tenant_id: said for plan in plans if (said := self._said.get(plan.tenant_id))}
            found = [(plan, trigger) for plan in plans if (trigger := self._trigger(plan, now))]
            published = [_published(plan, trigger) for plan, trigger in found]
            if published:
                self._publish([with_proof(_message(each), self._proof) for each in published])
                self._schedules.record_published([(plan, trigger.due) for plan, trigger in found], now)
        for each in published:
            _log.info(
                "run_triggered",
                tenant=each.tenant,
                mode=each.mode,
                due=each.due.isoformat(),
                event_id=each.event,
            )
        return published

    def _trigger(self, plan: ScheduleState, now: dt.datetime) -> Trigger | None:
        try:
            if due_time(plan, now) is None:
                return None
        except ValueError as error:
            # Another version stored it, or this machine does not know the time zone.
            self._say(plan, plan.schedule, "invalid_schedule", detail=str(error))
            return None
        history = self._schedules.history(plan, last_event_id(plan))
        holder = blocking_run(history)
        if holder is not None:
            run, cause = holder.id, str(holder.cause)
            self._say(plan, run, "schedule_blocked_by_halted_run", run=run, cause=cause)
        decision = decide(plan, history, now)
        return decision if isinstance(decision, Trigger) else None

    def _say(self, plan: ScheduleState, what: object, text: str, **fields: object) -> None:
        if self._said.get(plan.tenant_id) != what:
            self._said[plan.tenant_id] = what
            _log.warning(text, tenant=plan.tenant, **fields)


def run_forever(
    tick: Callable[[dt.datetime], object],
    *,
    clock: Callable[[], float] = time.time,
    wait: Callable[[float], object] = time.sleep,
) -> NoReturn:
    """Tick at each new minute, for ever; during an outage wait, and log it each minute (promise P8)."""
    away: Dependency | None = None
    said = 0.0
    while True:
        now = clock()
        try:
            tick(dt.datetime.fromtimestamp(now, dt.UTC))
        except TransientError as error:
            if error.dependency is not away or now >= said + _MINUTE:
                away, said = error.dependency, now
                _log.warning("service_unavailable", service=str(away), detail=error.detail)
            wait(RETRY_INTERVAL)
            continue
        if away is not None:
            _log.info("service_recovered", service=str(away))
            away = None
        wait(_MINUTE - clock() % _MINUTE)


def _published(plan: ScheduleState, trigger: Trigger) -> PublishedTrigger:
    return PublishedTrigger(
        tenant=plan.tenant,
        due=trigger.due,
        mode=trigger.mode,
        event=event_id(plan.tenant, trigger.due),
    )


def _message(published: PublishedTrigger) -> Message[Any]:
    request = SyncRequest(tenant=published.tenant, mode=published.mode)
    return tenant_sync_message(request, event_id=published.event)
