"""The table of odd servers: on the terminal, and in docs/scim-servers.md out of build/odd-servers.json."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from devtools.marked_page import write_between
from devtools.odd_servers.assessment import Round

if TYPE_CHECKING:
    from collections.abc import Iterable

PAGE: Final = Path(__file__).parents[2] / "docs" / "scim-servers.md"
BEGIN: Final = "<!-- written by devtools/odd_servers/report.py: begin -->"
END: Final = "<!-- written by devtools/odd_servers/report.py: end -->"

_COLUMNS: Final = (
    "a server that has",
    "run",
    "updated",
    "unchanged",
    "dead letters",
    "falsely not found",
    "wrong",
    "not so",
    "second run",
)


def head() -> str:
    """Return the table's first two lines."""
    return f"| {' | '.join(_COLUMNS)} |\n|{' --- |' * len(_COLUMNS)}"


def line(found: Round) -> str:
    """Return a server's line."""
    cells = (
        found.server,
        found.ended,
        *(str(found.outcomes.get(name, 0)) for name in ("updated", "unchanged", "dead_lettered")),
        *map(str, (found.falsely_not_found, found.wrong, found.not_so)),
        _again(found),
    )
    return f"| {' | '.join(cells)} |"


def _again(found: Round) -> str:
    if not found.ended_again:
        return ""
    written = f"{found.again} PATCHes" if found.again else "nothing to do"
    return written if found.ended_again == "completed" else f"{found.ended_again}, {written}"


def render(found: dict[str, Any]) -> str:
    """Return the command, the sums and the table in Markdown."""
    rounds = [Round(**one) for one in found["rounds"]]
    return "\n\n".join(
        [f"```\n{found['command']}\n```", _sums(rounds), "\n".join([head(), *map(line, rounds)])]
    )


def _sums(rounds: Iterable[Round]) -> str:
    rounds = list(rounds)
    complete = sum(one.ended == "completed" for one in rounds)
    well = sum(one.ended_well for one in rounds)
    return (
        f"{len(rounds)} servers, **falsely not found {sum(one.falsely_not_found for one in rounds)}, wrong"
        f" {sum(one.wrong for one in rounds)}, not so {sum(one.not_so for one in rounds)}**;"
        f" {complete} runs are complete, {well - complete} are halted with a cause that names the server,"
        f" {len(rounds) - well} ended otherwise."
    )


def update(page: Path, found: dict[str, Any]) -> None:
    """Write what was found between the page's markers. Raises ValueError when they are not there."""
    write_between(page, BEGIN, END, render(found))
