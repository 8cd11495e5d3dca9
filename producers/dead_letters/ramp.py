"""Rules of a replay: what blocks a dead letter, the ramp-up steps, and the failure limit."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Final

from schemas.dead_letter_reasons import Reason
from schemas.details.detail import Detail
from schemas.details.kinds import DetailKind

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

#: Users in the first steps; the step after these takes all others.
RAMP_STEPS: Final = (1, 10, 100)

#: The reasons that a replay begins with, most hopeful first: no person has to correct anything. All
#: others come after them.
_HOPEFUL: Final = (
    Reason.GAVE_UP,
    Reason.CRASHED_WORKER,
    Reason.CONFLICT,
    Reason.BUG,
    Reason.REJECTED_BY_SKOLON,
    Reason.VALUE_TAKEN,
)

#: The share of a step's users that may fail again.
MAX_FAILED_SHARE: Final = 0.2


class BlockReason(StrEnum):
    """Why a dead letter cannot be replayed."""

    FOREIGN = "foreign"
    RUN_GONE = "run_gone"
    AWAITS_ANSWER = "awaits_answer"

    @property
    def text(self) -> str:
        """The reason in words, for an operator."""
        return _BLOCK_REASONS[self]


_BLOCK_REASONS: Final = {
    BlockReason.FOREIGN: (
        "not a message of the sync, or of a former database: check it with 'show', and 'discard' it"
    ),
    BlockReason.RUN_GONE: "its run was pruned, or removed with its tenant: 'discard' it",
    BlockReason.AWAITS_ANSWER: (
        "a newer halted run has its user: first resume, undo or cancel that run, which 'status' names"
    ),
}


def in_order(reasons: Collection[Reason]) -> list[Reason]:
    """Return the reasons in the order in which a replay tries their users: the hopeless ones last."""
    return sorted(
        reasons,
        key=lambda reason: (_HOPEFUL.index(reason) if reason in _HOPEFUL else len(_HOPEFUL), reason),
    )


def step_size(step: int, left: int) -> int:
    """Return how many of the `left` users step number `step` (from 0) takes."""
    return min(RAMP_STEPS[step], left) if step < len(RAMP_STEPS) else left


def exceeds_failure_limit(failed: int, published: int, limit: float) -> bool:
    """Say whether more than the share `limit` of the published users have failed again."""
    return failed > limit * published


def describe_failures(failed: int, published: int, reasons: Mapping[Reason, int], *, limit: float) -> Detail:
    """Describe why a replay left users of a reason; `reasons` are those of the users that failed again."""
    return Detail(
        DetailKind.FAILED_AGAIN,
        failed=failed,
        published=published,
        limit=f"{limit * 100:.0f}",
        reasons=tuple(f"{reason} {count}" for reason, count in sorted(reasons.items())),
    )
