"""Writes search filters and reads users, by the places of a profile. Pure.

The forms are those of RFC 7643 (resources) and RFC 7644 (filters in section 3.4.2.2).
"""

from __future__ import annotations

import json
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from clients.skolon.profiles import ASSUMED
from clients.skolon.search.pages import PageRequest
from schemas.users.attributes import Attribute
from schemas.users.scim import SCHOOL_EXTENSION, is_marked, load_scim_user
from schemas.users.skolon_user import SkolonUser

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from clients.skolon.profiles import Profile, ScimPath

#: To go through an enumeration itself costs a step of Python for each member.
_ATTRIBUTES: Final = tuple(Attribute)

#: Writes what is no ASCII as it is.
_ENCODE: Final = json.JSONEncoder(ensure_ascii=False).encode

SEARCH_REQUEST: Final = "urn:ietf:params:scim:api:messages:2.0:SearchRequest"


def read_user(resource: object, profile: Profile = ASSUMED, *, version: str | None = None) -> SkolonUser:
    """Return a SCIM user in our words; `version` is the entity tag for when it does not say its own.

    The profile says where its attributes are; `securityMarking` counts in each of them. An empty string is
    nothing. Raises `UnreadableScimError` that names fields, when a type is not what RFC 7643 says.
    """
    loaded = load_scim_user(resource)
    entries: dict[tuple[str, str], Mapping[str, Any]] = {}
    types: dict[tuple[str, str], str] = {}
    untyped_lists = set()
    for place in profile.entry_places:
        listed = loaded.get(place.name) or []
        found = own_entry(listed, place)
        if found is None:
            continue
        entry = listed[found]
        entries[place.name, str(place.type)] = entry
        if entry.get("type") and sum(has_type(each, place) for each in listed) == 1:
            types[place.name, str(place.type)] = entry["type"]
        else:
            untyped_lists.add(place.name)
    meta = loaded.get("meta") or {}
    return SkolonUser(
        id=loaded["id"],
        version=meta.get("version") or version,
        attributes=MappingProxyType(
            {name: _value(loaded, entries, profile.paths.get(name)) for name in _ATTRIBUTES}
        ),
        entries=MappingProxyType(types),
        untyped_lists=frozenset(untyped_lists),
        absent=profile.absent,
        is_protected=is_marked((loaded.get(SCHOOL_EXTENSION) or {}).get("securityMarking")),
        created=meta.get("created"),
        last_modified=meta.get("lastModified"),
    )


def own_entry(entries: Sequence[Mapping[str, Any]], place: ScimPath) -> int | None:
    """Return the position of the entry that is meant by a typed place, None if there is none.

    Of several, the primary one is meant, or else the first (RFC 7643 section 2.4).
    """
    own = [position for position, entry in enumerate(entries) if has_type(entry, place)]
    if not own and place.takes_untyped:
        own = [position for position, entry in enumerate(entries) if not entry.get("type")]
    primary = [position for position in own if entries[position].get("primary") is True]
    return next(iter(primary or own), None)


def has_type(entry: Mapping[str, Any], place: ScimPath) -> bool:
    """Say whether an entry has the type of a place; its case does not count (RFC 7643 section 2.4)."""
    return str(entry.get("type") or "").casefold() == place.type


def _value(
    loaded: Mapping[str, Any], entries: Mapping[tuple[str, str], Mapping[str, Any]], place: ScimPath | None
) -> str | None:
    if place is None:
        return None
    if place.type is not None:
        value = entries.get((place.name, place.type), {}).get(place.part or "")
    else:
        holder = loaded if place.extension is None else loaded.get(place.extension) or {}
        value = holder.get(place.name)
        if place.part is not None:
            value = (value or {}).get(place.part)
    return value or None


def search_filter(*users: Mapping[Attribute, str], profile: Profile = ASSUMED) -> str:
    """Return one filter for the users that have any of the values (RFC 7644 section 3.4.2.2).

    The attributes have places in the profile.
    """
    terms = {
        f"{profile.paths[attribute].search_path} eq {_quoted(value)}": None
        for keys in users
        for attribute, value in keys.items()
    }
    return " or ".join(terms)


def id_filter(user_id: str) -> str:
    """Return a filter for the user with this id."""
    return f"id eq {_quoted(user_id)}"


def page_parameters(page: PageRequest) -> dict[str, Any]:
    """Return the parameters of a search that name a page (RFC 7644 section 3.4.2.4, RFC 9865)."""
    place = {"startIndex": page.start_index} if page.cursor is None else {"cursor": page.cursor}
    return {**place, "count": page.count}


def search_request(scim_filter: str, page: PageRequest) -> bytes:
    """Return the body of a search by POST (RFC 7644 section 3.4.3)."""
    body = {"schemas": [SEARCH_REQUEST], "filter": scim_filter, **page_parameters(page)}
    return json.dumps(body, separators=(",", ":")).encode()


#: What every body begins with that `search_request` makes.
SEARCH_REQUEST_PREFIX: Final = search_request("", PageRequest()).partition(b'"filter"')[0]


def _quoted(value: str) -> str:
    """Return the value as a JSON string, which is what the filter's grammar wants."""
    text = _ENCODE(value)
    # Half a surrogate pair, which JSON can name and UTF-8 cannot hold, has to stay an escape.
    return text if text.isascii() or _is_utf8(text) else json.dumps(value)


def _is_utf8(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
