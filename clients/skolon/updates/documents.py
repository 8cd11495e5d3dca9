"""Makes changes in a user's SCIM document as a server has given it, and keeps all the rest. Pure."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

from clients.skolon.scim import own_entry

if TYPE_CHECKING:
    from collections.abc import Mapping

    from clients.skolon.profiles import Profile, ScimPath
    from schemas.users.attributes import Attribute


def changed_document(
    document: Mapping[str, Any], changes: Mapping[Attribute, str | None], profile: Profile
) -> dict[str, Any]:
    """Return a copy of the document with the changes made; None removes a value.

    The document is one that `read_user` reads. Of several entries of one type, that one is changed which
    `own_entry` names. An e-mail address or telephone number without its value is nothing: its entry goes as a
    whole.
    """
    changed = copy.deepcopy(dict(document))
    for attribute, value in changes.items():
        place = profile.paths[attribute]
        if place.type is not None:
            _change_entry(changed, place, value)
        else:
            _change_value(changed, place, value)
    return changed


def key_of(holder: Mapping[str, Any], name: str) -> str:
    """Return a name as the document spells it: its case does not count (RFC 7643 section 2.1)."""
    if name in holder:
        return name
    return next((each for each in holder if each.lower() == name.lower()), name)


def _change_value(document: dict[str, Any], place: ScimPath, value: str | None) -> None:
    holder, name = document, place.name
    if place.extension is not None:
        holder = _object(document, place.extension)
        schemas = document.get(key_of(document, "schemas"))
        if isinstance(schemas, list) and place.extension.lower() not in (
            str(each).lower() for each in schemas
        ):
            schemas.append(place.extension)
    elif place.part is not None:
        holder, name = _object(document, place.name), place.part
    if value is None:
        holder.pop(key_of(holder, name), None)
    else:
        holder[key_of(holder, name)] = value


def _object(document: dict[str, Any], name: str) -> dict[str, Any]:
    """Return an object inside the document, a new one if there is none."""
    key = key_of(document, name)
    if not isinstance(document.get(key), dict):
        document[key] = {}
    inner: dict[str, Any] = document[key]
    return inner


def _change_entry(document: dict[str, Any], place: ScimPath, value: str | None) -> None:
    key = key_of(document, place.name)
    entries = document.get(key) if isinstance(document.get(key), list) else []
    objects = [entry for entry in entries or () if isinstance(entry, dict)]
    found = own_entry([_folded(entry) for entry in objects], place)
    part = str(place.part)
    if found is not None:
        entry = objects[found]
        if value is not None:
            entry[key_of(entry, part)] = value
        elif part == "value":
            entries = [each for each in entries or () if each is not entry]
        else:
            entry.pop(key_of(entry, part), None)
    elif value is not None:
        entries = [*(entries or ()), {"type": place.type, part: value}]
    document[key] = entries


def _folded(entry: Mapping[str, Any]) -> dict[str, Any]:
    return {name.lower(): value for name, value in entry.items()}
