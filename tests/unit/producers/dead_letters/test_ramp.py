"""In what steps a replay goes, and when it stops by itself."""

from __future__ import annotations

import pytest

from producers.dead_letters.ramp import (
    MAX_FAILED_SHARE,
    BlockReason,
    describe_failures,
    exceeds_failure_limit,
    step_size,
)
from schemas.dead_letter_reasons import Reason


@pytest.mark.parametrize(
    ("dead_letters", "steps"),
    [(1, [1]), (2, [1, 1]), (11, [1, 10]), (50, [1, 10, 39]), (412, [1, 10, 100, 301])],
)
def test_steps_grow(dead_letters: int, steps: list[int]) -> None:
    """One, ten, a hundred, all: a mistake costs little, and all users are replayed."""
    taken: list[int] = []
    while dead_letters:
        taken.append(step_size(len(taken), dead_letters))
        dead_letters -= taken[-1]
    assert taken == steps


@pytest.mark.parametrize(
    ("failed", "published", "limit", "too_often"),
    [
        (1, 1, MAX_FAILED_SHARE, True),
        (0, 1, MAX_FAILED_SHARE, False),
        (2, 10, MAX_FAILED_SHARE, False),
        (3, 10, MAX_FAILED_SHARE, True),
        (10, 10, 1.0, False),
        (0, 10, 0.0, False),
        (1, 100, 0.0, True),
    ],
)
def test_a_replay_stops_above_its_limit(failed: int, published: int, limit: float, too_often: bool) -> None:  # noqa: FBT001 - what is expected
    """The limit itself is allowed; one that fails in a step of one is too many."""
    assert exceeds_failure_limit(failed, published, limit) is too_often


def test_a_stop_says_why() -> None:
    """An operator reads how many failed again, and of what."""
    said = describe_failures(3, 10, {Reason.INVALID_USER: 2, Reason.BUG: 1}, limit=0.2)
    assert said == "3 of the last 10 failed again, more than 20% (bug 1, invalid_user 2)"


def test_each_obstacle_says_what_to_do() -> None:
    """What cannot be replayed can be thrown away, or waits for an answer, and that is said."""
    assert all("'discard'" in reason.text for reason in (BlockReason.FOREIGN, BlockReason.RUN_GONE))
    assert "resume, undo or cancel" in BlockReason.AWAITS_ANSWER.text
