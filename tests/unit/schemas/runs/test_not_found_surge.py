"""When so many users that are not found are suspicious."""

from __future__ import annotations

import pytest

from schemas.outcomes import Outcome
from schemas.runs.not_found_surge import not_found_surge


def totals(found: int, not_found: int, out_of_scope: int = 0) -> dict[Outcome, int]:
    return {
        Outcome.UNCHANGED: found,
        Outcome.NOT_FOUND: not_found,
        Outcome.OUT_OF_SCOPE: out_of_scope,
    }


@pytest.mark.parametrize(
    ("now", "earlier"),
    [
        pytest.param(totals(900, 100), totals(1000, 0), id="a new class that Skolon does not have yet"),
        pytest.param(totals(30, 20), totals(50, 0), id="a small directory"),
        pytest.param(totals(100, 900), totals(110, 890), id="mostly not found, as before"),
        pytest.param(totals(0, 5000), {}, id="nothing to compare with"),
        pytest.param(totals(0, 0, 900), totals(900, 0), id="none of them is looked for"),
        pytest.param(totals(1000, 10), totals(10, 1000), id="fewer than before"),
        pytest.param(totals(800, 200, 9000), totals(900, 100), id="more out of scope"),
    ],
)
def test_an_ordinary_share(now: dict[Outcome, int], earlier: dict[Outcome, int]) -> None:
    """A share that grew a little, or that cannot be compared, is not suspicious."""
    assert not_found_surge(now, earlier) is None


@pytest.mark.parametrize(
    ("now", "earlier"),
    [
        pytest.param(totals(0, 1000), totals(1000, 0), id="an emptied organisation"),
        pytest.param(totals(700, 300), totals(990, 10), id="a third is missing"),
        pytest.param(totals(0, 1000), totals(100, 900), id="of few that were found none is left"),
        pytest.param(totals(200, 800), totals(400, 600), id="half of those that were found"),
    ],
)
def test_a_surge(now: dict[Outcome, int], earlier: dict[Outcome, int]) -> None:
    """Both runs' numbers are told."""
    said = not_found_surge(now, earlier)
    assert said is not None
    for each in (now, earlier):
        assert f"{each[Outcome.NOT_FOUND]} of {sum(each.values())}" in said
