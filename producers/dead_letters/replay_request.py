"""What a replay is asked for, and what it tells while it goes on."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from producers.dead_letters.ramp import MAX_FAILED_SHARE

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from schemas.dead_letter_reasons import Reason
    from schemas.messages.dead_letter_filter import DeadLetterFilter
    from schemas.runs.operation import ReplayResults


@dataclass(frozen=True, kw_only=True)
class ReplayRequest:
    """What to replay and how: `expected` dead letters by queue; `rate` in users a second.

    `reasons` counts the users' dead letters by reason: then each reason has steps of its own, the hopeless
    ones last. Without it all have the same steps, the oldest first. `task` is what the replay is a part of,
    which says itself what was chosen.
    """

    selection: DeadLetterFilter
    expected: Mapping[str, int]
    reasons: Mapping[Reason, int] = field(default_factory=dict)
    operator: str | None
    original_payload: bool = False
    rate: float | None = None
    max_failed: float = MAX_FAILED_SHARE
    step_timeout: float | None = None
    task: int | None = None

    def as_json(self) -> dict[str, Any]:
        """Return what the operation notes of what was chosen."""
        chosen = self.selection.as_json()
        if self.task is not None:
            # There may be thousands of them.
            chosen = {**chosen, "users": len(self.selection.users), "task": str(self.task)}
        return {**chosen, "dead_letters": sum(self.expected.values())}


@dataclass(frozen=True, kw_only=True)
class ReplayProgress:
    """Progress of a replay. `waiting_for` names an outage that hides the results, if there is one."""

    operation: int
    users: int
    published: int
    results: ReplayResults
    waiting_for: str | None = None


@dataclass(frozen=True, kw_only=True)
class ReplayHooks:
    """Callbacks of a replay: sleep for some seconds, say whether to cancel, show progress."""

    sleep: Callable[[float], object] = time.sleep
    is_cancelled: Callable[[], bool] = lambda: False
    on_progress: Callable[[ReplayProgress], None] = lambda _: None
