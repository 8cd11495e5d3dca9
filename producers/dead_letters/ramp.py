"""How a replay goes about it: what it can replay at all, in what steps, and when it stops by itself."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

    from schemas.outcomes import Reason

#: People in the first steps; the step after these takes everybody else.
RAMP_STEPS: Final = (1, 10, 100)

#: The share of a step's people that may fail again.
MAX_FAILED_SHARE: Final = 0.2


class BlockReason(StrEnum):
    """Why a letter cannot be replayed."""

    FOREIGN = "foreign"
    RUN_GONE = "run_gone"
    SUPERSEDED = "superseded"

    @property
    def text(self) -> str:
        """Say it to an operator."""
        return _BLOCK_REASONS[self]


_BLOCK_REASONS: Final = {
    BlockReason.FOREIGN: "no message of ours: look at it with 'show', and 'discard' it",
    BlockReason.RUN_GONE: "its run is gone, pruned or with its tenant: 'discard' it",
    BlockReason.SUPERSEDED: "its receipt is pruned, and a newer run has handled the person: 'discard' it",
}


def step_size(step: int, left: int) -> int:
    """Return how many people step number `step`, counted from 0, takes of those that are `left`."""
    return min(RAMP_STEPS[step], left) if step < len(RAMP_STEPS) else left


def exceeds_failure_limit(failed: int, published: int, limit: float) -> bool:
    """Say whether more than the share `limit` of the published are sure to have failed again."""
    return failed > limit * published


def describe_failures(failed: int, published: int, reasons: Mapping[Reason, int], *, limit: float) -> str:
    """Say why a replay has stopped by itself; `reasons` are those of the whole replay."""
    why = ", ".join(f"{reason} {count}" for reason, count in sorted(reasons.items()))
    return f"{failed} of the last {published} failed again, more than {limit:.0%} ({why})"
