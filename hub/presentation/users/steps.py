"""How the sync comes to its result for one user: each step in a sentence."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from flask_babel import gettext, ngettext

from administration.users.candidates import values_in
from administration.users.side_by_side import Agreement, side_by_side
from hub.presentation.advice import advice_on
from hub.presentation.details import page_detail
from hub.presentation.words import REASONS
from schemas.details.names import ATTRIBUTE_NAMES, NAMES_IN_SENTENCES, TRAIT_NAMES
from schemas.details.protection import may_protect
from schemas.errors import PermanentError
from schemas.outcomes import NotFoundReason, Outcome
from schemas.runs.sync_result import SyncResult
from schemas.users.attributes import Attribute
from workers.pipeline import steps
from workers.pipeline.incomplete import IncompleteUpdateError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from administration.users.current import CurrentState
    from administration.users.explanation import Explanation
    from schemas.reports.remedy import Language
    from workers.rules.scope import RuleResult


#: A run that reads the user writes these.
WRITTEN: Final = (Agreement.FILLED, Agreement.CHANGED, Agreement.ERASED)


@dataclass(frozen=True, kw_only=True)
class StepText:
    """A step of the sync for this user, in a sentence; the last step is the one that decided."""

    title: str
    text: str
    decided: bool


def step_texts(now: CurrentState, language: Language) -> list[StepText]:
    """Return the steps in sentences, in the order in which the sync takes them, and what they lead to.

    What leaves a user out is named only with values, if it may protect the user.
    """
    explanation = now.explanation
    told = [text for step in explanation.explained.steps for text in _step(step, now, language)]
    told += _end(explanation, language)
    decisive = len(told) - 1
    notes = [(gettext("Left as it is, or not known"), text) for text in kept_texts(explanation, language)]
    if now.outcome is Outcome.UNCHANGED:
        decisive += len(notes)
    return [
        StepText(title=title, text=text, decided=number == decisive)
        for number, (title, text) in enumerate([*told, *notes])
    ]


def kept_texts(explanation: Explanation, language: Language) -> list[str]:
    """Return what a user who can be synced differs in all the same, and why it is not written."""
    end = explanation.explained.end
    is_synced = isinstance(end, SyncResult) and end.outcome in (Outcome.UNCHANGED, Outcome.WOULD_UPDATE)
    return [page_detail(end.detail, language)] if is_synced and end.detail else []


def unwritten_texts(explanation: Explanation, language: Language) -> dict[Attribute, str]:
    """Return why attributes are not written while the others are."""
    end = explanation.explained.end
    if not isinstance(end, IncompleteUpdateError):
        return {}
    return {attribute: page_detail(each.fault, language) for attribute, each in end.result.unwritten.items()}


def same_value_texts(explanation: Explanation, language: Language) -> list[str]:
    """Return which other users in Entra have a value of this one that only one user may have."""
    end, taken = explanation.explained.end, explanation.explained.steps
    if not isinstance(end, IncompleteUpdateError):
        return []
    sources = next((step.sources for step in taken if isinstance(step, steps.MapStep)), {})
    return [
        str(
            gettext(
                "Another user in Entra, %(holder)s, has the same %(attribute)s. This user's comes from "
                "%(source)s.",
                holder=each.collision.holder_entra_id,
                attribute=NAMES_IN_SENTENCES[language][attribute],
                source=sources[attribute].source,
            )
        )
        for attribute, each in end.result.unwritten.items()
        if each.collision is not None and each.collision.holder_entra_id and attribute in sources
    ]


def _end(explanation: Explanation, language: Language) -> Iterator[tuple[str, str]]:
    """Yield what the steps lead to, where the last of them does not say it."""
    end, last = explanation.explained.end, explanation.explained.steps[-1:]
    says_itself = not last or not isinstance(
        last[0], steps.ReadStep | steps.MapStep | steps.BirthDateStep | steps.CompareStep
    )
    if isinstance(end, PermanentError) and not says_itself:
        advice = advice_on(end.reason, language)
        yield gettext("Cannot be written"), advice.detail_text(end.detail) or str(REASONS[end.reason])
    elif isinstance(end, SyncResult) and end.not_found_reason is NotFoundReason.NO_MATCH_KEY:
        text = gettext("Nothing in Entra can be used to find this user in Skolon.")
        yield gettext("Searched for in Skolon"), text


def _step(step: steps.Step, now: CurrentState, language: Language) -> Iterator[tuple[str, str]]:
    match step:
        case steps.ReadStep():
            found = gettext("Entra has this user.") if step.user else gettext("Entra has no such user.")
            yield gettext("Read from Entra"), found
        case steps.ScopeStep():
            refused = next((each for each in step.results if not each.allows), None)
            text = gettext("Your settings include this user.")
            if refused is not None:
                text = _refusal(refused, language, values=now.explanation.values)
            yield gettext("Part of the sync?"), text
        case steps.MapStep():
            # The table counts the birth date too, which is read later.
            values = values_in(now.explanation.explained.steps).values()
            count, total = sum(each is not None for each in values), len(Attribute)
            text = gettext("%(count)s of %(total)s attributes have a value.", count=count, total=total)
            yield gettext("Values from Entra"), text
        case steps.SearchStep():
            names = ATTRIBUTE_NAMES[language]
            hits = [f"{names[each.key]}: {len(each.users)}" for each in step.key_matches]
            yield gettext("Searched for in Skolon"), gettext("Users found by %(hits)s.", hits=", ".join(hits))
        case steps.MatchStep() if step.match is not None:
            key = ATTRIBUTE_NAMES[language][step.match.key]
            text = gettext("User %(id)s, found by %(key)s.", id=step.match.user.id, key=key)
            yield gettext("Found in Skolon"), text
        case steps.MatchStep():
            yield gettext("Found in Skolon"), gettext("No user.")
        case _:
            yield from _later_step(step, now, language)


def _later_step(step: steps.Step, now: CurrentState, language: Language) -> Iterator[tuple[str, str]]:
    match step:
        case steps.EvidenceStep():
            yield gettext("The same person?"), _evidence(step, language)
        case steps.CompareStep():
            yield gettext("Compared"), _differences(now)
        case steps.OwnerStep() if step.is_others:
            text = gettext("It belongs to another user in Entra, by its External Id.")
            yield gettext("Whose is it?"), text
        case _:
            return


def _differences(now: CurrentState) -> str:
    """Return how many values differ, as the table shows them, and how many of these are not written."""
    rows = [row for each in side_by_side(now) if each.is_match for row in each.rows]
    written = sum(row.agreement in WRITTEN for row in rows)
    others = sum(row.agreement is Agreement.NOT_WRITTEN for row in rows)
    if not written + others:
        return str(gettext("Nothing differs."))
    count: Any = written + others
    text = str(ngettext("%(num)d value differs.", "%(num)d values differ.", count))
    if others and not written:
        text += " " + gettext("None of that is written.")
    elif others:
        text += " " + ngettext("%(num)d of them is not written.", "%(num)d of them are not written.", others)
    return text


def _refusal(refused: RuleResult, language: Language, *, values: bool) -> str:
    if not may_protect(refused.reason):
        return str(gettext("Left out: %(reason)s.", reason=refused.reason.in_language(language)))
    if not values:
        return str(gettext("No."))
    rule = (
        refused.setting
        if refused.rule is None
        else f"{refused.setting.partition(' ')[0]} {refused.rule.text}"
    )
    reason = refused.reason.in_language(language)
    return str(gettext("Left out by %(rule)s: %(reason)s.", rule=rule, reason=reason))


def _evidence(step: steps.EvidenceStep, language: Language) -> str:
    def named(traits: frozenset[Any] | Sequence[Any]) -> str:
        return ", ".join(TRAIT_NAMES[language].get(str(each), str(each)) for each in sorted(traits))

    verdict = gettext("Yes.") if step.is_proven else gettext("Perhaps not: nothing is written.")
    agrees, differs = named(step.evidence.agrees), named(step.evidence.differs)
    if agrees:
        verdict += " " + gettext("Agrees: %(traits)s.", traits=agrees)
    if differs:
        verdict += " " + gettext("Differs: %(traits)s.", traits=differs)
    return str(verdict)
