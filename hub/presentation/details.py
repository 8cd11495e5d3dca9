"""Details in the words of the pages: commands tell the same with the names that their settings have."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from hub.presentation.words import REASONS
from schemas.dead_letter_reasons import Reason
from schemas.details.detail import Detail, as_detail, texts_from
from schemas.details.kinds import DetailKind
from schemas.details.names import ATTRIBUTE_NAMES
from schemas.details.template import Template
from schemas.reports.remedy import Language

if TYPE_CHECKING:
    from collections.abc import Mapping

    from schemas.details.detail import Parameter

#: What leaves a user out and needs no name: the fact says it all.
_NAMELESS: Final = (
    "scope.enabled_only",
    "scope.members_only",
    "scope.include",
    "matches ignore",
    "securityMarking",
)

#: What the guard says, without the name of its setting.
_SENTENCES: Final[Mapping[DetailKind, Template]] = {
    DetailKind.GUARD_EXCEEDED: Template(
        "{count} av {size} användare {limit:guard}; gränsen är {most} användare och {share} %",
        "{count} of {size} users {limit:guard}; the limit is {most:# user|# users} and {share}%",
    ),
    DetailKind.GUARD_EXCEEDED_OF_SYNCED: Template(
        "{count} av {size} synkade användare {limit:guard}; gränsen är {most} användare och {share} %",
        "{count} of {size} synced users {limit:guard}; the limit is {most:# user|# users} and {share}%",
    ),
}

#: Before the label of a rule, which people read alone.
_RULE: Final = "scope.exclude "


def page_detail(detail: str, language: Language) -> str:
    """Return a detail's sentence in a language, with the names that the pages have for things."""
    return _in_words(as_detail(detail), language).in_language(language)


def _in_words(detail: Detail, language: Language) -> Detail:
    if detail.kind in _SENTENCES:
        return as_detail(texts_from(_SENTENCES[detail.kind], **detail.parameters)[language])
    parameters = dict(detail.parameters)
    if detail.kind is DetailKind.EXCLUDED:
        setting, fact = str(parameters.get("setting", "")), parameters.get("fact")
        if setting in _NAMELESS and isinstance(fact, Detail):
            return _in_words(fact, language)
        parameters["setting"] = setting.removeprefix(_RULE)
    return Detail(
        detail.kind, **{name: _parameter(name, each, language) for name, each in parameters.items()}
    )


def _parameter(name: str, value: Parameter, language: Language) -> Parameter:
    if isinstance(value, tuple):
        return tuple(_one(name, each, language) for each in value)
    return _one(name, value, language)


def _one(name: str, value: str | int, language: Language) -> str | int:
    if isinstance(value, Detail):
        return _in_words(value, language)
    if name == "reason" and value in list(Reason):
        return (
            f"“{REASONS[Reason(value)]}”" if language is Language.ENGLISH else f"”{REASONS[Reason(value)]}”"
        )
    # The Swedish sentences have the pages' names; they change them within a sentence.
    if name in {"attribute", "attributes"} and language is Language.ENGLISH:
        return ATTRIBUTE_NAMES[language].get(str(value), str(value))
    return value
