"""A user as Microsoft Graph gives it: tolerant of what we did not ask for, strict about what we did.

Types and limits: Graph's `user` resource type, v1.0. A property that is not there was not given
(a delta leaves out what was never set): that is unknown, and not the same as blank.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from marshmallow import EXCLUDE, Schema, ValidationError, fields, validate

from schemas.dead_letter_reasons import Reason
from schemas.details.fields import field_details
from schemas.errors import PermanentError
from schemas.fields import StrictBoolean, Text, TextsObject
from schemas.outcomes import Stage
from schemas.users.attributes import (
    BIRTHDAY,
    EXTENSION_ATTRIBUTES,
    EXTENSION_ATTRIBUTES_PROPERTY,
    USER_PRINCIPAL_NAME,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

#: Longer than any string that Graph lets a user have (extension attributes and streetAddress: 1024).
_MAX_TEXT: Final = 1024

#: Graph allows 250 values of 250 characters each in `otherMails`.
_MAX_LIST: Final = 250

#: White space, and what would change the path of a URL.
_NOT_IN_IDS: Final = frozenset(" /?#\\")


def _text() -> fields.String:
    return Text(longest=_MAX_TEXT, allow_none=True)


def _entra_id(value: str) -> None:
    """Refuse what cannot be the id of a directory object; ids go into URLs, logs and receipts."""
    printable = value.isascii() and value.isprintable()
    if not printable or not _NOT_IN_IDS.isdisjoint(value):
        raise ValidationError("Not an Entra object id.")


class EntraId(fields.String):
    """The object id of a user in Entra: a GUID in practice, opaque to us."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(validate=[validate.Length(min=1, max=100), _entra_id], **kwargs)


#: Graph's `onPremisesExtensionAttributes`: fifteen strings, each of which may be null.
ExtensionAttributesSchema: Final = Schema.from_dict(
    {name: _text() for name in EXTENSION_ATTRIBUTES}, name="ExtensionAttributesSchema"
)


class GraphUserSchema(Schema):
    """The properties of a Graph user that the sync can ask for."""

    class Meta:
        """Marshmallow's options."""

        unknown = EXCLUDE

    id = EntraId(required=True)
    userPrincipalName = _text()  # noqa: N815 - Graph's names, here and below
    mail = _text()
    otherMails = fields.List(  # noqa: N815
        _text(),
        allow_none=True,
        validate=validate.Length(max=_MAX_LIST),
    )
    onPremisesImmutableId = _text()  # noqa: N815
    givenName = _text()  # noqa: N815
    surname = _text()
    city = _text()
    streetAddress = _text()  # noqa: N815
    postalCode = _text()  # noqa: N815
    mobilePhone = _text()  # noqa: N815
    onPremisesExtensionAttributes = TextsObject(  # noqa: N815
        ExtensionAttributesSchema(unknown=EXCLUDE), allow_none=True
    )
    accountEnabled = StrictBoolean(allow_none=True)  # noqa: N815
    userType = _text()  # noqa: N815
    birthday = _text()
    # No attribute is filled from these; rules of a tenant's scope may name them.
    department = _text()
    companyName = _text()  # noqa: N815
    jobTitle = _text()  # noqa: N815
    employeeType = _text()  # noqa: N815
    officeLocation = _text()  # noqa: N815


_SCHEMA: Final = GraphUserSchema()

#: A source beside Graph's properties: what stands behind the @ of the user principal name.
UPN_DOMAIN: Final = "upnDomain"

#: Every source that a tenant's scope rules may name.
TEXT_SOURCES: Final = (
    *(
        name
        for name, field in _SCHEMA.fields.items()
        if isinstance(field, fields.String | fields.List) and name != BIRTHDAY
    ),
    *EXTENSION_ATTRIBUTES,
    UPN_DOMAIN,
)

#: Prefix of placeholder ids. Entra's ids are GUIDs.
PLACEHOLDER_PREFIX: Final = "no-id-"


@dataclass(frozen=True, kw_only=True)
class GraphUser:
    """One Entra user; `values` holds what was given, the extension attributes beside the rest."""

    id: str
    account_enabled: bool | None
    user_type: str | None
    values: Mapping[str, tuple[str, ...]]

    def texts(self, source: str) -> tuple[str, ...] | None:
        """Return what `source` holds, white space stripped and blanks left out; None if it was not given."""
        return self.values.get(source)


def is_entra_id(value: object) -> bool:
    """Say whether `value` can be the id of a user in Entra."""
    try:
        _SCHEMA.fields["id"].deserialize(value)
    except ValidationError:
        return False
    return True


def placeholder_id(page: int, row: int) -> str:
    """Return the id that a user without one gets in the database: its place in Graph's list."""
    return f"{PLACEHOLDER_PREFIX}page-{page}-row-{row}"


def is_placeholder_id(user_id: str) -> bool:
    """Say whether an id is the placeholder of a user without an id."""
    return user_id.startswith(PLACEHOLDER_PREFIX)


def load_graph_user(data: object) -> GraphUser:
    """Check one user of a Graph answer and return it.

    Raises `PermanentError` (`invalid_user`) that names each field and its fault.
    """
    try:
        loaded: dict[str, Any] = _SCHEMA.load(data)  # type: ignore[arg-type] # anything may have been sent
    except ValidationError as error:
        faults = field_details(error.messages)
        raise PermanentError(Reason.INVALID_USER, Stage.VALIDATE, faults) from None
    user_id = loaded["id"]
    enabled = loaded.pop("accountEnabled", None)
    if EXTENSION_ATTRIBUTES_PROPERTY in loaded:
        # Graph gives the object as a whole: what is not in it is not set.
        extension = loaded.pop(EXTENSION_ATTRIBUTES_PROPERTY) or {}
        loaded.update({name: extension.get(name) for name in EXTENSION_ATTRIBUTES})
    values = {name: _texts(value) for name, value in loaded.items()}
    names = values.get(USER_PRINCIPAL_NAME)
    if names is not None:
        values[UPN_DOMAIN] = tuple(domain for name in names if (domain := name.rpartition("@")[2]))
    user_type = values.get("userType")
    return GraphUser(
        id=user_id,
        account_enabled=enabled,
        user_type=user_type[0] if user_type else None,
        values=MappingProxyType(values),
    )


def _texts(value: str | list[str | None] | None) -> tuple[str, ...]:
    if value is None:
        return ()
    if isinstance(value, str):
        text = value.strip()
        return (text,) if text else ()
    return tuple(text for candidate in value if candidate and (text := candidate.strip()))
