"""The expected result of a round, user by user."""

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

#: The outcomes of users that Skolon is not asked about, or does not have.
_NOT_FOUND: Final = frozenset(
    {("out_of_scope", None), ("not_found", None), ("dead_lettered", "invalid_user")}
)
_UNREADABLE: Final = ("dead_lettered", "rejected_by_skolon")


@dataclass(frozen=True, kw_only=True)
class Expectation:
    """The expected result of a first run, whatever faults occur.

    `people` has for each Entra id the allowed pairs of outcome and reason: one, or two where a fault decides
    which of two users keeps a Skolon user. `outcomes` and `reasons` are the totals, None where they depend on
    the moment of a fault. `status` is the run's final status.
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
    """Return the expected result of all users in a first run."""
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
    """Return the expected result of all users of an organisation that is broken for a while, or to the end.

    Once it is healed, the result is the same as without a fault, with two exceptions. An unreadable user may
    be a dead letter, because other users succeeded before. In a cancelled run, pending users stay pending.
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
