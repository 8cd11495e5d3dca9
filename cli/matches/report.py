"""Prints what waits for a decision about a match, and both sides of one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cli.output import echo, print_fields, print_table
from schemas.reports.remedies import remedy_for
from schemas.reports.remedy import Language
from schemas.timestamps import timestamp
from schemas.users.attributes import ATTRIBUTE_TABLE, Attribute

if TYPE_CHECKING:
    from administration.matches.overview import MatchOverview


def print_overview(overview: MatchOverview) -> None:
    """Print the pending matches, how to settle them, and the decisions."""
    echo(f"{overview.count} matches of {overview.tenant} wait for a decision.")
    if overview.pending:
        rows = [
            (
                match.entra_id,
                ", ".join(match.skolon_ids),
                match.reason,
                timestamp(match.since),
                "the next run honours a decision" if decided else match.detail,
            )
            for match, decided in overview.pending
        ]
        print_table(("user", "skolon users", "reason", "since", "detail"), rows)
        for reason in sorted({match.reason for match, _ in overview.pending}):
            for language in Language:
                echo(f"{reason} ({language}): {remedy_for(reason).texts[language].fix}")
    if overview.count > len(overview.pending):
        echo(f"… and {overview.count - len(overview.pending)} more; --limit shows them.")
    count = len(overview.decisions)
    echo("", f"{count} decision{'' if count == 1 else 's'}.")
    if overview.decisions:
        decisions = [
            (each.kind, each.entra_id, each.skolon_id, each.operator, timestamp(each.decided_at))
            for each in overview.decisions
        ]
        print_table(("decision", "user", "skolon user", "operator", "decided"), decisions)


def print_comparison(found: dict[str, Any]) -> None:
    """Print an Entra user beside each Skolon user that may be this user."""
    fields = {
        "user": found["user"],
        "outcome": found["outcome"] or "unknown",
        **{name: found[name] for name in ("reason", "cause", "away", "detail") if found[name] is not None},
        "decision": _decision(found["decision"]),
    }
    print_fields(fields)
    for each in found["skolon_users"]:
        echo()
        print_fields(
            {
                "skolon user": each["skolon_user"],
                "found by": ", ".join(_title(key) for key in each["found_by"]) or "a link",
                "agrees": _traits(each["agrees"]),
                "differs": _traits(each["differs"]),
                "evidence": "the same person" if each["is_proven"] else "perhaps another person",
                "decision": _decision(each["decision"]),
            }
        )
        rows = [
            (_title(row["attribute"]), row["entra"], row["skolon"], "yes" if row["agrees"] else "no")
            for row in each["attributes"]
        ]
        print_table(("attribute", "entra", "skolon", "equal"), rows)
    if not found["skolon_users"]:
        echo("", "No Skolon user was found.")


def _title(attribute: str) -> str:
    return ATTRIBUTE_TABLE[Attribute(attribute)].title


def _traits(traits: list[str]) -> str:
    return ", ".join(trait.replace("_", " ") for trait in traits) or "nothing"


def _decision(decision: dict[str, Any] | None) -> str:
    if decision is None:
        return "none"
    return f"{decision['decision']} by {decision['operator'] or 'an unknown operator'}, {decision['decided']}"
