"""Long rings of users, and searches for personal numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import pytest

from clients.skolon.server.capabilities import Capabilities, SearchMethod
from clients.skolon.server.inspection import Inspection
from schemas.users.attributes import Attribute
from tests.unit.workers.factories import skolon_user
from workers.pipeline.accounts import Account
from workers.pipeline.peers import AnyRunPeers
from workers.pipeline.unique_values import UniqueValues

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from schemas.users.skolon_user import SkolonUser

EPPN, SSN = Attribute.EPPN, Attribute.SSN
NUMBER: Final = "201203049810"


class WaitingPeers(AnyRunPeers):
    """All users come to an outcome, and each waits for the others."""

    waits = True


class Directory:
    """Skolon and Entra at once: the users, and what each is to get."""

    def __init__(self, users: Mapping[str, SkolonUser], wanted: Mapping[str, str]) -> None:
        self.users = dict(users)
        self.wanted = wanted
        self.method: SearchMethod | None = SearchMethod.POST
        self.searched: list[Attribute] = []

    def forget_capabilities(self, organisation: str, names: Collection[str] = ()) -> None:
        """Forget nothing: it knows nothing."""

    def inspect(self, organisation: str) -> Inspection:
        del organisation
        return Inspection()

    def capabilities(self, organisation: str) -> Capabilities:
        del organisation
        return Capabilities(method=self.method)

    def search(self, organisation: str, keys: Mapping[Attribute, str]) -> list[SkolonUser]:
        del organisation
        self.searched += keys
        return [
            user
            for user in self.users.values()
            if any(user.attributes.get(name) == value for name, value in keys.items())
        ]

    def owner(self, user: SkolonUser) -> Account:
        return Account(id=user.id, mapped={EPPN: self.wanted[user.id]})

    def planner(self, user_id: str) -> UniqueValues:
        same: Any = self
        return UniqueValues(user_id, organisation="k", skolon=same, accounts=same, peers=WaitingPeers())


@pytest.mark.parametrize("length", [2, 21, 22, 23, 60])
def test_a_ring_of_any_length_comes_to_an_end(length: int) -> None:
    """No user waits for ever, and each has its value at last."""
    ids = [f"{number:03d}" for number in range(length)]
    wanted = {each: f"n{(int(each) + 1) % length:03d}@old.example" for each in ids}
    directory = Directory({each: skolon_user(each, eppn=f"n{each}@old.example") for each in ids}, wanted)
    for _ in range(length + 1):
        for each in ids:
            user = directory.users[each]
            if user.attributes[EPPN] == wanted[each]:
                continue
            plan = directory.planner(each).plan(user, {EPPN: wanted[each]}, searched={}, found=())
            assert not plan.taken
            if plan.changes:
                directory.users[each] = skolon_user(each, eppn=plan.changes[EPPN])
    assert {each: user.attributes[EPPN] for each, user in directory.users.items()} == wanted


@pytest.mark.parametrize(
    ("method", "is_searched"), [(SearchMethod.POST, True), (SearchMethod.GET, False), (None, False)]
)
def test_no_number_is_searched_in_a_url(
    method: SearchMethod | None,
    is_searched: bool,  # noqa: FBT001 - one column of the table
) -> None:
    """P6: the other values are searched all the same."""
    directory = Directory({}, {})
    directory.method = method
    user = skolon_user("s1", eppn="a@k.example")
    changes = {EPPN: "b@k.example", SSN: NUMBER}
    plan = directory.planner("id-1").plan(user, changes, searched={}, found=())
    assert plan.changes == changes
    assert EPPN in directory.searched
    assert (SSN in directory.searched) is is_searched
