"""Reads what a server says of itself (RFC 7643, sections 5 to 7). Pure.

All of it is optional, and servers are wrong about themselves. So it is shown, and nothing is built on it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from clients.skolon.profiles import ASSUMED
from schemas.users.attributes import Attribute

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from clients.skolon.profiles import Profile, ScimPath

#: Where a server describes itself, below the base URL of an organisation (RFC 7644 section 4).
CONFIG: Final = "/ServiceProviderConfig"
RESOURCE_TYPES: Final = "/ResourceTypes"
SCHEMAS: Final = "/Schemas"
DESCRIPTIONS: Final = (CONFIG, RESOURCE_TYPES, SCHEMAS)

_USER_SCHEMA: Final = "urn:ietf:params:scim:schemas:core:2.0:User"


@dataclass(frozen=True, kw_only=True)
class ServerDescription:
    """What a server says of itself; None and an empty set where it says nothing.

    `takes_updates` is PATCH. Of the attributes that the sync has, `missing` are those that no schema has,
    `read_only` those that no client may change, and `hidden` those that are never shown.
    """

    takes_updates: bool | None = None
    takes_filters: bool | None = None
    gives_versions: bool | None = None
    missing: frozenset[Attribute] = frozenset()
    read_only: frozenset[Attribute] = frozenset()
    hidden: frozenset[Attribute] = frozenset()
    has_schemas: bool = False

    @property
    def is_empty(self) -> bool:
        """Say whether the server says nothing of use."""
        return self == ServerDescription()


def read_description(found: Mapping[str, Mapping[str, Any]], profile: Profile = ASSUMED) -> ServerDescription:
    """Return what the server says, from the JSON objects of those of `DESCRIPTIONS` that it has."""
    config = _folded(found.get(CONFIG, {}))
    schemas = _schemas(found.get(SCHEMAS, {}))
    return ServerDescription(
        takes_updates=_is_supported(config, "patch"),
        takes_filters=_is_supported(config, "filter"),
        gives_versions=_is_supported(config, "etag"),
        has_schemas=_USER_SCHEMA.lower() in schemas,
        **_attributes(schemas, _extensions(found.get(RESOURCE_TYPES, {})), profile),
    )


def _is_supported(config: Mapping[str, Any], feature: str) -> bool | None:
    value = config.get(feature)
    supported = _folded(value).get("supported") if isinstance(value, dict) else None
    return supported if isinstance(supported, bool) else None


def _attributes(
    schemas: Mapping[str, Mapping[str, Any]], extensions: frozenset[str] | None, profile: Profile
) -> dict[str, frozenset[Attribute]]:
    if _USER_SCHEMA.lower() not in schemas:
        return {}
    found = {attribute: _definition(schemas, place) for attribute, place in profile.paths.items()}
    is_listed = {
        attribute: extensions is None or place.extension is None or place.extension.lower() in extensions
        for attribute, place in profile.paths.items()
    }
    # `externalId` belongs to every resource, and to no schema (RFC 7643 section 3.1).
    missing = {each for each, definition in found.items() if definition is None or not is_listed[each]}
    return {
        "missing": frozenset(missing - {Attribute.EXTERNAL_ID}),
        "read_only": _having(found, "mutability", "readonly"),
        "hidden": _having(found, "returned", "never") | _having(found, "mutability", "writeonly"),
    }


def _having(
    definitions: Mapping[Attribute, Mapping[str, Any] | None], name: str, value: str
) -> frozenset[Attribute]:
    return frozenset(
        attribute
        for attribute, definition in definitions.items()
        if definition is not None and str(definition.get(name)).lower() == value
    )


def _definition(schemas: Mapping[str, Mapping[str, Any]], place: ScimPath) -> Mapping[str, Any] | None:
    """Return the definition of an attribute; what its parent says holds unless it says otherwise."""
    definition: dict[str, Any] | None = None
    attributes: Any = schemas.get((place.extension or _USER_SCHEMA).lower(), {}).get("attributes")
    for name in filter(None, (place.name, place.part)):
        own = next(
            (each for each in _objects(attributes) if str(each.get("name")).lower() == name.lower()), None
        )
        if own is None:
            return None
        definition = {**(definition or {}), **own}
        attributes = own.get("subattributes")
    return definition


def _schemas(found: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """Return the schemas by their URN in small letters; none if not all of them are there."""
    resources = list(_objects(_folded(found).get("resources")))
    total = _folded(found).get("totalresults")
    if isinstance(total, int) and total != len(resources):
        return {}
    return {str(each.get("id")).lower(): each for each in resources}


def _extensions(found: Mapping[str, Any]) -> frozenset[str] | None:
    """Return the URNs of the extensions that a user has, in small letters; None where nothing says that."""
    for resource in _objects(_folded(found).get("resources")):
        if str(resource.get("schema")).lower() == _USER_SCHEMA.lower():
            extensions = _objects(resource.get("schemaextensions"))
            return frozenset(str(each.get("schema")).lower() for each in extensions)
    return None


def _objects(value: object) -> Iterator[dict[str, Any]]:
    for each in value if isinstance(value, list) else ():
        if isinstance(each, dict):
            yield _folded(each)


def _folded(value: Mapping[str, Any]) -> dict[str, Any]:
    """Return an object with its names in small letters (RFC 7643 section 2.1)."""
    return {name.lower(): each for name, each in value.items()}
