"""What the municipality demands of a round, person by person."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox.municipality.hard import PAIR
from tests.chaos.verdict import Demand

if TYPE_CHECKING:
    from sandbox.municipality.municipality import Municipality

#: Who of two comes first keeps the Skolon user that both claim.
_EITHER = frozenset({("updated", None), ("dead_lettered", "collision")})


def demand_of(municipality: Municipality) -> Demand:
    """Return what must become of everybody in a first run."""
    return Demand(
        people={
            person.entra["id"]: (
                _EITHER if person.case == PAIR.name else frozenset({(person.outcome, person.reason)})
            )
            for person in municipality
        },
        outcomes=municipality.expected_outcomes("first"),
        reasons=municipality.expected_reasons(),
    )
