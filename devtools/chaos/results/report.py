"""Reports of an invocation: the JSON file, and a table of one line a round."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from devtools.chaos.results.assessment import Round

#: The sums that have to be 0.
SUMS: Final = ("lost", "wrong", "outage_dead_letters", "unexpected")

_COLUMNS: Final = (
    "round",
    "seed",
    "people",
    "lost",
    "wrong",
    "twice",
    "dead by outage",
    "unexpected",
    "recovered",
    "copies",
    "to recover",
    "took",
    "faults",
)


def as_json(rounds: Sequence[Round], made: Mapping[str, str]) -> dict[str, Any]:
    """Return the whole of build/chaos.json; `made` has the command and the versions of the servers."""
    return {
        "rounds": [one.as_json() for one in rounds],
        **{name: sum(getattr(one, name) for one in rounds) for name in SUMS},
        "made": dict(made),
    }


def write(path: Path, rounds: Sequence[Round], made: Mapping[str, str]) -> None:
    """Write the JSON file atomically: a reader gets the old or the new content, never a part."""
    path.parent.mkdir(parents=True, exist_ok=True)
    new = path.with_suffix(".new")
    new.write_text(json.dumps(as_json(rounds, made), indent=1) + "\n", encoding="utf-8")
    new.replace(path)


def head() -> str:
    """Return the head of the table, in Markdown."""
    return f"| {' | '.join(_COLUMNS)} |\n|{' --- |' * len(_COLUMNS)}"


def line(number: int, one: Round) -> str:
    """Return a round's line of the table."""
    faults = ", ".join(f"({fault})" if fault in one.missed else fault for fault in one.faults)
    cells = (
        number,
        one.seed,
        one.published,
        one.lost,
        one.wrong,
        one.done_twice_with_effect,
        one.outage_dead_letters,
        one.unexpected,
        one.recovered,
        one.duplicate_dead_letters,
        f"{one.time_to_recover:.0f} s",
        f"{one.seconds:.0f} s",
        faults,
    )
    return f"| {' | '.join(str(cell) for cell in cells)} |"
