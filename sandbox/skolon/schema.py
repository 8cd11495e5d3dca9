"""Skolon's side of SCIM as we assume it: which attributes a user has, and what the server can do.

The types are ``scim2_models``' own, so that validation, filters and PATCH are judged by
code that is not ours. Addresses are plain strings on purpose: the library's own user
model rewrites e-mail addresses, and refuses to search for one that it finds odd.
"""

# No postponed annotations here: pydantic reads them while the classes are made.
from typing import Annotated

from scim2_models import (
    URN,
    Bulk,
    CaseExact,
    ChangePassword,
    ComplexAttribute,
    ETag,
    Extension,
    Filter,
    Patch,
    Required,
    Resource,
    ResourceType,
    ScimProvider,
    ServiceProviderConfig,
    Sort,
    Uniqueness,
)
from scim2_models.resources.resource import AnyExtension

USER_SCHEMA = "urn:ietf:params:scim:schemas:core:2.0:User"
SKOLON_SCHEMA = "urn:ietf:params:scim:schemas:extension:skolon:2.0:User"

#: The paths that searches are answered from without walking through all users.
INDEXED_PATHS = (
    "externalId",
    "userName",
    "emails.value",
    f"{SKOLON_SCHEMA}:eppn",
    f"{SKOLON_SCHEMA}:idpIdentifier",
    f"{SKOLON_SCHEMA}:ssn",
)

#: As many users as one answer to a search may hold.
MAX_RESULTS = 1000


class Name(ComplexAttribute):
    """A user's name (RFC 7643 section 4.1.1)."""

    given_name: str | None = None
    family_name: str | None = None


class Email(ComplexAttribute):
    """One e-mail address; the sync's own has the type ``work``."""

    value: str | None = None
    type: str | None = None
    primary: bool | None = None


class PhoneNumber(ComplexAttribute):
    """One telephone number; the sync's own have the types ``home`` and ``mobile``."""

    value: str | None = None
    type: str | None = None
    primary: bool | None = None


class Address(ComplexAttribute):
    """One postal address; the sync's own has the type ``home``."""

    street_address: str | None = None
    locality: str | None = None
    postal_code: str | None = None
    type: str | None = None
    primary: bool | None = None


class User(Resource[AnyExtension]):
    """The core user, with as much of RFC 7643 section 4.1 as Skolon is assumed to keep."""

    __schema__ = URN(USER_SCHEMA)  # type: ignore[mutable-override]  # as the library's own models do

    user_name: Annotated[str | None, Uniqueness.server, Required.true] = None
    name: Name | None = None
    active: bool | None = None
    emails: list[Email] | None = None
    phone_numbers: list[PhoneNumber] | None = None
    addresses: list[Address] | None = None


class SkolonUser(Extension):
    """What Skolon keeps beside the core user.

    EPPN is compared without regard to case, and isn't unique here: sources that do not come
    over SCIM may have made two users with the same one. The IdP identifier is compared to the letter.
    """

    __schema__ = URN(SKOLON_SCHEMA)  # type: ignore[mutable-override]  # as above

    eppn: str | None = None
    idp_identifier: Annotated[str | None, CaseExact.true] = None
    ssn: str | None = None
    birth_date: str | None = None


def skolon_provider() -> ScimProvider:
    """Return the description of Skolon's SCIM service: users only, filter, sort, PATCH and ETags."""
    return ScimProvider(
        models=[User, SkolonUser],
        resource_types=[ResourceType.from_resource(User[SkolonUser])],
        config=ServiceProviderConfig(
            patch=Patch(supported=True),
            bulk=Bulk(supported=False, max_operations=0, max_payload_size=0),
            filter=Filter(supported=True, max_results=MAX_RESULTS),
            change_password=ChangePassword(supported=False),
            sort=Sort(supported=True),
            etag=ETag(supported=True),
        ),
    )
