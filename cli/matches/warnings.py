"""Prints what speaks against a link before it is made, and what stays after it is taken back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cli.output import echo
from schemas.users.attributes import ATTRIBUTE_TABLE, Attribute

if TYPE_CHECKING:
    from collections.abc import Iterable

    from administration.matches.decisions import Decided
    from workers.rules.evidence import Evidence, Trait


def print_objections(evidence: Evidence, tenant: str, entra_id: str) -> None:
    """Print what speaks against a link, on standard error."""
    echo(
        "The two may be different people.",
        f"  speaks against: {_traits(evidence.differs) or 'that too little agrees'}",
        f"  speaks for:     {_traits(evidence.agrees) or 'nothing'}",
        f"'update-sync matches show {tenant} {entra_id}' compares them.",
        err=True,
    )


def print_what_stays(decided: Decided, *, err: bool) -> None:
    """Print which runs wrote because of a link that is taken back, and how to restore the values."""
    user = decided.operation.selection["user"]
    for entry in decided.wrote:
        titles = ", ".join(ATTRIBUTE_TABLE[attribute].title for attribute in entry.changed)
        echo(
            f"Run {entry.run} wrote to Skolon user {entry.skolon_id} because of the link, and this stays: "
            f"{titles}. To restore it: update-sync runs undo {entry.run} --user {user}",
            err=err,
        )
    if any(Attribute.EXTERNAL_ID in entry.changed for entry in decided.wrote):
        echo("Until then the user matches that Skolon user by its External Id, and is synced to it.", err=err)


def _traits(traits: Iterable[Trait]) -> str:
    return ", ".join(sorted(trait.replace("_", " ") for trait in traits))
