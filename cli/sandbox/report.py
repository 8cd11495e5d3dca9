"""What the sandbox's runs did, beside what they should have done."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from rich.table import Table

from administration.runs.details import details_of
from cli.runs.report import run_json
from schemas.outcomes import FINAL_OUTCOMES, Outcome, Status

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rich.console import Console

    from administration.runs.details import RunDetails
    from sandbox.environment import Environment
    from schemas.runs.run import RunSummary
    from store.store import Store

_MEANINGS: Final = {
    Outcome.UPDATED: "differed, now right",
    Outcome.UNCHANGED: "was right already",
    Outcome.NOT_FOUND: "unknown in Skolon",
    Outcome.OUT_OF_SCOPE: "not to be touched",
    Outcome.DEAD_LETTERED: "needs a person",
}


@dataclass(frozen=True, kw_only=True)
class Findings:
    """Two runs, what was expected of each, and what Skolon holds at the end."""

    people: int
    first: RunSummary
    second: RunSummary
    first_details: RunDetails
    second_details: RunDetails
    expected: Mapping[str, int]
    expected_again: Mapping[str, int]
    expected_reasons: Mapping[str, int]
    #: Skolon's ids of users that are not as they should be; made-up people.
    wrong_users: tuple[str, ...]
    skolon_requests: Mapping[str, int]

    @property
    def right(self) -> bool:
        """Whether everything is as it was expected."""
        return (
            not self.wrong_users
            and _as_expected(self.first, self.expected, self.expected_reasons)
            and _as_expected(self.second, self.expected_again, self.expected_reasons)
        )


def compare(made_up: Environment, store: Store, first: RunSummary, second: RunSummary) -> Findings:
    """Return both runs, that are in `store`, beside what the municipality expects of them."""
    return Findings(
        first_details=details_of(first, store),
        second_details=details_of(second, store),
        people=made_up.municipality.size,
        first=first,
        second=second,
        expected=made_up.municipality.expected_outcomes("first"),
        expected_again=made_up.municipality.expected_outcomes("second"),
        expected_reasons=made_up.municipality.expected_reasons(),
        wrong_users=tuple(made_up.wrong_users()),
        skolon_requests=made_up.skolon.requests(),
    )


def as_json(findings: Findings) -> dict[str, Any]:
    """Return the first run as every command prints a run, and beside it what only the sandbox knows."""
    return {
        **run_json(findings.first, findings.first_details, ()),
        "second_run": run_json(findings.second, findings.second_details, ()),
        "expected": {
            "outcomes": dict(findings.expected),
            "second_run_outcomes": dict(findings.expected_again),
            "reasons": dict(findings.expected_reasons),
        },
        "wrong_skolon_users": list(findings.wrong_users),
        "skolon_requests": dict(findings.skolon_requests),
        "as_expected": findings.right,
    }


def show(findings: Findings, console: Console) -> None:
    """Print the outcomes as a table, or as plain lines where it is not a terminal."""
    rows = list(_rows(findings))
    if console.is_terminal:
        console.print(_table(findings, rows))
    else:
        for row in [("outcome", "first run", "second run", "expected", "meaning"), *rows]:
            console.out("\t".join(row), highlight=False)
    for line in _conclusions(findings):
        console.out(line, highlight=False)


def _rows(findings: Findings) -> Any:
    for outcome in FINAL_OUTCOMES:
        first = findings.first.counts.get(outcome, 0)
        second = findings.second.counts.get(outcome, 0)
        wanted = findings.expected.get(outcome, 0)
        again = findings.expected_again.get(outcome, 0)
        if first or second or wanted or again:
            yield str(outcome), str(first), str(second), f"{wanted} / {again}", _MEANINGS.get(outcome, "")
    for reason, count in sorted(findings.first.reasons.items()):
        wanted = findings.expected_reasons.get(reason, 0)
        again = findings.second.reasons.get(reason, 0)
        yield f"  {reason}", str(count), str(again), f"{wanted} / {wanted}", ""


def _table(findings: Findings, rows: list[tuple[str, ...]]) -> Table:
    table = Table(title=f"What became of {findings.people} made-up people", title_justify="left")
    table.add_column("outcome")
    for heading in ("first run", "second run", "expected"):
        table.add_column(heading, justify="right")
    table.add_column("meaning", style="dim")
    for row in rows:
        table.add_row(*row)
    return table


def _conclusions(findings: Findings) -> list[str]:
    requests = ", ".join(f"{count} {kind}" for kind, count in sorted(findings.skolon_requests.items()))
    lines = [f"What Skolon was sent: {requests}."]
    if findings.right:
        lines.append("Every Skolon user is exactly as the mapping says. Both runs did what was expected.")
    else:
        lines.append(
            f"NOT as expected: {len(findings.wrong_users)} Skolon users are wrong, "
            f"runs ended {findings.first.run.status} and {findings.second.run.status}."
        )
    lines.append("To see it in a browser: update-sync sandbox --hub (here: make sandbox ARGS=--hub)")
    return lines


def _as_expected(summary: RunSummary, outcomes: Mapping[str, int], reasons: Mapping[str, int]) -> bool:
    found = {str(outcome): count for outcome, count in summary.counts.items() if count}
    why = {str(reason): count for reason, count in summary.reasons.items() if count}
    return summary.run.status is Status.COMPLETED and found == outcomes and why == reasons
