"""Made-up users: each is computed from a number alone, so that nothing has to be stored.

The values are made for speed. The sandbox's municipality has the edge cases; a population here has up to
a million ordinary users.
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
    """A municipality: its number, its number of users, and how Skolon differs from Entra.

    Of each hundred users `stale` have an old address in Skolon, and `absent` are not in Skolon. Both are
    spread over the whole list.
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
        """The organisation in Skolon's address."""
        return f"p{self.number}"

    def is_stale(self, index: int) -> bool:
        """Say whether Skolon has an old address of this user."""
        return not self.is_absent(index) and _place(index) < self.absent + self.stale

    def is_absent(self, index: int) -> bool:
        """Say whether Skolon does not have this user."""
        return _place(index) < self.absent

    @property
    def stale_people(self) -> int:
        """How many users a full run has to update."""
        return sum(map(self.is_stale, range(self.people)))

    @property
    def absent_people(self) -> int:
        """How many users a full run does not find."""
        return sum(map(self.is_absent, range(self.people)))

    @classmethod
    def from_json(cls, fields: dict[str, int]) -> Self:
        """Read a population from its `vars`."""
        return cls(**fields)


def _place(index: int) -> int:
    """Return the user's rank in its hundred: 37 has no factor in common with 100, so ranks are distinct."""
    return index * 37 % 100


def entra_id(number: int, index: int) -> str:
    """Return a user's id in Entra, in the form of a GUID."""
    return f"{number:08x}-0000-4000-8000-{index:012x}"


def index_in_id(value: str, number: int) -> int | None:
    """Return the index of the user of population `number` with this id, None if there is none."""
    match = _NUMBER_IN_ID.fullmatch(value)
    return int(match[2], 16) if match and int(match[1], 16) == number else None


def index_in_address(value: str, number: int) -> int | None:
    """Return the index of the user of population `number` with this mail address, None if there is none."""
    match = _NUMBER_IN_ADDRESS.search(value)
    return int(match[1]) if match and int(match[2]) == number else None


@dataclass(frozen=True, kw_only=True)
class Person:
    """One user's values; `moves` is how often the user has moved."""

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
        """The street, which changes with each move."""
        return f"{_STREET[self.index % len(_STREET)]} {1 + self.index % 90 + self.moves}"

    @property
    def postcode(self) -> str:
        """The postal code, which changes with each move."""
        return f"{10000 + (self.index * 7 + self.moves * 13) % 80000}"

    @property
    def city(self) -> str:
        """The city."""
        return _CITY[self.index % len(_CITY)]

    @property
    def phone(self) -> str:
        """The telephone number, from the range that is reserved for fiction."""
        return f"+46701740{600 + self.index % 99}"

    def in_entra(self) -> dict[str, Any]:
        """Return the user with all Graph properties that the sync may select."""
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
