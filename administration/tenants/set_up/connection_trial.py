"""Tests a tenant's connection while a person waits: within some seconds, whatever does not answer."""

from __future__ import annotations

import queue
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from administration.tenants.check_steps import CheckResult, Severity
from administration.tenants.connection_check import connection_steps

if TYPE_CHECKING:
    import datetime as dt

    from clients.gateways import Gateways
    from store.store import Store

#: Seconds for all steps together. Each request of a page ends by itself before that.
_PATIENCE: Final = 20.0


@dataclass(frozen=True, kw_only=True)
class ConnectionTrial:
    """The steps that were taken; unless `is_complete`, the time was over before the others."""

    steps: tuple[CheckResult, ...]
    is_complete: bool

    @property
    def is_right(self) -> bool:
        """Whether a run would work."""
        return self.is_complete and all(step.severity is not Severity.ERROR for step in self.steps)

    def as_json(self) -> dict[str, Any]:
        """Return the JSON object."""
        return {
            "works": self.is_right,
            "complete": self.is_complete,
            "steps": [step.as_json() for step in self.steps],
        }


def try_connection(
    tenant: str, *, store: Store, gateways: Gateways, today: dt.date, patience: float = _PATIENCE
) -> ConnectionTrial:
    """Try what a run needs, and note it if all of it is right. Nothing else is changed."""
    state = store.tenant_connections.get(tenant).state
    record = store.tenants.get(tenant)
    found: queue.SimpleQueue[CheckResult | BaseException | None] = queue.SimpleQueue()

    def take_steps() -> None:
        try:
            for step in connection_steps(record, gateways, today):
                found.put(step)
        except BaseException as error:  # noqa: BLE001 - told to who waits
            found.put(error)
        else:
            found.put(None)

    # It ends by itself: each of its requests has an end of its own.
    threading.Thread(target=take_steps, daemon=True).start()
    result = _gathered(found, time.monotonic() + patience)
    if result.is_right:
        store.tenant_connections.record_proof(tenant, state)
    return result


def _gathered(found: queue.SimpleQueue[CheckResult | BaseException | None], ends: float) -> ConnectionTrial:
    steps: list[CheckResult] = []
    while True:
        try:
            step = found.get(timeout=max(0.0, ends - time.monotonic()))
        except queue.Empty:
            return ConnectionTrial(steps=tuple(steps), is_complete=False)
        if isinstance(step, BaseException):
            raise step
        if step is None:
            return ConnectionTrial(steps=tuple(steps), is_complete=True)
        steps.append(step)
