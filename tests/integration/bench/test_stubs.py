"""The bench's stubs in their processes, judged by the product's own clients."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from bench.stand_ins import StandIns, stand_ins
from bench.stubs.users import Person, Population, entra_id
from clients.gateways import Gateways, create_gateways
from clients.skolon.server.capabilities import SearchMethod
from schemas.errors import VersionConflictError
from schemas.settings import Settings
from schemas.tenants.tenant import Credentials
from schemas.users.attributes import Attribute

if TYPE_CHECKING:
    from collections.abc import Iterator

POPULATION = Population(number=9, people=1500)
CREDENTIALS = Credentials(directory=POPULATION.directory, client_id="bench", client_secret="secret")  # noqa: S106 - made up
SELECT = ("id", "mail", "streetAddress")


@pytest.fixture(scope="module")
def stubs() -> Iterator[StandIns]:
    with stand_ins() as served:
        served.prepare(POPULATION)
        yield served


@pytest.fixture
def doors(stubs: StandIns) -> Gateways:
    return doors_of(stubs)


def doors_of(stubs: StandIns) -> Gateways:
    return create_gateways(
        Settings(
            graph_url=stubs.graph_url,
            entra_authority=stubs.entra_url,
            ca_bundle=str(stubs.authority),
            skolon_scim_url=stubs.skolon_url,
            skolon_token="token",  # noqa: S106 - made up
        )
    )


def test_graph_is_read_page_by_page(doors: Gateways) -> None:
    """Two pages of at most 999 hold all users once, with the selected properties only."""
    graph = doors.graph(CREDENTIALS)
    first = graph.page(None, SELECT)
    second = graph.page(first.next_link, SELECT)
    users = [*first.users, *second.users]
    assert (len(first.users), second.next_link, graph.count()) == (999, None, 1500)
    assert [user["id"] for user in users] == [entra_id(9, index) for index in range(1500)]
    assert set(users[0]) == set(SELECT)


def test_one_user_and_a_birthday_can_be_asked_for(doors: Gateways) -> None:
    """A single user is as on the list, and has a birthday; nobody is nobody."""
    graph = doors.graph(CREDENTIALS)
    assert graph.user(entra_id(9, 3), ("mail",)) == {
        "id": entra_id(9, 3),
        "mail": Person(number=9, index=3).address,
        "birthday": "2012-05-17T00:00:00Z",
    }
    assert graph.birthday(entra_id(9, 3)).value == "2012-05-17"
    assert graph.user(entra_id(9, 1500), ("mail",)) is None


def test_a_delta_tells_who_has_moved_since(stubs: StandIns, doors: Gateways) -> None:
    """The current link returns no user; after two changes it returns these two users, and then none."""
    graph = doors.graph(CREDENTIALS)
    link = graph.delta_link(SELECT)
    assert link is not None
    assert graph.delta_page(link, is_delta_link=True).users == ()
    stubs.move(POPULATION, [4, 5])
    page = graph.delta_page(link, is_delta_link=True)
    assert [user["streetAddress"] for user in page.users] == [
        Person(number=9, index=index, moves=1).street for index in (4, 5)
    ]
    assert page.delta_link is not None
    assert graph.delta_page(page.delta_link, is_delta_link=True).users == ()


def test_skolon_finds_and_changes_people(stubs: StandIns, doors: Gateways) -> None:
    """P1: who is found can be changed once with the version that was read; then it is another one's turn."""
    skolon = doors.skolon(dry_run=False)
    address = Person(number=9, index=8).address
    keys = {Attribute.EXTERNAL_ID: entra_id(9, 8), Attribute.EPPN: address, Attribute.EMAIL: address}
    (user,) = skolon.search(POPULATION.organisation, keys)
    after = skolon.update(POPULATION.organisation, user, {Attribute.CITY: "Annanby"})
    assert after is not None
    assert (after.version, after.attributes[Attribute.CITY]) == ('W/"2"', "Annanby")
    with pytest.raises(VersionConflictError):
        skolon.update(POPULATION.organisation, user, {Attribute.CITY: "Tredjeby"})
    now = skolon.read(POPULATION.organisation, user.id)
    assert now is not None
    assert now.attributes[Attribute.CITY] == "Annanby"
    assert stubs.wrong(replace(POPULATION, people=20)) == [8]
    assert skolon.search(POPULATION.organisation, {Attribute.EPPN: "nobody@exempel.invalid"}) == []


def test_skolon_is_searched_by_get_as_well(stubs: StandIns) -> None:
    """P6: while the stub takes no POST, the product asks by GET; the answers are the same."""
    keys = {Attribute.EXTERNAL_ID: entra_id(9, 8)}
    found = []
    for taken in (False, True):
        stubs.skolon.order("takes-post", taken=taken)
        skolon = doors_of(stubs).skolon(dry_run=True)
        found.append([user.id for user in skolon.search(POPULATION.organisation, keys)])
        expected = SearchMethod.POST if taken else SearchMethod.GET
        assert skolon.capabilities(POPULATION.organisation).method is expected
    assert found == [["s8"], ["s8"]]


def test_requests_are_counted_by_kind(stubs: StandIns, doors: Gateways) -> None:
    """What was asked since the last look is told, once."""
    stubs.requests()
    doors.graph(CREDENTIALS).count()
    doors.skolon(dry_run=False).read(POPULATION.organisation, "s1")
    assert stubs.requests() == {"graph": {"token": 2, "count": 1}, "skolon": {"read": 1}}
    assert stubs.requests() == {"graph": {}, "skolon": {}}
