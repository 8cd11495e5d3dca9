"""Made-up people by the dozen: each follows from a number alone, so that nobody has to keep them.

The values are made for speed, not for beauty: the sandbox's municipality has the hard cases, this one has the
ordinary person a million times.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Final, Self

#: Nothing in these lists needs an escape in JSON.
_GIVEN: Final = ("Klara", "Nils", "Saga", "Omar", "Åsa", "Leo", "Mira", "Östen", "Tuva", "Adam", "Elin")
_FAMILY: Final = ("Lind", "Berg", "Nyström", "Ek", "Sjöberg", "Haddad", "Holm", "Väst", "Strand")
_STREET: Final = ("Storgatan", "Skolvägen", "Ängsvägen", "Kyrkogatan", "Järnvägsgatan")
_CITY: Final = ("Exempelby", "Provköping", "Mönsterås", "Teststad")

_DOMAIN: Final = "exempel.invalid"
_NUMBER_IN_ADDRESS: Final = re.compile(r"\.(\d{1,9})@p(\d{1,9})\.", re.IGNORECASE)
_NUMBER_IN_ID: Final = re.compile(r"([0-9a-f]{8})-0000-4000-8000-([0-9a-f]{12})", re.IGNORECASE)


@dataclass(frozen=True, kw_only=True)
class Population:
    """A municipality: its number, how many people it has, and how Skolon stands to Entra.

    Of each hundred people `stale` have an address in Skolon that Entra no longer has, and `absent` are not
    in Skolon at all; both are spread over the whole list.
    """

    number: int
    people: int
    stale: int = 0
    absent: int = 0

    @property
    def directory(self) -> str:
        """The tenant's id in Entra."""
        return entra_id(self.number, 0)

    @property
    def organisation(self) -> str:
        """Its name in Skolon's address."""
        return f"p{self.number}"

    def is_stale(self, index: int) -> bool:
        """Say whether Skolon holds an old address of this person."""
        return not self.is_absent(index) and _place(index) < self.absent + self.stale

    def is_absent(self, index: int) -> bool:
        """Say whether Skolon does not know this person."""
        return _place(index) < self.absent

    @property
    def stale_people(self) -> int:
        """How many people a full run has to update."""
        return sum(map(self.is_stale, range(self.people)))

    @property
    def absent_people(self) -> int:
        """How many people a full run does not find."""
        return sum(map(self.is_absent, range(self.people)))

    @classmethod
    def from_json(cls, fields: dict[str, int]) -> Self:
        """Read what `vars` of a population wrote."""
        return cls(**fields)


def _place(index: int) -> int:
    """Return the person's place in its hundred: 37 has no factor in common with 100, so each has one."""
    return index * 37 % 100


def entra_id(number: int, index: int) -> str:
    """Return the id of a person in Entra, a GUID like any other."""
    return f"{number:08x}-0000-4000-8000-{index:012x}"


def index_in_id(value: str, number: int) -> int | None:
    """Return which person of population `number` has this id, None when it is nobody's there."""
    match = _NUMBER_IN_ID.fullmatch(value)
    return int(match[2], 16) if match and int(match[1], 16) == number else None


def index_in_address(value: str, number: int) -> int | None:
    """Return which person of population `number` a mail address points to, None when to nobody there."""
    match = _NUMBER_IN_ADDRESS.search(value)
    return int(match[1]) if match and int(match[2]) == number else None


@dataclass(frozen=True, kw_only=True)
class Person:
    """One person's values; `moves` says how often they have moved since the beginning."""

    number: int
    index: int
    moves: int = 0

    @property
    def given(self) -> str:
        """The given name."""
        return _GIVEN[self.index % len(_GIVEN)]

    @property
    def family(self) -> str:
        """The family name."""
        return _FAMILY[self.index % len(_FAMILY)]

    @property
    def address(self) -> str:
        """The mail address, which is the user principal name as well."""
        return f"user.{self.index}@p{self.number}.{_DOMAIN}"

    @property
    def street(self) -> str:
        """The street, another one after each move."""
        return f"{_STREET[self.index % len(_STREET)]} {1 + self.index % 90 + self.moves}"

    @property
    def postcode(self) -> str:
        """The postal code, another one after each move."""
        return f"{10000 + (self.index * 7 + self.moves * 13) % 80000}"

    @property
    def city(self) -> str:
        """The city."""
        return _CITY[self.index % len(_CITY)]

    @property
    def phone(self) -> str:
        """The telephone number, from the range that is kept free for fiction."""
        return f"+46701740{600 + self.index % 99}"

    def in_entra(self) -> dict[str, Any]:
        """Return the person with Graph's properties, all that the sync may select."""
        return {
            "id": entra_id(self.number, self.index),
            "userPrincipalName": self.address,
            "mail": self.address,
            "otherMails": [],
            "onPremisesImmutableId": None,
            "givenName": self.given,
            "surname": self.family,
            "city": self.city,
            "streetAddress": self.street,
            "postalCode": self.postcode,
            "mobilePhone": self.phone,
            "accountEnabled": True,
            "userType": "Member",
            "onPremisesExtensionAttributes": None,
        }
