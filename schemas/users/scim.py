"""What we read of SCIM answers: strict about the types of that, tolerant of the rest (RFC 7643, 7644)."""

from __future__ import annotations

import operator
from typing import Any, Final

from marshmallow import EXCLUDE, Schema, ValidationError, fields, validate

from schemas.fields import Text, TextsObject
from schemas.validation import flatten_errors

#: Skolon's extension of SCIM's user, as we assume it.
SKOLON_EXTENSION: Final = "urn:ietf:params:scim:schemas:extension:skolon:2.0:User"

#: The extension of Swedish schools (SS 12000 over SCIM).
SCHOOL_EXTENSION: Final = "urn:scim:schemas:extension:sis:school:1.0:User"

LIST_RESPONSE: Final = "urn:ietf:params:scim:api:messages:2.0:ListResponse"
ERROR_RESPONSE: Final = "urn:ietf:params:scim:api:messages:2.0:Error"


class UnreadableScimError(ValueError):
    """An answer is not what RFC 7643 and RFC 7644 say; the text names fields and never values."""


class _Text(Text):
    """A text; some servers give a number instead."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        # Not `isinstance`: True is an integer to Python.
        return super()._deserialize(str(value) if type(value) is int else value, attr, data, **kwargs)


class _Entries(fields.List[Any]):
    """The entries of a list; what is no object is left out."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> list[Any]:
        if isinstance(value, list):
            value = [entry for entry in value if isinstance(entry, dict)]
        return super()._deserialize(value, attr, data, **kwargs)


def _text() -> fields.String:
    return _Text(allow_none=True)


class _Tolerant(Schema):
    class Meta:
        """Marshmallow's options."""

        unknown = EXCLUDE


class NameSchema(_Tolerant):
    """`name` (RFC 7643 section 4.1.1)."""

    givenName = _text()  # noqa: N815 - SCIM's names, here and below
    familyName = _text()  # noqa: N815


class ValueEntrySchema(_Tolerant):
    """An entry of `emails` or `phoneNumbers` (RFC 7643 section 2.4)."""

    type = _text()
    value = _text()
    # True, or anything else that does not matter.
    primary = fields.Raw(allow_none=True)


class AddressSchema(_Tolerant):
    """An entry of `addresses`."""

    type = _text()
    primary = fields.Raw(allow_none=True)
    streetAddress = _text()  # noqa: N815
    locality = _text()
    postalCode = _text()  # noqa: N815


class SkolonExtensionSchema(_Tolerant):
    """Skolon's own attributes."""

    eppn = _text()
    idpIdentifier = _text()  # noqa: N815
    ssn = _text()
    birthDate = _text()  # noqa: N815


class SchoolExtensionSchema(_Tolerant):
    """The attributes of SS 12000."""

    civicNo = _text()  # noqa: N815
    securityMarking = fields.Raw(allow_none=True)  # noqa: N815


class MetaSchema(_Tolerant):
    """`meta` (RFC 7643 section 3.1)."""

    version = _text()
    # Dates, shown to administrators alone: of whatever type, they make no user unreadable.
    created = fields.Raw(allow_none=True)
    lastModified = fields.Raw(allow_none=True)  # noqa: N815


class ScimUserSchema(_Tolerant):
    """A user, as far as the sync reads it."""

    # Whether an id can be worked with is a matter of its user alone (schemas/users/skolon_user.py).
    id = _Text(shortest=1, required=True)
    externalId = _text()  # noqa: N815
    userName = _text()  # noqa: N815
    name = TextsObject(NameSchema, allow_none=True)
    emails = _Entries(TextsObject(ValueEntrySchema), allow_none=True)
    phoneNumbers = _Entries(TextsObject(ValueEntrySchema), allow_none=True)  # noqa: N815
    addresses = _Entries(TextsObject(AddressSchema), allow_none=True)
    extension = TextsObject(SkolonExtensionSchema, allow_none=True, data_key=SKOLON_EXTENSION)
    school = TextsObject(SchoolExtensionSchema, allow_none=True, data_key=SCHOOL_EXTENSION)
    meta = TextsObject(MetaSchema, allow_none=True)


class ListResponseSchema(_Tolerant):
    """The answer to a search (RFC 7644 section 3.4.2); its resources are read one by one."""

    totalResults = fields.Integer(strict=True, validate=validate.Range(min=0))  # noqa: N815
    Resources = fields.List(fields.Raw(), allow_none=True)
    # RFC 9865: how the next page is asked for, where pages have no index.
    nextCursor = fields.String(allow_none=True)  # noqa: N815


#: All names that we read, by their small letters.
_FOLDED_NAMES: Final = {
    name.lower(): name
    for schema in (
        NameSchema,
        ValueEntrySchema,
        AddressSchema,
        SkolonExtensionSchema,
        SchoolExtensionSchema,
        MetaSchema,
        ScimUserSchema,
    )
    for name in (field.data_key or key for key, field in schema().fields.items())
}
_NAMES: Final = frozenset(_FOLDED_NAMES.values())

_USER: Final = ScimUserSchema()
_LIST: Final = ListResponseSchema()


def load_scim_user(data: object) -> dict[str, Any]:
    """Return what we read of a user, extensions under their URNs; raises `UnreadableScimError`."""
    loaded = _load(_USER, _with_known_names(data))
    for name, urn in (("extension", SKOLON_EXTENSION), ("school", SCHOOL_EXTENSION)):
        if name in loaded:
            loaded[urn] = loaded.pop(name)
    return loaded


def is_marked(value: object) -> bool:
    """Say whether a value of `securityMarking` protects the user: whatever does not say that it does not.

    It is a Boolean; SS 12000:2020 has words instead, of which `Ingen` is none.
    """
    return str(value).strip().lower() not in _UNMARKED


#: How a missing `securityMarking`, and one that protects no user, is written.
_UNMARKED: Final = frozenset({"none", "", "false", "0", "ingen"})


def load_list_response(data: object) -> tuple[int | None, list[Any], str | None]:
    """Return how many there are in all, the resources on this page, and the cursor of the next one.

    Raises `UnreadableScimError`.
    """
    loaded = _load(_LIST, data)
    return loaded.get("totalResults"), loaded.get("Resources") or [], loaded.get("nextCursor") or None


def _with_known_names(data: object) -> object:
    """Return JSON with the names that we read spelled as we do: their case does not count (RFC 7643 2.1).

    What has these names already is returned itself.
    """
    if isinstance(data, list):
        entries = [_with_known_names(each) for each in data]
        return entries if any(map(operator.is_not, entries, data)) else data
    if not isinstance(data, dict):
        return data
    names, values = {}, {}
    for name, value in data.items():
        if name not in _NAMES:
            known = _FOLDED_NAMES.get(name.lower())
            if known is None or known in data:
                continue
            names[name] = known
        if isinstance(value, dict | list):
            respelled = _with_known_names(value)
            if respelled is not value:
                values[name] = respelled
    if not names and not values:
        return data
    return {names.get(name, name): values.get(name, value) for name, value in data.items()}


def _load(schema: Schema, data: object) -> dict[str, Any]:
    try:
        loaded: dict[str, Any] = schema.load(data)  # type: ignore[arg-type] # anything may have been sent
    except ValidationError as error:
        faults = "; ".join(flatten_errors(error.messages))
    else:
        return loaded
    raise UnreadableScimError(faults)
