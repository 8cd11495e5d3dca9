"""Pools of Swedish names and places, drawn from Faker once: it is too slow to ask for each user."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from faker import Faker

if TYPE_CHECKING:
    from collections.abc import Callable

_POOL = 300
_TOWNS = 12

#: Every Nordic letter, great and small, in one user's names.
NORDIC_GIVEN_NAME = "Ååsa Ääri Öörn Ææsa Øøystein"
NORDIC_SURNAME = "Éélise Üürd Ððan Þþorsson"
#: As long as Entra allows a given name and a surname to be: 64 characters.
LONG_GIVEN_NAME = ("Maximiliana-" * 6)[:63] + "a"
LONG_SURNAME = ("Exempelsson-" * 6)[:63] + "n"


@dataclass(frozen=True, kw_only=True)
class Names:
    """What users's names and addresses are put together from."""

    given: tuple[str, ...]
    family: tuple[str, ...]
    streets: tuple[str, ...]
    towns: tuple[str, ...]


@cache
def draw_names(seed: int) -> Names:
    """Draw the pools for a seed, once in each process."""
    fake = Faker("sv_SE")
    fake.seed_instance(seed)

    def pool(draw: Callable[[], str], size: int) -> tuple[str, ...]:
        return tuple(dict.fromkeys(draw() for _ in range(size)))

    return Names(
        given=pool(fake.first_name, _POOL),
        family=pool(fake.last_name, _POOL),
        streets=pool(fake.street_name, _POOL),
        towns=pool(fake.city, _TOWNS),
    )


def mailbox(text: str) -> str:
    """Return text as it may stand before the @: plain small letters, digits and dots."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    return ".".join("".join(letter if letter.isalnum() else " " for letter in plain).split())
