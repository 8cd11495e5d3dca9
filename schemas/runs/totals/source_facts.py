"""What each property of Entra holds for each attribute, over the users of a preview: counts, no values.

The worker notes for each user which properties have a value, a digest of it, and how it fits each attribute.
So no value is in it, and it may be kept, counted and shown (promise P6).
"""

from __future__ import annotations

import json
from collections import defaultdict
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from schemas.users.attributes import ATTRIBUTE_TABLE, Attribute

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

#: Characters of a digest: no two values of a tenant collide by chance.
DIGEST_LENGTH: Final = 16


class Fit(StrEnum):
    """How a property's value of one user fits an attribute, one character each."""

    #: The attribute takes no such value, as that of a guest.
    NONE = "-"
    #: It breaks a rule of the attribute.
    INVALID = "0"
    #: There is no user in Skolon to compare with.
    ALONE = "1"
    #: Skolon has no value.
    BLANK = "2"
    DIFFERS = "3"
    AGREES = "4"


def _attributes_by_source() -> dict[str, tuple[Attribute, ...]]:
    found: defaultdict[str, list[Attribute]] = defaultdict(list)
    for attribute, row in ATTRIBUTE_TABLE.items():
        for source in row.sources if row.configurable else ():
            found[source].append(attribute)
    return {source: tuple(attributes) for source, attributes in found.items()}


#: Each property that may fill an attribute which can be configured, with these attributes.
ATTRIBUTES_BY_SOURCE: Final[Mapping[str, tuple[Attribute, ...]]] = MappingProxyType(_attributes_by_source())


@dataclass(frozen=True, kw_only=True)
class SourceFit:
    """How a property fits an attribute, as numbers of users.

    `filled` have a value, of which `invalid` break a rule. `shared` have one that another user has too, the
    first of them apart. Skolon has a value for `compared` of the others, and the same for `agrees`.
    """

    filled: int = 0
    invalid: int = 0
    shared: int = 0
    compared: int = 0
    agrees: int = 0

    @property
    def agreement(self) -> float:
        """The share of the users with a value in both that have the same."""
        return self.agrees / self.compared if self.compared else 0.0

    def as_json(self) -> dict[str, int]:
        """Return the JSON object."""
        return {
            "filled": self.filled,
            "invalid": self.invalid,
            "shared": self.shared,
            "compared": self.compared,
            "agrees": self.agrees,
        }


@dataclass(frozen=True, kw_only=True)
class SourceFacts:
    """How each property fits each attribute, over so many `users` in scope of the preview `run`."""

    run: int
    users: int
    fits: Mapping[Attribute, Mapping[str, SourceFit]] = field(default_factory=dict)

    def fit(self, attribute: Attribute, source: str) -> SourceFit:
        """Return how a property fits an attribute."""
        return self.fits.get(attribute, {}).get(source, SourceFit())

    def empty_sources(self, attribute: Attribute) -> tuple[str, ...]:
        """Return the properties that may fill an attribute and have a value for no user."""
        sources = ATTRIBUTE_TABLE[attribute].sources
        return tuple(source for source in sources if not self.fit(attribute, source).filled)

    def as_json(self) -> dict[str, Any]:
        """Return the JSON object."""
        return {
            "run": str(self.run),
            "users": self.users,
            "attributes": {
                str(attribute): {source: self.fit(attribute, source).as_json() for source in row.sources}
                for attribute, row in ATTRIBUTE_TABLE.items()
                if row.configurable
            },
        }


def format_facts(facts: Iterable[tuple[str, str, Sequence[Fit]]]) -> str:
    """Return one user's facts as a text: of each property with a value a digest, and how it fits."""
    return json.dumps([[source, digest, "".join(fits)] for source, digest, fits in facts])


def sum_facts(
    run: int, users: int, groups: Iterable[tuple[str, str, int]], shared: Mapping[str, int]
) -> SourceFacts:
    """Return the sums of groups of users, by property and by how it fits; `shared` is by property."""
    counts: dict[tuple[Attribute, str], dict[Fit, int]] = {}
    for source, fits, number in groups:
        for attribute, fit in zip(ATTRIBUTES_BY_SOURCE.get(source, ()), fits, strict=False):
            of_fit = counts.setdefault((attribute, source), {})
            of_fit[Fit(fit)] = of_fit.get(Fit(fit), 0) + number
    found: defaultdict[Attribute, dict[str, SourceFit]] = defaultdict(dict)
    for (attribute, source), of_fit in counts.items():
        agrees = of_fit.get(Fit.AGREES, 0)
        found[attribute][source] = SourceFit(
            filled=sum(number for fit, number in of_fit.items() if fit is not Fit.NONE),
            invalid=of_fit.get(Fit.INVALID, 0),
            shared=shared.get(source, 0),
            compared=agrees + of_fit.get(Fit.DIFFERS, 0),
            agrees=agrees,
        )
    return SourceFacts(run=run, users=users, fits=dict(found))
