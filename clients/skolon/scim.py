"""Maps attributes to SCIM: paths and search filters, and reads users. Pure.

The paths are our assumption about Skolon; the forms are those of RFC 7643 (resources) and RFC 7644
(filters in section 3.4.2.2).
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from clients.skolon.search.pages import PageRequest
from schemas.users.attributes import Attribute
from schemas.users.scim import SKOLON_EXTENSION, load_scim_user
from schemas.users.skolon_user import SkolonUser

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

SEARCH_REQUEST: Final = "urn:ietf:params:scim:api:messages:2.0:SearchRequest"


@dataclass(frozen=True, kw_only=True)
class ScimPath:
    """Where an attribute lives: a name, a part of it, for entries of a list their type.

    `takes_untyped` says that an entry without a type is taken for this one, if none has the type.
    """

    name: str
    part: str | None = None
    type: str | None = None
    takes_untyped: bool = False
    extension: str | None = None

    @property
    def search_path(self) -> str:
        """The path in a search, which does not look at an entry's type; in a PATCH, that of other places."""
        dotted = self.name if self.part is None else f"{self.name}.{self.part}"
        return dotted if self.extension is None else f"{self.extension}:{dotted}"


SCIM_PATHS: Final[Mapping[Attribute, ScimPath]] = MappingProxyType(
    {
        Attribute.EXTERNAL_ID: ScimPath(name="externalId"),
        Attribute.USER_NAME: ScimPath(name="userName"),
        Attribute.EMAIL: ScimPath(name="emails", part="value", type="work", takes_untyped=True),
        Attribute.IDP_IDENTIFIER: ScimPath(name="idpIdentifier", extension=SKOLON_EXTENSION),
        Attribute.FIRST_NAME: ScimPath(name="name", part="givenName"),
        Attribute.LAST_NAME: ScimPath(name="name", part="familyName"),
        Attribute.CITY: ScimPath(name="addresses", part="locality", type="home", takes_untyped=True),
        Attribute.ADDRESS: ScimPath(name="addresses", part="streetAddress", type="home", takes_untyped=True),
        Attribute.ZIP_CODE: ScimPath(name="addresses", part="postalCode", type="home", takes_untyped=True),
        Attribute.BIRTH_DATE: ScimPath(name="birthDate", extension=SKOLON_EXTENSION),
        Attribute.HOME_PHONE: ScimPath(name="phoneNumbers", part="value", type="home"),
        Attribute.MOBILE_PHONE: ScimPath(
            name="phoneNumbers", part="value", type="mobile", takes_untyped=True
        ),
        Attribute.EPPN: ScimPath(name="eppn", extension=SKOLON_EXTENSION),
        Attribute.SSN: ScimPath(name="ssn", extension=SKOLON_EXTENSION),
    }
)


#: How a filter names each attribute.
SEARCH_PATHS: Final[Mapping[Attribute, str]] = MappingProxyType(
    {attribute: place.search_path for attribute, place in SCIM_PATHS.items()}
)


#: The typed entries, each once.
ENTRY_PLACES: Final = tuple(
    {(place.name, place.type): place for place in SCIM_PATHS.values() if place.type is not None}.values()
)


def read_user(resource: object, *, version: str | None = None) -> SkolonUser:
    """Return a SCIM user in our words; `version` is the entity tag for when it does not say its own.

    An empty string is nothing. Raises `UnreadableScimError` that names fields, when a type is not what
    RFC 7643 says.
    """
    loaded = load_scim_user(resource)
    entries: dict[tuple[str, str], Mapping[str, Any]] = {}
    types: dict[tuple[str, str], str] = {}
    untyped_lists = set()
    for place in ENTRY_PLACES:
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
    return SkolonUser(
        id=loaded["id"],
        version=(loaded.get("meta") or {}).get("version") or version,
        attributes=MappingProxyType(
            {attribute: _value(loaded, entries, place) for attribute, place in SCIM_PATHS.items()}
        ),
        entries=MappingProxyType(types),
        untyped_lists=frozenset(untyped_lists),
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
    loaded: Mapping[str, Any], entries: Mapping[tuple[str, str], Mapping[str, Any]], place: ScimPath
) -> str | None:
    if place.type is not None:
        value = entries.get((place.name, place.type), {}).get(place.part or "")
    else:
        holder = loaded if place.extension is None else loaded.get(place.extension) or {}
        value = holder.get(place.name)
        if place.part is not None:
            value = (value or {}).get(place.part)
    return value or None


def search_filter(*users: Mapping[Attribute, str]) -> str:
    """Return one filter for the users that have any of the values (RFC 7644 section 3.4.2.2)."""
    terms = {
        f"{SEARCH_PATHS[attribute]} eq {_quoted(value)}": None
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
    text = json.dumps(value, ensure_ascii=False)
    # Half a surrogate pair, which JSON can name and UTF-8 cannot hold, has to stay an escape.
    return text if _is_utf8(text) else json.dumps(value)


def _is_utf8(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
