"""Maps attributes to SCIM: paths, search filters and PATCH operations. Pure.

The paths are our assumption about Skolon; the forms are those of RFC 7643 (resources) and RFC 7644
(filters in section 3.4.2.2, PATCH in section 3.5.2).
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
    from collections.abc import Iterator, Mapping

PATCH_OP: Final = "urn:ietf:params:scim:api:messages:2.0:PatchOp"
SEARCH_REQUEST: Final = "urn:ietf:params:scim:api:messages:2.0:SearchRequest"


@dataclass(frozen=True, kw_only=True)
class ScimPath:
    """Where an attribute lives: a name, a part of it, for entries of a list their type."""

    name: str
    part: str | None = None
    type: str | None = None
    extension: str | None = None

    @property
    def path(self) -> str:
        """The path in a PATCH; of a typed entry, the part inside it."""
        if self.type is not None:
            return f"{self.entry_path}.{self.part}"
        return self._plain

    @property
    def entry_path(self) -> str:
        """The path of a typed entry as a whole."""
        return f'{self.name}[type eq "{self.type}"]'

    @property
    def search_path(self) -> str:
        """The path in a search, which does not look at an entry's type."""
        return self._plain

    @property
    def _plain(self) -> str:
        dotted = self.name if self.part is None else f"{self.name}.{self.part}"
        return dotted if self.extension is None else f"{self.extension}:{dotted}"


SCIM_PATHS: Final[Mapping[Attribute, ScimPath]] = MappingProxyType(
    {
        Attribute.EXTERNAL_ID: ScimPath(name="externalId"),
        Attribute.USER_NAME: ScimPath(name="userName"),
        Attribute.EMAIL: ScimPath(name="emails", part="value", type="work"),
        Attribute.IDP_IDENTIFIER: ScimPath(name="idpIdentifier", extension=SKOLON_EXTENSION),
        Attribute.FIRST_NAME: ScimPath(name="name", part="givenName"),
        Attribute.LAST_NAME: ScimPath(name="name", part="familyName"),
        Attribute.CITY: ScimPath(name="addresses", part="locality", type="home"),
        Attribute.ADDRESS: ScimPath(name="addresses", part="streetAddress", type="home"),
        Attribute.ZIP_CODE: ScimPath(name="addresses", part="postalCode", type="home"),
        Attribute.BIRTH_DATE: ScimPath(name="birthDate", extension=SKOLON_EXTENSION),
        Attribute.HOME_PHONE: ScimPath(name="phoneNumbers", part="value", type="home"),
        Attribute.MOBILE_PHONE: ScimPath(name="phoneNumbers", part="value", type="mobile"),
        Attribute.EPPN: ScimPath(name="eppn", extension=SKOLON_EXTENSION),
        Attribute.SSN: ScimPath(name="ssn", extension=SKOLON_EXTENSION),
    }
)


#: How a filter names each attribute.
SEARCH_PATHS: Final[Mapping[Attribute, str]] = MappingProxyType(
    {attribute: place.search_path for attribute, place in SCIM_PATHS.items()}
)


def read_user(resource: object, *, version: str | None = None) -> SkolonUser:
    """Return a SCIM user in our words; `version` is the entity tag for when it does not say its own.

    Of several entries of one type the first counts. An empty string is nothing.
    Raises `UnreadableScimError` that names fields, when a type is not what RFC 7643 says.
    """
    loaded = load_scim_user(resource)
    entries = {
        (name, entry["type"].casefold()): entry
        for name in ("emails", "phoneNumbers", "addresses")
        for entry in reversed(loaded.get(name) or ())
        if entry.get("type")
    }
    return SkolonUser(
        id=loaded["id"],
        version=(loaded.get("meta") or {}).get("version") or version,
        attributes=MappingProxyType(
            {attribute: _value(loaded, entries, place) for attribute, place in SCIM_PATHS.items()}
        ),
        entries=frozenset(entries),
    )


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


def patch(user: SkolonUser, changes: Mapping[Attribute, str | None]) -> dict[str, Any]:
    """Return the PATCH that makes the changes to the user as it was read; None removes a value.

    A typed entry that the user has is changed in place, whatever else it holds; one that it has not
    is added with all its parts at once, since a value filter that matches nothing is an error
    (`noTarget`). Entries of other types are not touched.
    """
    return {"schemas": [PATCH_OP], "Operations": list(_operations(user, changes))}


def _operations(user: SkolonUser, changes: Mapping[Attribute, str | None]) -> Iterator[dict[str, Any]]:
    new_entries: dict[tuple[str, str], dict[str, str]] = {}
    for attribute, value in changes.items():
        place = SCIM_PATHS[attribute]
        if place.type is None or (place.name, place.type) in user.entries:
            yield from _in_place(place, user.attributes.get(attribute), value)
        elif value is not None:
            entry = new_entries.setdefault((place.name, place.type), {"type": place.type})
            entry[str(place.part)] = value
    for (name, _), entry in new_entries.items():
        yield {"op": "add", "path": name, "value": [entry]}


def _in_place(place: ScimPath, old: str | None, new: str | None) -> Iterator[dict[str, Any]]:
    if new is not None:
        # In a place that is empty some servers take `add` alone; with a value filter, `replace` alone.
        op = "add" if old is None and place.type is None else "replace"
        yield {"op": op, "path": place.path, "value": new}
    elif old is not None:
        # An e-mail address or telephone number without its value is nothing: the entry goes as a whole.
        whole = place.type is not None and place.part == "value"
        yield {"op": "remove", "path": place.entry_path if whole else place.path}
