"""The table of docs/reliability.md, made out of build/chaos.json.

`make chaos ARGS=--document` writes it after the last round; `python -m devtools.chaos.results.docs_tables`
writes it out of the file that the last invocation left.
"""

from __future__ import annotations

import json
import statistics
from collections import Counter
from pathlib import Path
from typing import Any, Final

from devtools.chaos.fault_types import FaultType
from devtools.chaos.results import report
from devtools.chaos.results.assessment import Round
from devtools.marked_page import write_between

PAGE: Final = Path(__file__).parents[3] / "docs" / "reliability.md"
FOUND: Final = Path(__file__).parents[3] / "build" / "chaos.json"

#: What stands between these is written here, the rest of the page by people.
BEGIN: Final = "<!-- written by devtools/chaos/results/docs_tables.py: begin -->"
END: Final = "<!-- written by devtools/chaos/results/docs_tables.py: end -->"


def update(page: Path, found: dict[str, Any]) -> None:
    """Write what was found between the page's markers. Raises ValueError when they are not there."""
    write_between(page, BEGIN, END, render(found))


def render(found: dict[str, Any]) -> str:
    """Return command, sums, rounds and kinds of faults in Markdown."""
    made = found["made"]
    rounds = [Round(**one) for one in found["rounds"]]
    sums = ", ".join(f"{name.replace('_', ' ')} {found[name]}" for name in report.SUMS)
    recovery = [one.time_to_recover for one in rounds]
    people = sum(one.published for one in rounds)
    summary = (
        f"RabbitMQ {made['rabbitmq']}, PostgreSQL {made['postgresql']}: {len(rounds)} rounds, {people} people"
        f" published, {sum(one.recovered for one in rounds)} messages recovered, **{sums}**. From the lifting"
        f" of the last fault to the end of the run: {statistics.median(recovery):.0f} s (median),"
        f" {max(recovery):.0f} s at most."
    )
    parts = [
        f"```\n{made['command']}\n```",
        summary,
        "\n".join([report.head(), *(report.line(number, one) for number, one in enumerate(rounds, 1))]),
        _kinds(rounds),
    ]
    return "\n\n".join(parts)


def _kinds(rounds: list[Round]) -> str:
    """Return a table of how often each kind of fault struck, and came too late to strike."""
    drawn = Counter(fault for one in rounds for fault in one.faults)
    missed = Counter(fault for one in rounds for fault in one.missed)
    lines = [
        f"| {kind} | {drawn[kind] - missed[kind]} | {missed[kind]} |" for kind in FaultType if drawn[kind] > 0
    ]
    return "\n".join(["| fault | struck | too late |", "| --- | --- | --- |", *lines])


if __name__ == "__main__":
    update(PAGE, json.loads(FOUND.read_text(encoding="utf-8")))
