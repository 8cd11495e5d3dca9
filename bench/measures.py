"""From moments to rates, from rounds to a figure. Pure."""

from __future__ import annotations

import math
import statistics
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

#: The share of the work that is warm-up: connections are made, code is loaded, who came late has begun.
WARM_UP: Final = 0.1


class BenchError(Exception):
    """A measurement did not do what it says: its figure would be worth nothing."""


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """Ours beside theirs: medians over the rounds, their ratio, and how far the rounds' ratios lie apart.

    `spread` is the distance from the smallest ratio of a round to the largest, as a share of their median.
    """

    ours: float
    theirs: float
    ratio: float
    spread: float

    def as_json(self) -> dict[str, float]:
        """Return it as build/bench.json has it."""
        return {name: _rounded(value) for name, value in asdict(self).items()}


def compare(ours: Sequence[float], theirs: Sequence[float]) -> Comparison:
    """Return the comparison of rounds in which both were measured. Raises BenchError when there are none."""
    if not ours or len(ours) != len(theirs) or min(*ours, *theirs) <= 0:
        raise BenchError(f"not every round has a value for both: {ours} and {theirs}")
    ratios = [mine / other for mine, other in zip(ours, theirs, strict=True)]
    return Comparison(
        ours=statistics.median(ours),
        theirs=statistics.median(theirs),
        ratio=statistics.median(ours) / statistics.median(theirs),
        spread=(max(ratios) - min(ratios)) / statistics.median(ratios),
    )


def rate(finish_times: Sequence[float]) -> float:
    """Return how many a second were done, given when each was, once the warm-up is over.

    Raises BenchError when that cannot be said.
    """
    ordered = sorted(finish_times)
    warm = math.ceil(len(ordered) * WARM_UP)
    if not 0 < warm < len(ordered) or ordered[-1] <= ordered[warm - 1]:
        raise BenchError(f"{len(ordered)} moments say nothing about a rate")
    return (len(ordered) - warm) / (ordered[-1] - ordered[warm - 1])


def _rounded(value: float) -> float:
    """Return the value with four digits that count: more than any measurement has."""
    return float(f"{value:.4g}")
