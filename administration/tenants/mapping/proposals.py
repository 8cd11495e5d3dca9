"""Proposes a source for each attribute, from what a preview has found; nothing is applied by that."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from schemas.users.attributes import ATTRIBUTE_TABLE, Attribute

if TYPE_CHECKING:
    from collections.abc import Mapping

    from schemas.runs.totals.source_facts import SourceFacts, SourceFit
    from schemas.tenants.mapping.sources import Sources

#: So much better a property must agree with Skolon than the first source does, as a share of the users.
_BETTER_BY: Final = 0.1

#: The share of users that a property must have a value for, to be proposed, and the share of those who may
#: have that of another user, if it tells who a user is.
_FILLED: Final = 0.5
_SHARED: Final = 0.05


@dataclass(frozen=True, kw_only=True)
class Proposal:
    """A property that fits an attribute better than its first source, and how well both fit.

    `first` is None for an attribute without a source.
    """

    attribute: Attribute
    source: str
    fit: SourceFit
    first: str | None
    first_fit: SourceFit

    def as_json(self) -> dict[str, Any]:
        """Return the JSON object."""
        return {
            "attribute": str(self.attribute),
            "source": self.source,
            "first": self.first,
            "agrees": self.fit.agrees,
            "first_agrees": self.first_fit.agrees,
        }


def proposals(facts: SourceFacts, sources: Sources) -> Mapping[Attribute, Proposal]:
    """Return the attributes of a mapping that another property fits better, by what Skolon has already.

    It is proposed only if most users have a value there, and, where the attribute tells who a user is, hardly
    any two have the same.
    """
    found = {}
    for attribute, row in ATTRIBUTE_TABLE.items():
        if not row.configurable or not facts.users:
            continue
        first = next(iter(sources[attribute]), None)
        best = max(row.sources, key=lambda source: _worth(facts.fit(attribute, source), facts.users))
        fit = facts.fit(attribute, best)
        of_first = facts.fit(attribute, first or "")
        is_better = _worth(fit, facts.users) >= _worth(of_first, facts.users) + _BETTER_BY
        if best != first and is_better and _is_usable(fit, facts.users, identity=row.identity):
            found[attribute] = Proposal(
                attribute=attribute, source=best, fit=fit, first=first, first_fit=of_first
            )
    return found


def _worth(fit: SourceFit, users: int) -> float:
    return (fit.agrees - fit.invalid) / users


def _is_usable(fit: SourceFit, users: int, *, identity: bool) -> bool:
    return fit.filled >= _FILLED * users and not (identity and fit.shared > _SHARED * fit.filled)
