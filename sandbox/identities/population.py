"""All of the municipality: known numbers of each kind among ordinary users, in any order."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from sandbox.identities import kinds
from sandbox.identities.kinds import SUSPICIOUS, Group, Kind
from sandbox.municipality.expectation import attributes_of
from sandbox.municipality.made_up_user import make_facts
from sandbox.municipality.names import draw_names
from sandbox.municipality.seeded_random import seeded_random

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from sandbox.identities.kinds import Result, User
    from sandbox.municipality.expectation import Attributes
    from sandbox.municipality.made_up_user import Facts

#: How many groups there are of each kind; the ordinary users fill the rest.
NUMBERS: Final[Mapping[Kind, int]] = {
    Kind.HAND_MADE: 30,
    Kind.RECYCLED: 20,
    Kind.GUEST: 20,
    Kind.SIBLINGS: 10,
    Kind.SWAP: 10,
    Kind.RING: 1,
    Kind.HAND_OVER: 40,
}

#: How a group is made, and of how many people.
_BUILD: Final[Mapping[Kind, tuple[Callable[[Sequence[Facts], int, User], Group], int]]] = {
    Kind.HAND_MADE: (kinds.hand_made, 1),
    Kind.RECYCLED: (kinds.recycled, 2),
    Kind.GUEST: (kinds.guest, 2),
    Kind.SIBLINGS: (kinds.siblings, 2),
    Kind.SWAP: (kinds.moved_names, 2),
    Kind.RING: (kinds.moved_names, 3),
    Kind.HAND_OVER: (kinds.hand_over, 2),
    Kind.ORDINARY: (kinds.ordinary, 1),
}

#: What tells one person from another in Skolon.
_PERSONAL: Final = ("first_name", "last_name", "birth_date", "ssn")


@dataclass(frozen=True, kw_only=True)
class Findings:
    """What a run made of the municipality, by ids.

    `overwritten` are Skolon users with another person's data, `missed` planted Entra users with a wrong
    outcome, `wrong` all Skolon users in a wrong state. Of the `others`, `suspicious` were taken for such.
    """

    overwritten: list[str]
    missed: list[tuple[Kind, str]]
    wrong: list[tuple[Kind, str]]
    suspicious: list[str]
    others: int


class Population:
    """The municipality: `size` users in Entra, of which known numbers are hard to tell apart."""

    def __init__(
        self, size: int, *, tenant: Mapping[str, Any], numbers: Mapping[Kind, int] = NUMBERS, seed: int = 1
    ) -> None:
        self._seed = seed
        self._names = draw_names(seed)
        self._size = size
        self._settings = dict(tenant)
        self._people = 0
        self.groups = [
            self._group(kind, number) for kind, count in numbers.items() for number in range(count)
        ]
        planted = sum(len(group.entra) for group in self.groups)
        self.groups += [self._group(Kind.ORDINARY, number) for number in range(size - planted)]

    def entra_users(self, shuffle: int) -> list[User]:
        """Return all users in Entra, in an order of one's own for each number."""
        users = [user for group in self.groups for user in group.entra]
        seeded_random(self._seed, "shuffle", shuffle).shuffle(users)
        return users

    def skolon_users(self) -> list[User]:
        """Return Skolon's users before the first run."""
        return [user for group in self.groups for user in group.skolon]

    def judge(self, users: Iterable[User], results: Mapping[str, Result]) -> Findings:
        """Compare Skolon's users, and the results of Entra's users by id, with what must be."""
        held = {user["id"]: attributes_of(user) for user in users}
        suspicious = [
            user["id"]
            for group in self.groups
            if group.kind not in (Kind.HAND_MADE, Kind.RECYCLED, Kind.GUEST)
            for user in group.entra
            if results.get(user["id"]) == SUSPICIOUS
        ]
        return Findings(
            overwritten=[
                user_id
                for group in self.groups
                for user_id, states in group.states.items()
                if not any(_is_same_person(held[user_id], state) for state in states)
            ],
            missed=[
                (group.kind, user_id)
                for group in self.groups
                for user_id, right in group.results.items()
                if results.get(user_id) not in right
            ],
            wrong=[
                (group.kind, user_id)
                for group in self.groups
                for user_id, states in group.states.items()
                if held[user_id] not in states
            ],
            suspicious=suspicious,
            others=sum(len(group.entra) for group in self.groups if group.kind is Kind.ORDINARY),
        )

    def renamed(self) -> int:
        """Return how many ordinary users have another last name in Skolon."""
        return sum(SUSPICIOUS in right for group in self._ordinary() for right in group.results.values())

    def counts(self) -> Counter[Kind]:
        """Return how many groups there are of each kind."""
        return Counter(group.kind for group in self.groups)

    def _ordinary(self) -> list[Group]:
        return [group for group in self.groups if group.kind is Kind.ORDINARY]

    def _group(self, kind: Kind, number: int) -> Group:
        build, people = _BUILD[kind]
        facts = [self._next_facts() for _ in range(people)]
        return build(facts, number, self._settings)

    def _next_facts(self) -> Facts:
        self._people += 1
        return make_facts(self._seed, self._people - 1, self._names, self._size)


def _is_same_person(held: Attributes, state: Attributes) -> bool:
    return all(held[name] in (None, state[name]) for name in _PERSONAL)
