"""From moments to rates, and from rounds to a figure."""

from __future__ import annotations

import pytest

from bench.measures import BenchError, compare, rate


def test_the_ratio_is_that_of_the_medians() -> None:
    """One round in which something else had the machine does not make the figure."""
    found = compare([100.0, 120.0, 10.0], [50.0, 40.0, 45.0])
    assert (found.ours, found.theirs) == (100.0, 45.0)
    assert found.ratio == pytest.approx(100 / 45)


def test_the_spread_tells_how_far_the_rounds_lie_apart() -> None:
    """Rounds with ratios 2, 2.5 and 3 lie 0.4 of their median apart; a single round nowhere."""
    assert compare([2.0, 2.5, 3.0], [1.0, 1.0, 1.0]).spread == pytest.approx(0.4)
    assert compare([2.0], [1.0]).spread == 0


@pytest.mark.parametrize(("ours", "theirs"), [([], []), ([1.0], []), ([0.0], [1.0]), ([1.0], [0.0])])
def test_a_round_without_both_values_is_no_figure(ours: list[float], theirs: list[float]) -> None:
    """What was not measured is not compared."""
    with pytest.raises(BenchError, match="value for both"):
        compare(ours, theirs)


def test_a_figure_has_four_digits_in_json() -> None:
    """More digits would pretend to a precision that no measurement has."""
    assert compare([12345.678], [3.0]).as_json() == {
        "ours": 12350.0,
        "theirs": 3.0,
        "ratio": 4115.0,
        "spread": 0.0,
    }


def test_the_first_tenth_is_warm_up() -> None:
    """A late start does not count: after the first two of twenty, eighteen came in nine seconds."""
    finish_times = [0.0, 50.0, *(50.0 + 0.5 * number for number in range(1, 19))]
    assert rate(finish_times) == pytest.approx(2.0)
    assert rate(finish_times[::-1]) == rate(finish_times)


@pytest.mark.parametrize("finish_times", [[], [1.0], [1.0, 1.0, 1.0]])
def test_too_few_timestamps_for_a_rate_are_an_error(finish_times: list[float]) -> None:
    """Nothing is divided by no time."""
    with pytest.raises(BenchError, match="too few for a rate"):
        rate(finish_times)
