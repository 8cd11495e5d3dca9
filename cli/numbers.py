"""Numbers that options take: a wrong one is answered with what is wanted, and not repeated."""

from __future__ import annotations

import math
from typing import Any, Final

import click


class WholeNumber(click.IntRange):
    """A whole number in a range; without limits, any."""

    def __init__(self, least: int | None = None, most: int | None = None, *, wanted: str = "") -> None:
        """Take the range, and with `wanted` what the number is, if "a whole number" says too little."""
        super().__init__(least, most)
        self._wanted = wanted or _wanted("a whole number", _range_text(least, most))
        self._has_own_words = bool(wanted)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Return the number."""
        try:
            return int(super().convert(value, param, ctx))
        except click.BadParameter:
            self.fail(f"Give {self._wanted}.", param, ctx)

    def _describe_range(self) -> str:
        """Return the range as help shows it."""
        return "" if self._has_own_words else _range_text(self.min, self.max)


class Number(click.FloatRange):
    """A number in a range, of which `above` says that it is greater than the least one; never infinite.

    `example` is what an answer to a wrong one adds.
    """

    def __init__(
        self, least: float, most: float | None = None, *, above: bool = False, example: str = ""
    ) -> None:
        super().__init__(least, most, min_open=above)
        self._example = f", {example}" if example else ""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Return the number."""
        try:
            number = float(super().convert(value, param, ctx))
        except click.BadParameter:
            number = math.nan
        if not math.isfinite(number):
            self.fail(f"Give {_wanted('a number', self._describe_range())}{self._example}.", param, ctx)
        return number

    def _describe_range(self) -> str:
        """Return the range as help shows it."""
        return _range_text(self.min, self.max, above=self.min_open)


def _range_text(least: float | None, most: float | None, *, above: bool = False) -> str:
    if least is None:
        return ""
    if most is None:
        return f"above {least}" if above else f"{least} or more"
    return f"above {least}, up to {most}" if above else f"{least} to {most}"


def _wanted(what: str, range_text: str) -> str:
    """Return what is wanted, such as `a whole number from 1 to 9`."""
    if range_text.startswith("above"):
        return f"{what} {range_text}"
    if " to " in range_text:
        return f"{what} from {range_text}"
    return f"{what}, {range_text}" if range_text else what


#: The number of a run.
RUN_NUMBER: Final = WholeNumber(
    1, wanted="the number of a run, such as 12: 'update-sync runs list' shows them"
)
