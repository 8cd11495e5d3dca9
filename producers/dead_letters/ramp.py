"""How a replay goes about it: what it can replay at all, in what steps, and when it stops by itself."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

    from schemas.outcomes import Reason

#: People in the first steps; the step after these takes everybody else.
RAMP: Final = (1, 10, 100)

#: The share of a step's people that may fail again.
MAX_FAILED: Final = 0.2


class Obstacle(StrEnum):
    """Why a letter cannot be replayed."""

    NOT_OURS = "not_ours"
    GONE = "gone"
    OUTLIVED = "outlived"

    @property
    def text(self) -> str:
        """Say it to an operator."""
        return _OBSTACLES[self]


_OBSTACLES: Final = {
    Obstacle.NOT_OURS: "no message of ours: look at it with 'show', and 'discard' it",
    Obstacle.GONE: "its run is gone, pruned or with its tenant: 'discard' it",
    Obstacle.OUTLIVED: "its receipt is pruned, and a newer run has handled the person: 'discard' it",
}


def step_size(step: int, left: int) -> int:
    """Return how many people step number `step`, counted from 0, takes of those that are `left`."""
    return min(RAMP[step], left) if step < len(RAMP) else left


def fails_too_often(failed: int, published: int, limit: float) -> bool:
    """Say whether more than the share `limit` of the published are sure to have failed again."""
    return failed > limit * published


def failures_in_words(failed: int, published: int, reasons: Mapping[Reason, int], *, limit: float) -> str:
    """Say why a replay has stopped by itself; `reasons` are those of the whole replay."""
    why = ", ".join(f"{reason} {count}" for reason, count in sorted(reasons.items()))
    return f"{failed} of the last {published} failed again, more than {limit:.0%} ({why})"
