"""Users found by the values of properties, at the stand-in over TLS: in the body of a batch alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import requests

from clients.graph.batch import batch_body, read_only_batches
from sandbox.microsoft.faults import Effect
from sandbox.microsoft.http_messages import Kind
from schemas.errors import TransientError
from tests.contract.clients.graph.test_client import Environment, world_of
from tests.contract.sandbox.microsoft.graph_server import running, user_id

if TYPE_CHECKING:
    from collections.abc import Iterator

ODD = "o'brien+å@k.example"


@pytest.fixture
def world() -> Iterator[Environment]:
    with running() as tenant:
        tenant.directory.change(user_id(1), {"mail": ODD, "otherMails": ["p@k.example", "q@k.example"]})
        extension = {"onPremisesExtensionAttributes": {"extensionAttribute7": "Seven"}}
        tenant.directory.change(user_id(2), {"userPrincipalName": "two@k.example", **extension})
        yield world_of(tenant)


@pytest.mark.parametrize(
    ("conditions", "found"),
    [
        ([("mail", ODD.upper())], {1}),
        ([("otherMails", "Q@k.example")], {1}),
        ([("extensionAttribute7", "seven")], {2}),
        ([("mail", ODD), ("userPrincipalName", "two@k.example")], {1, 2}),
        ([("mail", f"none{number}@k.example") for number in range(40)] + [("mail", ODD)], {1}),
        ([("mail", "x' or mail ne 'x")], set()),
        ([("mail", "a&$select=mail#?/%27")], set()),
        ([], set()),
    ],
)
def test_users_are_found_by_any_condition(
    world: Environment, conditions: list[tuple[str, str]], found: set[int]
) -> None:
    """P6: by one request, the values in its body, whatever signs are in them."""
    users = world.client.find_users(conditions, ("mail",))
    assert {each["id"] for each in users} == {user_id(number) for number in found}
    assert world.requests(Kind.BATCH) == (1 if conditions else 0)
    assert world.requests(Kind.USERS) == 0


@pytest.mark.parametrize(("aim", "status"), [(Kind.BATCH, 501), (Kind.BATCH, 400), (Kind.USERS, 400)])
def test_a_graph_that_does_not_take_it_finds_none(world: Environment, aim: Kind, status: int) -> None:
    """A proxy without batches, or a filter that is not taken, is no fault of the run."""
    world.fault(Effect.ERROR, kind=aim, status=status, times=None)
    assert world.client.find_users([("mail", ODD)], ("mail",)) == []


def test_a_throttled_search_is_tried_again_later(world: Environment) -> None:
    """P8: a refusal for now inside the batch is one for the message."""
    world.fault(Effect.ERROR, kind=Kind.USERS, status=429, retry_after="7")
    with pytest.raises(TransientError) as refused:
        world.client.find_users([("mail", ODD)], ("mail",))
    assert refused.value.retry_after == 7


@pytest.mark.parametrize(
    "path",
    [
        "/users?$filter=mail eq 'a'&$select=id",
        "/users?$filter=a&$expand=manager&$select=id",
        "/users?$select=id",
        "/groups?$filter=a&$select=id",
        "/users?$filter=a&$select=id&$top=5",
    ],
)
def test_only_a_filter_and_its_properties_leave(path: str) -> None:
    """P1: any other path in a batch is refused before it is sent."""
    address = "https://graph.example/v1.0/$batch"
    for body, passes in ((batch_body([path]), False), (batch_body(["/users?$filter=a&$select=id"]), True)):
        request = requests.Request("POST", address, data=body).prepare()
        assert read_only_batches(address)(request) is passes
