"""Where each attribute is in a user's SCIM document, for each kind of server: nothing else says so."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from schemas.tenants.skolon_target import SkolonProfile
from schemas.users.attributes import Attribute
from schemas.users.scim import SCHOOL_EXTENSION, SKOLON_EXTENSION

if TYPE_CHECKING:
    from collections.abc import Mapping


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
    separator: str = ":"

    @cached_property
    def search_path(self) -> str:
        """The path in a search, which does not look at an entry's type; in a PATCH, that of other places."""
        dotted = self.name if self.part is None else f"{self.name}.{self.part}"
        return dotted if self.extension is None else f"{self.extension}{self.separator}{dotted}"


@dataclass(frozen=True)
class Profile:
    """The places of the attributes; an attribute without a place does not exist there."""

    paths: Mapping[Attribute, ScimPath]

    @cached_property
    def absent(self) -> frozenset[Attribute]:
        """The attributes that do not exist there: they are neither compared nor written."""
        return frozenset(Attribute) - self.paths.keys()

    @cached_property
    def dotted(self) -> Profile:
        """The same for a server whose filters have a point between an extension and its attribute."""
        return Profile({name: replace(path, separator=".") for name, path in self.paths.items()})

    @cached_property
    def entry_places(self) -> tuple[ScimPath, ...]:
        """The typed entries, each once."""
        places = self.paths.values()
        return tuple({(place.name, place.type): place for place in places if place.type is not None}.values())


_CORE: Final = {
    Attribute.EXTERNAL_ID: ScimPath(name="externalId"),
    Attribute.EMAIL: ScimPath(name="emails", part="value", type="work", takes_untyped=True),
    Attribute.FIRST_NAME: ScimPath(name="name", part="givenName"),
    Attribute.LAST_NAME: ScimPath(name="name", part="familyName"),
}

#: Our assumption about Skolon.
ASSUMED: Final = Profile(
    MappingProxyType(
        {
            **_CORE,
            Attribute.USER_NAME: ScimPath(name="userName"),
            Attribute.IDP_IDENTIFIER: ScimPath(name="idpIdentifier", extension=SKOLON_EXTENSION),
            Attribute.CITY: ScimPath(name="addresses", part="locality", type="home", takes_untyped=True),
            Attribute.ADDRESS: ScimPath(
                name="addresses", part="streetAddress", type="home", takes_untyped=True
            ),
            Attribute.ZIP_CODE: ScimPath(
                name="addresses", part="postalCode", type="home", takes_untyped=True
            ),
            Attribute.BIRTH_DATE: ScimPath(name="birthDate", extension=SKOLON_EXTENSION),
            Attribute.HOME_PHONE: ScimPath(name="phoneNumbers", part="value", type="home"),
            Attribute.MOBILE_PHONE: ScimPath(
                name="phoneNumbers", part="value", type="mobile", takes_untyped=True
            ),
            Attribute.EPPN: ScimPath(name="eppn", extension=SKOLON_EXTENSION),
            Attribute.SSN: ScimPath(name="ssn", extension=SKOLON_EXTENSION),
        }
    )
)

#: Swedish schools (SS 12000 over SCIM): `userName` is the EPPN, and phones, addresses, birth date and Idp
#: identifier do not exist.
SS12000: Final = Profile(
    MappingProxyType(
        {
            **_CORE,
            Attribute.EPPN: ScimPath(name="userName"),
            Attribute.SSN: ScimPath(name="civicNo", extension=SCHOOL_EXTENSION),
        }
    )
)

PROFILES: Final[Mapping[SkolonProfile, Profile]] = MappingProxyType(
    {SkolonProfile.ASSUMED: ASSUMED, SkolonProfile.SS12000: SS12000}
)
