"""What happened: a kind and its parameters, of which a sentence is made in its reader's language."""

from __future__ import annotations

import json
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, Self

from schemas.details.kinds import DetailKind
from schemas.details.names import (
    ATTRIBUTE_NAMES,
    CONJUNCTIONS,
    COUNTRY_NAMES,
    GUARD_NAMES,
    NAMES_IN_SENTENCES,
    NO_TRAIT,
    TRAIT_NAMES,
)
from schemas.details.template import AGREEING, COUNTRY, DIFFERING, GUARD, LIST, NAME, TITLE, segments
from schemas.details.texts.templates import TEMPLATES
from schemas.reports.remedy import Language
from schemas.safe_text import one_line

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from schemas.details.template import Template

#: What a detail is made of: ids, names of attributes and settings, numbers, words of servers, and other
#: details. Never a user's value (promise P6).
Parameter = str | int | tuple[str | int, ...]

#: Details in each other, and entries of a list, at most: another program may have written them.
_MAX_DEPTH: Final = 6
_MAX_ENTRIES: Final = 200

_NAMES: Final = {
    TITLE: ATTRIBUTE_NAMES,
    NAME: NAMES_IN_SENTENCES,
    AGREEING: TRAIT_NAMES,
    DIFFERING: TRAIT_NAMES,
    GUARD: GUARD_NAMES,
    COUNTRY: COUNTRY_NAMES,
}

#: Stands for a parameter that is missing.
_MISSING: Final = "?"


class Detail(str):
    """What happened, as the English sentence, with the kind and the parameters that it is made of.

    Logs and error messages have the sentence. A database and a message have the rest, and pages make of it
    the sentence of their language. The text is made safe for a terminal, a database and JSON.
    """

    __slots__ = ("kind", "parameters")

    kind: DetailKind
    parameters: Mapping[str, Parameter]

    def __new__(cls, kind: DetailKind, /, **parameters: Parameter) -> Self:
        """Take the parameters that the kind's templates name."""
        detail = super().__new__(cls, _sentence(kind, parameters, Language.ENGLISH))
        detail.kind, detail.parameters = kind, MappingProxyType(parameters)
        return detail

    def in_language(self, language: Language) -> str:
        """Return the sentence in a language."""
        return str(self) if language is Language.ENGLISH else _sentence(self.kind, self.parameters, language)

    def as_json(self) -> dict[str, Any]:
        """Return the kind and the parameters, as messages and the database have them."""
        return {
            "kind": str(self.kind),
            "parameters": {name: _json_value(value) for name, value in self.parameters.items()},
        }


def as_detail(text: str) -> Detail:
    """Return a text as a detail: itself, or a detail that has only these words."""
    return text if isinstance(text, Detail) else Detail(DetailKind.TEXT, text=text)


def line_of(text: str) -> str:
    """Return a text as one line that can play no tricks; a detail is one already, and stays what it is."""
    return text if isinstance(text, Detail) else one_line(text)


def joined(details: Iterable[str]) -> Detail:
    """Return several details as one."""
    parts = tuple(as_detail(each) for each in details)
    return parts[0] if len(parts) == 1 else Detail(DetailKind.SEVERAL, details=parts)


def texts_of(detail: str) -> dict[Language, str]:
    """Return a detail's sentence in each language."""
    told = as_detail(detail)
    return {language: told.in_language(language) for language in Language}


def texts_from(template: Template, **parameters: Parameter) -> dict[Language, str]:
    """Return a sentence that is only shown, and kept nowhere, in each language."""
    return {language: _filled(template.in_language(language), parameters, language) for language in Language}


def structured_json(detail: str | None) -> dict[str, Any] | None:
    """Return a detail as commands print it: its kind, its parameters, and the sentence in each language."""
    if detail is None:
        return None
    texts = {str(language): text for language, text in texts_of(detail).items()}
    return {**as_detail(detail).as_json(), "texts": texts}


def to_stored(detail: str | None) -> str | None:
    """Return a detail as a column of the database has it: JSON in ASCII, equal for equal details."""
    if detail is None:
        return None
    return json.dumps(as_detail(detail).as_json(), separators=(",", ":"), sort_keys=True)


def from_stored(text: str | None) -> Detail | None:
    """Return the detail of a column."""
    if text is None:
        return None
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return as_detail(text)
    return from_json(value) or Detail(DetailKind.UNKNOWN, kind=_kind_name(value))


def from_json(value: object) -> Detail | None:
    """Return the detail of a JSON object, None if it is none, or of a kind that a newer version has."""
    return _detail_in(value, _MAX_DEPTH)


def _detail_in(value: object, depth: int) -> Detail | None:
    if not isinstance(value, dict) or not depth:
        return None
    try:
        kind = DetailKind(value.get("kind", ""))
    except ValueError:
        return None
    given = value.get("parameters")
    read = {
        str(name): parameter
        for name, each in (given.items() if isinstance(given, dict) else ())
        if (parameter := _parameter(each, depth)) is not None
    }
    return Detail(kind, **read)


def _parameter(value: object, depth: int) -> Parameter | None:
    if isinstance(value, list):
        return tuple(each for one in value[:_MAX_ENTRIES] if (each := _entry(one, depth)) is not None)
    return _entry(value, depth)


def _entry(value: object, depth: int) -> str | int | None:
    if isinstance(value, str) or (isinstance(value, int) and not isinstance(value, bool)):
        return value
    return _detail_in(value, depth - 1)


def _kind_name(value: object) -> str:
    kind = value.get("kind") if isinstance(value, dict) else None
    return kind if isinstance(kind, str) else _MISSING


def _json_value(value: Parameter) -> Any:
    if isinstance(value, tuple):
        return [_json_value(each) for each in value]
    return value.as_json() if isinstance(value, Detail) else value


def _sentence(kind: DetailKind, parameters: Mapping[str, Parameter], language: Language) -> str:
    return _filled(TEMPLATES[kind].in_language(language), parameters, language)


def _filled(template: str, parameters: Mapping[str, Parameter], language: Language) -> str:
    pieces = []
    for segment in segments(template):
        pieces.append(segment.words)
        if segment.parameter is not None:
            value = parameters.get(segment.parameter, _MISSING)
            pieces.append(_shown(value, segment.form, language))
    return "".join(pieces)


def _shown(value: Parameter, form: str, language: Language) -> str:
    if "|" in form:
        number = len(value) if isinstance(value, tuple) else value
        one, several = form.split("|")
        return (one if number == 1 else several).replace("#", one_line(number))
    if form in NO_TRAIT and value == ():
        return NO_TRAIT[form][language]
    values: Sequence[str | int] = value if isinstance(value, tuple) else (value,)
    shown = [_one(each, form, language) for each in values]
    if form in _NAMES:
        return _enumerated(shown, language)
    has_details = form != LIST and any(isinstance(each, Detail) for each in values)
    return ("; " if has_details else ", ").join(shown)


def _enumerated(names: Sequence[str], language: Language) -> str:
    *others, last = names or ("",)
    return f"{', '.join(others)} {CONJUNCTIONS[language]} {last}" if others else last


def _one(value: str | int, form: str, language: Language) -> str:
    if isinstance(value, Detail):
        return value.in_language(language)
    names = _NAMES.get(form)
    return names[language].get(str(value), one_line(value)) if names else one_line(value)
