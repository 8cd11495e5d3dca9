"""Which account gets which Skolon user, over made-up worlds: the order of messages decides nothing."""

from __future__ import annotations

import dataclasses
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

from hypothesis import given
from hypothesis import strategies as st

from clients.graph.birthdays import Birthday
from clients.skolon.server.capabilities import Capabilities
from clients.skolon.server.inspection import Inspection
from schemas.errors import NotYetError, PermanentError
from schemas.outcomes import Outcome
from schemas.runs.sync_result import SyncResult
from schemas.tenants.scope import Scope
from schemas.tenants.tenant import Credentials
from schemas.users.attributes import Attribute, keys_match
from schemas.users.graph_user import load_graph_user
from store.tenants.tenants import TenantRecord
from tests.unit.workers.factories import skolon_user, tenant
from workers.pipeline.pipeline import SyncPipeline

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from schemas.tenants.skolon_target import SkolonTarget
    from schemas.users.skolon_user import SkolonUser

NAMES: Final = (("Anna", "Andersson"), ("Bo", "Berg"))
ADDRESSES: Final = tuple(f"a{number}@k.example" for number in range(4))
RECORD: Final = TenantRecord(
    id=1,
    version=1,
    tenant=tenant(birthdays=False, scope=Scope(members_only=False)),
    credentials=Credentials(directory="d", client_id="c", client_secret=""),
)


class World:
    """Graph, Skolon and the writer of one pipeline, in memory."""

    def __init__(self, accounts: Sequence[dict[str, Any]], users: Sequence[SkolonUser]) -> None:
        self.accounts = {each["id"]: each for each in accounts}
        self.users = {each.id: each for each in users}

    def graph(self, credentials: Credentials) -> World:
        del credentials
        return self

    def skolon(self, target: SkolonTarget, *, dry_run: bool) -> World:
        del target, dry_run
        return self

    def skip_birthday(self) -> None:
        """No birthday is asked for."""

    def birthday(self, user_id: str) -> Birthday:
        del user_id
        return Birthday()

    def user(self, user_id: str, select: Sequence[str]) -> dict[str, Any] | None:
        del select
        return self.accounts.get(user_id)

    def find_users(self, conditions: Sequence[tuple[str, str]], select: Sequence[str]) -> list[Any]:
        del select
        wanted = {(name, value.lower()) for name, value in conditions}
        return [
            account
            for account in self.accounts.values()
            if any(
                (name, text.lower()) in wanted
                for name in ("userPrincipalName", "mail", "otherMails")
                for text in load_graph_user(account).texts(name) or ()
            )
        ]

    def search(self, organisation: str, keys: Mapping[Attribute, str]) -> list[SkolonUser]:
        del organisation
        return [
            user
            for user in self.users.values()
            if any((held := user.attributes[key]) and keys_match(key, held, keys[key]) for key in keys)
        ]

    def forget_capabilities(self, organisation: str, names: Collection[str] = ()) -> None:
        """Forget nothing: it knows nothing."""

    def inspect(self, organisation: str) -> Inspection:
        del organisation
        return Inspection()

    def capabilities(self, organisation: str) -> Capabilities:
        del organisation
        return Capabilities()

    def read(self, organisation: str, user_id: str) -> SkolonUser | None:
        del organisation
        return self.users.get(user_id)

    def write(
        self, user: SkolonUser, changes: Mapping[Attribute, str | None], unwritten: object
    ) -> SyncResult:
        del unwritten
        self.users[user.id] = dataclasses.replace(user, attributes={**user.attributes, **changes})
        return SyncResult(outcome=Outcome.UPDATED, skolon_id=user.id, changed=tuple(changes))

    def sync(self, user_id: str) -> None:
        pipeline = SyncPipeline(record=RECORD, gateways=self, dry_run=False, writer=self)  # type: ignore[arg-type] # as much of them as the steps use
        with suppress(PermanentError, NotYetError):
            pipeline.run(user_id, None)

    @property
    def owners(self) -> dict[str, str | None]:
        return {user_id: user.attributes[Attribute.EXTERNAL_ID] for user_id, user in self.users.items()}


def accounts(*, all_active: bool = False) -> st.SearchStrategy[list[dict[str, Any]]]:
    """Give accounts of two people, with few addresses; without `all_active` also guests and disabled ones."""
    address = st.sampled_from(ADDRESSES)
    one = st.fixed_dictionaries(
        {
            "person": st.sampled_from(range(len(NAMES))),
            "mail": st.none() | address,
            "otherMails": st.lists(address, max_size=2),
            "userType": st.sampled_from(["Member"] if all_active else ["Member", "Guest"]),
            "accountEnabled": st.sampled_from([True] if all_active else [True, False]),
        }
    )
    return st.lists(one, min_size=2, max_size=4).map(
        lambda drawn: [_account(number, each) for number, each in enumerate(drawn)]
    )


def _account(number: int, drawn: dict[str, Any]) -> dict[str, Any]:
    given_name, surname = NAMES[drawn["person"]]
    return {
        "id": f"00000000-0000-4000-8000-{number:012d}",
        "userPrincipalName": f"a{number}@k.example",
        "givenName": given_name,
        "surname": surname,
        **drawn,
    }


def skolon_users(most: int = 3) -> st.SearchStrategy[list[SkolonUser]]:
    """Give Skolon users of the two people, without External Ids."""
    address = st.none() | st.sampled_from(ADDRESSES)
    one = st.tuples(st.sampled_from(range(len(NAMES))), address, address, address)
    return st.lists(one, min_size=1, max_size=most).map(
        lambda drawn: [
            skolon_user(
                f"s{number}",
                first_name=NAMES[person][0],
                last_name=NAMES[person][1],
                eppn=eppn,
                user_name=user_name,
                email=email,
            )
            for number, (person, eppn, user_name, email) in enumerate(drawn)
        ]
    )


@given(accounts(), skolon_users(), st.data())
def test_no_user_becomes_another_person(
    accounts: list[dict[str, Any]], users: list[SkolonUser], data: st.DataObject
) -> None:
    """Whatever the order and however often an account comes, a Skolon user keeps its person."""
    world = World(accounts, users)
    for user_id in data.draw(st.lists(st.sampled_from(list(world.accounts)), max_size=10)):
        world.sync(user_id)
    for user in users:
        owner = world.owners[user.id]
        if owner is not None:
            assert world.accounts[owner]["givenName"] == user.attributes[Attribute.FIRST_NAME]


@given(accounts(all_active=True), skolon_users(most=1), st.data())
def test_the_order_of_messages_decides_nothing(
    accounts: list[dict[str, Any]], users: list[SkolonUser], data: st.DataObject
) -> None:
    """All orders, after any part in a run before, lead to the same owner of a Skolon user."""
    ids = [each["id"] for each in accounts]
    found = []
    for _ in range(2):
        world = World(accounts, users)
        before = data.draw(st.lists(st.sampled_from(ids), unique=True))
        for user_id in (*before, *data.draw(st.permutations(ids)), *data.draw(st.permutations(ids))):
            world.sync(user_id)
        found.append(world.owners)
    assert found[0] == found[1]
