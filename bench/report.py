"""Writes an invocation's results: build/bench.json, and a table with a line for each figure."""

from __future__ import annotations

import json
import statistics
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from bench.benchmarks.requests import PREFIX, REQUESTS, nested

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from bench.benchmarks.figure import Figure
    from bench.measures import Comparison

_COLUMNS: Final = ("figure", "ours", "theirs", "ratio", "spread", "wanted", "compared with")


@dataclass(frozen=True, kw_only=True)
class Found:
    """A figure and its measured comparison."""

    figure: Figure
    comparison: Comparison


def as_json(found: Iterable[Found], values: Mapping[str, float], made: Mapping[str, Any]) -> dict[str, Any]:
    """Return the content of build/bench.json: figures, requests, all values, machine and sizes."""
    requests = nested(values)
    return {
        **{one.figure.name: one.comparison.as_json() for one in found},
        **({REQUESTS.name: requests} if requests else {}),
        "details": {
            name: float(f"{value:.4g}") for name, value in values.items() if not name.startswith(PREFIX)
        },
        "made": dict(made),
    }


def medians(rounds: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """Return the median of each value over the rounds."""
    return {name: statistics.median(one[name] for one in rounds) for name in rounds[0]}


def write(path: Path, whole: Mapping[str, Any]) -> None:
    """Write the JSON file atomically: a reader gets the old or the new content, never a part."""
    path.parent.mkdir(parents=True, exist_ok=True)
    new = path.with_suffix(".new")
    new.write_text(json.dumps(whole, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    new.replace(path)


def head() -> str:
    """Return the head of the table, in Markdown."""
    return f"| {' | '.join(_COLUMNS)} |\n|{' --- |' * len(_COLUMNS)}"


def line(figure: Figure, values: Mapping[str, float]) -> str:
    """Return a figure's line of the table; `values` are as build/bench.json has them."""
    cells = (
        figure.name,
        f"{_number(values['ours'])} {figure.unit}",
        f"{_number(values['theirs'])} {figure.unit}",
        f"{values['ratio']:.3g}",
        f"{values['spread']:.0%}",
        _wanted(figure, values["ratio"]),
        figure.against,
    )
    return f"| {' | '.join(cells)} |"


def _wanted(figure: Figure, ratio: float) -> str:
    bounds = [
        f"{sign} {bound:g}"
        for sign, bound in (("≥", figure.at_least), ("≤", figure.at_most))
        if bound is not None
    ]
    if not bounds:
        return ""
    return f"{', '.join(bounds)}: {'reached' if figure.reached(ratio) else '**missed**'}"


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"  # noqa: PLR2004 - three digits either way
