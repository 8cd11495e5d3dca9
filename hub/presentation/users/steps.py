"""How the sync comes to its result for one user: each step in a sentence."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from flask_babel import gettext, ngettext

from schemas.details.names import ATTRIBUTE_NAMES, TRAIT_NAMES
from schemas.details.protection import may_protect
from workers.pipeline import steps

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from administration.users.explanation import Explanation
    from schemas.reports.remedy import Language
    from workers.rules.scope import RuleResult


@dataclass(frozen=True, kw_only=True)
class StepText:
    """A step of the sync for this user, in a sentence; the last step is the one that decided."""

    title: str
    text: str
    decided: bool


def step_texts(explanation: Explanation, language: Language) -> list[StepText]:
    """Return the steps in sentences, in the order in which the sync takes them.

    What leaves a user out is named only with values, if it may protect the user.
    """
    told = [
        text
        for step in explanation.explained.steps
        for text in _step(step, language, values=explanation.values)
    ]
    return [
        StepText(title=title, text=text, decided=number == len(told) - 1)
        for number, (title, text) in enumerate(told)
    ]


def _step(step: steps.Step, language: Language, *, values: bool) -> Iterator[tuple[str, str]]:
    match step:
        case steps.ReadStep():
            found = gettext("Entra has this user.") if step.user else gettext("Entra has no such user.")
            yield gettext("Read from Entra"), found
        case steps.ScopeStep():
            refused = next((each for each in step.results if not each.allows), None)
            text = gettext("Your settings include this user.")
            if refused is not None:
                text = _refusal(refused, language, values=values)
            yield gettext("Part of the sync?"), text
        case steps.MapStep():
            count = sum(each.value is not None for each in step.sources.values())
            text = ngettext("%(num)d attribute has a value.", "%(num)d attributes have a value.", count)
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
            yield from _later_step(step, language)


def _later_step(step: steps.Step, language: Language) -> Iterator[tuple[str, str]]:
    match step:
        case steps.EvidenceStep():
            yield gettext("The same person?"), _evidence(step, language)
        case steps.CompareStep():
            text = gettext("Nothing differs.")
            if step.changes:
                changes: Any = len(step.changes)
                text = ngettext("%(num)d value differs.", "%(num)d values differ.", changes)
            yield gettext("Compared"), text
        case steps.OwnerStep() if step.is_others:
            text = gettext("It belongs to another user in Entra, by its External Id.")
            yield gettext("Whose is it?"), text
        case _:
            return


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
