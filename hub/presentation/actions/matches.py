"""What a decision about a match does, in sentences that are read before it is made."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask_babel import gettext

from hub.presentation.words import REASONS
from schemas.details.names import ATTRIBUTE_NAMES, NAMES_IN_SENTENCES, TRAIT_NAMES
from schemas.outcomes import Outcome

if TYPE_CHECKING:
    from collections.abc import Iterable

    from administration.matches.actions import DecisionPlan
    from administration.matches.affected import AffectedUser, LostValue
    from schemas.reports.remedy import Language
    from schemas.users.attributes import Attribute


def effect_texts(plan: DecisionPlan, language: Language) -> list[str]:
    """Return what is done to the user itself, then to others, in the language of the current request."""
    own = [] if plan.own is None else [_own_text(plan.own, language)]
    return [*own, *(_other_text(each) for each in plan.others)]


def warning_texts(plan: DecisionPlan, skolon_id: str | None, language: Language) -> list[str]:
    """Return what cannot be taken back, and what speaks against a link."""
    warnings = []
    if plan.weighed is not None and not plan.weighed.is_proven:
        differs = traits_text(plan.weighed.evidence.differs, language)
        warnings.append(
            gettext("The two may be different people. They differ in: %(traits)s.", traits=differs)
            if differs
            else gettext("The two may be different people: too little agrees.")
        )
    return [*map(str, warnings), *(_lost_text(each, skolon_id, language) for each in plan.lost)]


def traits_text(traits: Iterable[str], language: Language) -> str:
    """Return by what two users were compared, empty for nothing."""
    return ", ".join(TRAIT_NAMES[language].get(str(each), str(each)) for each in sorted(traits))


def attributes_text(attributes: Iterable[str | Attribute], language: Language) -> str:
    """Return the names of attributes as they stand within a sentence."""
    return ", ".join(NAMES_IN_SENTENCES[language][each] for each in attributes)


def _own_text(own: AffectedUser, language: Language) -> str:
    match own.outcome:
        case Outcome.WOULD_UPDATE:
            text = gettext(
                "This user is user %(skolon)s in Skolon from now on. Written there at once: %(attributes)s.",
                skolon=own.skolon_id,
                attributes=attributes_text(own.changes, language),
            )
        case Outcome.UNCHANGED:
            text = gettext(
                "This user is user %(skolon)s in Skolon from now on. Nothing needs to be changed there.",
                skolon=own.skolon_id,
            )
        case Outcome.NOT_FOUND:
            text = gettext(
                "No user in Skolon is found for this user then, and nothing is written. No user is created."
            )
        case Outcome.OUT_OF_SCOPE:
            text = gettext("This user is left alone from now on: nothing is written for this user.")
        case Outcome.DEAD_LETTERED if own.reason is not None:
            text = gettext("This user still cannot be updated: %(reason)s.", reason=_why(own))
        case _:
            text = gettext("What becomes of this user could not be found out just now.")
    return str(text)


def _other_text(other: AffectedUser) -> str:
    match other.outcome:
        case Outcome.WOULD_UPDATE:
            text = gettext(
                "Another user, %(user)s, is affected too: that user gets user %(skolon)s in Skolon, and is "
                "written there.",
                user=other.user,
                skolon=other.skolon_id,
            )
        case Outcome.UNCHANGED:
            text = gettext(
                "Another user, %(user)s, is affected too: that user is user %(skolon)s in Skolon, where "
                "nothing needs to be changed.",
                user=other.user,
                skolon=other.skolon_id,
            )
        case Outcome.NOT_FOUND:
            text = gettext(
                "Another user, %(user)s, is affected too: no user in Skolon is found for that user then, and "
                "nothing is written.",
                user=other.user,
            )
        case Outcome.OUT_OF_SCOPE:
            text = gettext(
                "Another user, %(user)s, is affected too: that user is left out of the sync.", user=other.user
            )
        case Outcome.DEAD_LETTERED if other.reason is not None:
            text = gettext(
                "Another user, %(user)s, is affected too: that user cannot be updated (%(reason)s).",
                user=other.user,
                reason=_why(other),
            )
        case _:
            text = gettext(
                "Another user, %(user)s, is affected too. What becomes of that user could not be found out.",
                user=other.user,
            )
    return str(text)


def _why(user: AffectedUser) -> str:
    text = "" if user.reason is None else str(REASONS[user.reason])
    return f"{text[:1].lower()}{text[1:]}"


def _lost_text(lost: LostValue, skolon_id: str | None, language: Language) -> str:
    return str(
        gettext(
            "%(attribute)s of user %(skolon)s in Skolon is written over and cannot be restored afterwards: "
            "user %(others)s has the same. Correct one of the two in Skolon first.",
            attribute=ATTRIBUTE_NAMES[language][lost.attribute],
            skolon=skolon_id,
            others=", ".join(lost.skolon_ids),
        )
    )
