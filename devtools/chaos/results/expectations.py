"""What the municipality demands of a round, person by person."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from sandbox.municipality.edge_cases import PAIR

if TYPE_CHECKING:
    from collections.abc import Mapping

    from devtools.chaos.faults.small_tenants import Breakage
    from sandbox.municipality.municipality import Municipality

#: Who of two comes first keeps the Skolon user that both claim.
_EITHER: Final = frozenset({("updated", None), ("dead_lettered", "collision")})

#: What becomes of people of whom Skolon is not asked, or has nobody.
_NOT_FOUND: Final = frozenset(
    {("out_of_scope", None), ("not_found", None), ("dead_lettered", "invalid_user")}
)
_UNREADABLE: Final = ("dead_lettered", "rejected_by_skolon")


@dataclass(frozen=True, kw_only=True)
class Expectation:
    """What the municipality demands of a first run, whatever goes wrong around it.

    `people` has for each Entra id the pairs of outcome and reason that are right: one, or two where
    chance decides who of two comes first. `outcomes` and `reasons` are the sums, None where the moment at
    which something broke decides. `status` is that of the run in the end.
    """

    people: Mapping[str, frozenset[tuple[str, str | None]]]
    outcomes: Mapping[str, int] | None
    reasons: Mapping[str, int] | None
    status: str = "completed"


@dataclass(frozen=True, kw_only=True)
class Account:
    """One tenant's run and its receipts, as the command prints them, and what is demanded of them."""

    key: str
    run: Mapping[str, Any]
    receipts: list[dict[str, Any]]
    expectation: Expectation


def expectation_of(municipality: Municipality) -> Expectation:
    """Return what must become of everybody in a first run."""
    return Expectation(
        people={
            person.entra["id"]: (
                _EITHER if person.case == PAIR.name else frozenset({(person.outcome, person.reason)})
            )
            for person in municipality
        },
        outcomes=municipality.expected_outcomes("first"),
        reasons=municipality.expected_reasons(),
    )


def expectation_of_broken(municipality: Municipality, breakage: Breakage) -> Expectation:
    """Return what must become of everybody whose organisation is broken for a while, or to the end.

    The same as ever, once it is healed. But whoever cannot be read may be a dead letter, since others got
    through before; and where the run is cancelled, whoever is pending stays so.
    """
    expectation = expectation_of(municipality)
    if not breakage.is_cancelled and not breakage.is_malformed:
        return expectation
    also = {_UNREADABLE} if breakage.is_malformed else set()
    people = {
        user: right if right <= _NOT_FOUND else right | also for user, right in expectation.people.items()
    }
    status = "cancelled" if breakage.is_cancelled else "completed"
    return replace(expectation, people=people, outcomes=None, reasons=None, status=status)
