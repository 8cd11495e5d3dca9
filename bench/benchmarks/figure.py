"""Figures of the bench, and how they are computed from rounds."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bench.context import Bench
from bench.measures import Comparison, compare

if TYPE_CHECKING:
    from collections.abc import Sequence

#: A measurement: returns values by name, for figures and for details.
Side = Callable[[Bench], Mapping[str, float]]


@dataclass(frozen=True, kw_only=True)
class Figure:
    """One line of the table: two values that are compared, and the bound of their ratio."""

    name: str
    ours: str
    theirs: str
    unit: str
    #: A description of `theirs`.
    against: str
    at_least: float | None = None
    at_most: float | None = None

    def of(self, rounds: Sequence[Mapping[str, float]]) -> Comparison:
        """Return the comparison of the rounds' values."""
        return compare([one[self.ours] for one in rounds], [one[self.theirs] for one in rounds])

    def reached(self, ratio: float) -> bool:
        """Say whether a ratio keeps the bound."""
        return (self.at_least is None or ratio >= self.at_least) and (
            self.at_most is None or ratio <= self.at_most
        )


@dataclass(frozen=True, kw_only=True)
class Group:
    """Figures that are measured in the same rounds, one side after the other."""

    name: str
    figures: tuple[Figure, ...]
    sides: tuple[Side, ...]
    #: The most rounds: a measurement of minutes is not repeated three times.
    rounds: int | None = None

    def round_numbers(self, rounds: int) -> range:
        """Return the numbers of the rounds, for the wanted number of rounds."""
        return range(min(rounds, self.rounds or rounds))

    def measure(self, bench: Bench, number: int) -> dict[str, float]:
        """Measure every side once; every other round in reverse, so that no side is always first."""
        values: dict[str, float] = {}
        for side in self.sides if number % 2 == 0 else reversed(self.sides):
            values |= side(bench)
        return values
