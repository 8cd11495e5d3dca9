"""Computes rates from timestamps, and figures from rounds. Pure."""

from __future__ import annotations

import math
import statistics
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

#: The share of the work that is warm-up: connections open, code is loaded, the last process has started.
WARM_UP: Final = 0.1


class BenchError(Exception):
    """A measurement failed, so that its figure would mean nothing."""


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """Our value beside theirs: medians over the rounds, their ratio, and the spread of the ratios.

    `spread` is the distance from the smallest ratio of a round to the largest, as a share of their median.
    """

    ours: float
    theirs: float
    ratio: float
    spread: float

    def as_json(self) -> dict[str, float]:
        """Return the comparison as in build/bench.json."""
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
    """Return the rate a second after the warm-up, from the time of each result.

    Raises BenchError when there are too few results.
    """
    ordered = sorted(finish_times)
    warm = math.ceil(len(ordered) * WARM_UP)
    if not 0 < warm < len(ordered) or ordered[-1] <= ordered[warm - 1]:
        raise BenchError(f"{len(ordered)} timestamps are too few for a rate")
    return (len(ordered) - warm) / (ordered[-1] - ordered[warm - 1])


def _rounded(value: float) -> float:
    """Return the value with four significant digits: more than any measurement has."""
    return float(f"{value:.4g}")
