"""The sources of all attributes: edited step by step, compared, and read from JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from schemas.safe_text import one_line
from schemas.users.attributes import ATTRIBUTE_TABLE, Attribute

#: The properties of Entra that fill each attribute, in order; an attribute without any is not synced.
Sources = Mapping[Attribute, tuple[str, ...]]

#: The one member of a mapping's JSON object.
MEMBER: Final = "sources"

#: Characters of a name that is told again, and faults that are told.
_TOLD: Final = 40
_MAX_FAULTS: Final = 20


class EditKind(StrEnum):
    """What is done to one source of an attribute."""

    UP = "up"
    DOWN = "down"
    REMOVE = "remove"
    ADD = "add"


@dataclass(frozen=True, kw_only=True)
class SourceEdit:
    """One step of editing a mapping."""

    attribute: Attribute
    kind: EditKind
    source: str


class MappingFault(StrEnum):
    """What is wrong with the JSON of a mapping."""

    NOT_JSON = "not_json"
    #: No object that has `sources`, an object itself.
    NO_SOURCES = "no_sources"
    #: A member that a mapping does not have.
    UNKNOWN_MEMBER = "unknown_member"
    UNKNOWN_ATTRIBUTE = "unknown_attribute"
    #: The sources of an attribute are no list of texts.
    NO_LIST = "no_list"
    #: A source that cannot fill the attribute.
    NOT_ALLOWED = "not_allowed"
    TWICE = "twice"


@dataclass(frozen=True, kw_only=True)
class MappingFaultAt:
    """A fault, the attribute that has it, if one has, and the name that is wrong, made safe to show."""

    fault: MappingFault
    attribute: Attribute | None = None
    name: str = ""


class InvalidMappingError(Exception):
    """JSON that is no mapping."""

    def __init__(self, faults: list[MappingFaultAt]) -> None:
        super().__init__()
        self.faults = tuple(faults[:_MAX_FAULTS])


def read_edit(text: str) -> SourceEdit | None:
    """Return the edit that a button sends, such as `eppn up mail`; None if it is none."""
    words = text.split(" ")
    try:
        attribute, kind, source = Attribute(words[0]), EditKind(words[1]), words[2]
    except (ValueError, IndexError):
        return None
    is_whole = " ".join(words[:3]) == text
    return SourceEdit(attribute=attribute, kind=kind, source=source) if is_whole else None


def apply_edit(sources: Sources, edit: SourceEdit) -> Sources | None:
    """Return the sources after an edit; None if they do not allow it."""
    order = list(sources[edit.attribute])
    if edit.kind is EditKind.ADD:
        if edit.source in order or edit.source not in ATTRIBUTE_TABLE[edit.attribute].sources:
            return None
        order.append(edit.source)
    elif edit.source not in order:
        return None
    else:
        place = order.index(edit.source)
        order.remove(edit.source)
        if edit.kind is not EditKind.REMOVE:
            order.insert(max(0, place - 1) if edit.kind is EditKind.UP else place + 1, edit.source)
    return {**sources, edit.attribute: tuple(order)}


def with_first(sources: Sources, attribute: Attribute, source: str) -> Sources | None:
    """Return the sources with one before the others of its attribute; None if it cannot fill it."""
    if source not in ATTRIBUTE_TABLE[attribute].sources:
        return None
    rest = (each for each in sources[attribute] if each != source)
    return {**sources, attribute: (source, *rest)}


def differing(before: Sources, after: Sources) -> dict[Attribute, tuple[tuple[str, ...], tuple[str, ...]]]:
    """Return the attributes whose sources differ, in the table's order, with both."""
    return {
        attribute: (before[attribute], after[attribute])
        for attribute in ATTRIBUTE_TABLE
        if before[attribute] != after[attribute]
    }


def dump_sources(sources: Sources) -> dict[str, list[str]]:
    """Return the sources as settings have them."""
    return {str(attribute): list(sources[attribute]) for attribute in ATTRIBUTE_TABLE}


def restore_sources(stored: Mapping[str, list[str]]) -> Sources:
    """Return what `dump_sources` gave."""
    return {attribute: tuple(stored.get(str(attribute), ())) for attribute in ATTRIBUTE_TABLE}


def read_mapping(text: bytes, otherwise: Sources) -> Sources:
    """Return the mapping of a JSON text; attributes that it does not name are as in `otherwise`.

    Raises `InvalidMappingError` with all faults at once.
    """
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        raise InvalidMappingError([MappingFaultAt(fault=MappingFault.NOT_JSON)]) from None
    return check_mapping(value, otherwise)


def check_mapping(value: object, otherwise: Sources) -> Sources:
    """Return the mapping of a JSON value, as `read_mapping` does."""
    named = value.get(MEMBER) if isinstance(value, dict) else None
    if not isinstance(value, dict) or not isinstance(named, dict):
        raise InvalidMappingError([MappingFaultAt(fault=MappingFault.NO_SOURCES)])
    faults = [
        MappingFaultAt(fault=MappingFault.UNKNOWN_MEMBER, name=_told(name))
        for name in value
        if name != MEMBER
    ]
    found = dict(otherwise)
    for name, sources in named.items():
        if name not in list(Attribute):
            faults.append(MappingFaultAt(fault=MappingFault.UNKNOWN_ATTRIBUTE, name=_told(name)))
            continue
        attribute = Attribute(name)
        wrong = _faults(attribute, sources)
        faults += wrong
        if not wrong:
            found[attribute] = tuple(sources)
    if faults:
        raise InvalidMappingError(faults)
    return found


def _faults(attribute: Attribute, sources: Any) -> list[MappingFaultAt]:
    if not isinstance(sources, list) or not all(isinstance(each, str) for each in sources):
        return [MappingFaultAt(fault=MappingFault.NO_LIST, attribute=attribute)]
    allowed = ATTRIBUTE_TABLE[attribute].sources
    wrong = [
        MappingFaultAt(fault=MappingFault.NOT_ALLOWED, attribute=attribute, name=_told(each))
        for each in sources
        if each not in allowed
    ]
    if not wrong and len(set(sources)) != len(sources):
        wrong.append(MappingFaultAt(fault=MappingFault.TWICE, attribute=attribute))
    return wrong


def _told(name: object) -> str:
    return one_line(name)[:_TOLD]
