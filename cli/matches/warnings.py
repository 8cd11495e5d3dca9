"""Prints what a decision does before it is made, and what stays after it is taken back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cli.output import echo
from schemas.details.detail import texts_from
from schemas.details.template import Template
from schemas.outcomes import Outcome
from schemas.users.attributes import ATTRIBUTE_TABLE, Attribute

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from administration.matches.affected import AffectedUser, LostValue
    from administration.matches.decisions import Decided
    from schemas.runs.run import Run
    from store.store import Store
    from workers.rules.matching import WeighedMatch

#: What a decision does to another Entra user, by what a run would come to then.
_EFFECTS: Final[Mapping[Outcome | None, Template]] = {
    Outcome.WOULD_UPDATE: Template(
        "Entra-användaren {user} berörs också: synken kommer att skriva till Skolon-användaren {skolon} för "
        "den användaren",
        "This affects Entra user {user}, too: the sync will write to Skolon user {skolon} for this user",
    ),
    Outcome.UNCHANGED: Template(
        "Entra-användaren {user} berörs också: den användaren blir Skolon-användaren {skolon}, där inget "
        "behöver ändras",
        "This affects Entra user {user}, too: this user will be Skolon user {skolon}, where nothing needs a "
        "change",
    ),
    Outcome.NOT_FOUND: Template(
        "Entra-användaren {user} berörs också: synken hittar då ingen Skolon-användare och skriver inget",
        "This affects Entra user {user}, too: the sync will find no Skolon user for this user, and write "
        "nothing",
    ),
    Outcome.OUT_OF_SCOPE: Template(
        "Entra-användaren {user} berörs också: den användaren är utanför urvalet, och inget skrivs",
        "This affects Entra user {user}, too: this user is out of scope, and nothing is written",
    ),
    Outcome.DEAD_LETTERED: Template(
        "Entra-användaren {user} berörs också: uppdateringen kommer att misslyckas ({reason})",
        "This affects Entra user {user}, too: this user will be a dead letter ({reason})",
    ),
}
_NOT_FOUND_OUT: Final = Template(
    "Entra-användaren {user} berörs också: vad som händer med den användaren gick inte att ta reda på; "
    "'users show' för {user} visar det",
    "This affects Entra user {user}, too: what will become of this user was not found out; 'users show' of "
    "{user} tells",
)


def print_objections(weighed: WeighedMatch, tenant: str, entra_id: str) -> None:
    """Print what speaks against a link, on standard error."""
    echo(
        "The two may be different people.",
        f"  speaks against: {traits_text(weighed.evidence.differs) or 'that too little agrees'}",
        f"  speaks for:     {speaks_for(weighed.evidence.agrees, weighed.keys)}",
        f"'update-sync matches show {tenant} {entra_id}' compares them.",
        err=True,
    )


def print_effects(effects: Sequence[AffectedUser]) -> None:
    """Print which other Entra users a decision affects, and what happens to them, on standard error."""
    for each in effects:
        texts = texts_from(
            _EFFECTS.get(each.outcome, _NOT_FOUND_OUT),
            user=each.user,
            skolon=each.skolon_id or "",
            reason=str(each.reason),
        )
        for text in texts.values():
            echo(f"{text}.", err=True)


def print_lost_values(lost: Sequence[LostValue], skolon_id: str) -> None:
    """Print which values of a Skolon user a link overwrites for good, on standard error."""
    for each in lost:
        title, others = ATTRIBUTE_TABLE[each.attribute].title, ", ".join(each.skolon_ids)
        echo(
            f"The link overwrites the {title} of Skolon user {skolon_id}, and an undo could not restore it: "
            f"Skolon user {others} has the same {title}. Correct one of them in Skolon first.",
            err=True,
        )


def print_halted_run(halted: Run | None) -> None:
    """Print that a halted run has to be answered before a decision is applied, on standard error.

    Nothing is decided at that moment.
    """
    if halted is not None:
        echo(
            f"Run {halted.id} is halted and waits for an answer. A decision can be made now, but no run "
            f"applies it before that: 'update-sync runs show {halted.id}' names the answers.",
            err=True,
        )


def print_affected(decided: Decided) -> None:
    """Print which Entra users are synced again because of a decision, and when."""
    if decided.users:
        when = "now" if decided.request is not None else "by the next run"
        if decided.halted is not None:
            when = f"by the first run after run {decided.halted.id} is answered"
        echo(f"Entra users that are synced again {when}: {', '.join(decided.users)}")


def print_what_stays(decided: Decided, *, err: bool) -> None:
    """Print which runs wrote because of a decision that is taken back, and how to restore the values."""
    for each in decided.wrote:
        entry = each.entry
        titles = ", ".join(ATTRIBUTE_TABLE[attribute].title for attribute in entry.changed)
        echo(
            f"Run {entry.run} wrote to Skolon user {entry.skolon_id} for Entra user {each.user} because of "
            f"the decision, and this stays: {titles}. To restore it: update-sync runs undo {entry.run} "
            f"--user {each.user}",
            err=err,
        )
    if any(Attribute.EXTERNAL_ID in each.entry.changed for each in decided.wrote):
        echo(
            "Until then an Entra user matches that Skolon user by its External Id, and is synced to it.",
            err=err,
        )
    if decided.wrote:
        echo("After such an undo the next delta run finds out again which Skolon user the user is.", err=err)


def print_outcomes(users: Sequence[str], tenant: str, store: Store) -> None:
    """Print what has become of the Entra users of a decision."""
    for user in users:
        newest = next((each for each in store.user_history.entries(tenant, user) if not each.dry_run), None)
        if newest is not None:
            skolon = f", Skolon user {newest.skolon_id}" if newest.skolon_id else ""
            reason = f" ({newest.reason})" if newest.reason else ""
            echo(f"Entra user {user}: {newest.outcome}{reason}{skolon} by run {newest.run}")


def speaks_for(agrees: Iterable[str], keys: Iterable[str]) -> str:
    """Return what speaks for one person; equal addresses are named, which prove little by themselves."""
    same = ", ".join(ATTRIBUTE_TABLE[Attribute(key)].title for key in keys)
    named, none = traits_text(agrees), "no name, birth date or personal number"
    if not named:
        return f"only the same {same}; {none}" if same else none
    return f"{named}; the same {same}" if same else named


def traits_text(traits: Iterable[str]) -> str:
    """Return traits for people, empty for none."""
    return ", ".join(sorted(trait.replace("_", " ") for trait in traits))
