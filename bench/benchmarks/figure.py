"""What a figure is, and how the rounds of one become it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bench.context import Bench
from bench.measures import Comparison, compare

if TYPE_CHECKING:
    from collections.abc import Sequence

#: A measurement: it gives values by name, those that figures take and others that are told as details.
Side = Callable[[Bench], Mapping[str, float]]


@dataclass(frozen=True, kw_only=True)
class Figure:
    """One line of the table: two values that are compared, and what their ratio has to reach."""

    name: str
    ours: str
    theirs: str
    unit: str
    #: In words, what `theirs` is.
    against: str
    at_least: float | None = None
    at_most: float | None = None

    def of(self, rounds: Sequence[Mapping[str, float]]) -> Comparison:
        """Return the comparison that the rounds' values make."""
        return compare([one[self.ours] for one in rounds], [one[self.theirs] for one in rounds])

    def reached(self, ratio: float) -> bool:
        """Say whether a ratio is what was wanted."""
        return (self.at_least is None or ratio >= self.at_least) and (
            self.at_most is None or ratio <= self.at_most
        )


@dataclass(frozen=True, kw_only=True)
class Group:
    """Figures whose sides are measured in the same rounds, in turn."""

    name: str
    figures: tuple[Figure, ...]
    sides: tuple[Side, ...]
    #: Rounds at most: what takes minutes is not done three times.
    rounds: int | None = None

    def round_numbers(self, rounds: int) -> range:
        """Return the numbers of the rounds, given how many are wanted."""
        return range(min(rounds, self.rounds or rounds))

    def measure(self, bench: Bench, number: int) -> dict[str, float]:
        """Measure every side once; every other round goes backwards, so that none is always first."""
        values: dict[str, float] = {}
        for side in self.sides if number % 2 == 0 else reversed(self.sides):
            values |= side(bench)
        return values
