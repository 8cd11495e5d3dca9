"""Prints what speaks against a link before it is made, and what stays after it is taken back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cli.output import echo
from schemas.users.attributes import ATTRIBUTE_TABLE, Attribute

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from administration.matches.decisions import Decided
    from workers.rules.matching import WeighedMatch


def print_objections(weighed: WeighedMatch, tenant: str, entra_id: str) -> None:
    """Print what speaks against a link, on standard error."""
    echo(
        "The two may be different people.",
        f"  speaks against: {traits_text(weighed.evidence.differs) or 'that too little agrees'}",
        f"  speaks for:     {speaks_for(weighed.evidence.agrees, weighed.keys)}",
        f"'update-sync matches show {tenant} {entra_id}' compares them.",
        err=True,
    )


def print_waiting_users(users: Sequence[str], skolon_id: str) -> None:
    """Print which other Entra users a link leaves without the Skolon user, on standard error."""
    for user in users:
        echo(
            f"Entra user {user} may be Skolon user {skolon_id} too: the link leaves that one without it.",
            err=True,
        )


def print_affected(decided: Decided) -> None:
    """Print which Entra users are synced again because of a decision, and when."""
    if decided.users:
        when = "by the next run" if decided.request is None else "now"
        echo(f"Entra users that are synced again {when}: {', '.join(decided.users)}")


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
    if decided.wrote:
        echo("After such an undo the next delta run finds out again which Skolon user the user is.", err=err)


def speaks_for(agrees: Iterable[str], keys: Iterable[str]) -> str:
    """Return what speaks for one person; equal addresses are named, which prove little by themselves."""
    same = ", ".join(ATTRIBUTE_TABLE[Attribute(key)].title for key in keys)
    named = traits_text(agrees) or "no name, birth date or personal number"
    return f"{named}; the same {same}" if same else named


def traits_text(traits: Iterable[str]) -> str:
    """Return traits for people, empty for none."""
    return ", ".join(sorted(trait.replace("_", " ") for trait in traits))
