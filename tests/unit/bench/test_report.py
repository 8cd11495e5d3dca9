"""What an invocation tells: one JSON file, one line a figure."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from bench import report
from bench.benchmarks.figure import Figure, Group
from bench.measures import compare

if TYPE_CHECKING:
    from pathlib import Path

    from bench.context import Bench

FAST = Figure(
    name="publish", ours="mine", theirs="other", unit="users/s", at_least=4, against="sending one by one"
)
SMALL = Figure(
    name="memory_worker", ours="large", theirs="small", unit="MiB", at_most=1.1, against="a small tenant"
)
FOUND = [
    report.Found(figure=FAST, comparison=compare([9000.0, 9900.0, 8000.0], [1800.0, 1800.0, 1800.0])),
    report.Found(figure=SMALL, comparison=compare([120.0], [100.0])),
]

VALUES = {"skolon stub": 0.123456, "requests: changed: skolon: patch": 1000.0}


def test_the_json_has_each_figure_under_its_name(tmp_path: Path) -> None:
    """`ours`, `theirs`, `ratio` and `spread` for each figure; requests, details, how it was made."""
    path = tmp_path / "build" / "bench.json"
    report.write(path, report.as_json(FOUND, VALUES, {"command": "make bench"}))
    assert json.loads(path.read_text(encoding="utf-8")) == {
        "publish": {"ours": 9000.0, "theirs": 1800.0, "ratio": 5.0, "spread": 0.2111},
        "memory_worker": {"ours": 120.0, "theirs": 100.0, "ratio": 1.2, "spread": 0.0},
        "requests": {"changed": {"skolon": {"patch": 1000.0}}},
        "details": {"skolon stub": 0.1235},
        "made": {"command": "make bench"},
    }


def test_each_figure_has_a_line_that_says_whether_it_was_reached() -> None:
    """Bigger is better for a rate, smaller for memory; who compares knows what with."""
    lines = [report.line(one.figure, one.comparison.as_json()) for one in FOUND]
    assert lines == [
        "| publish | 9,000 users/s | 1,800 users/s | 5 | 21% | ≥ 4: reached | sending one by one |",
        "| memory_worker | 120 MiB | 100 MiB | 1.2 | 0% | ≤ 1.1: **missed** | a small tenant |",
    ]
    assert report.head().count("|") == 2 * lines[0].count("|")


def test_each_value_has_its_median() -> None:
    """Also what no figure takes is told, as the median over the rounds."""
    rounds = [{"mine": 1.0, "share": share} for share in (0.1, 0.3, 0.2)]
    assert report.medians(rounds) == {"mine": 1.0, "share": 0.2}


def test_every_other_round_goes_backwards() -> None:
    """Neither side always finds the machine as the other one left it."""
    order: list[str] = []

    def side(name: str) -> dict[str, float]:
        order.append(name)
        return {name: 1.0}

    group = Group(
        name="pair", figures=(FAST,), sides=(lambda _: side("mine"), lambda _: side("other")), rounds=3
    )
    bench: Bench = None  # type: ignore[assignment] # these sides measure nothing
    assert [group.measure(bench, number) for number in group.round_numbers(5)] == [
        {"mine": 1.0, "other": 1.0}
    ] * 3
    assert order == ["mine", "other", "other", "mine", "mine", "other"]
