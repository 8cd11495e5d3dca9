"""Microsoft's own Graph client reads the stand-in as it reads the real service."""

from __future__ import annotations

import asyncio
import ssl
import time
import warnings
from typing import TYPE_CHECKING, Any, Self, TypeVar

import pytest
from azure.core.credentials import AccessToken
from httpx import AsyncClient, AsyncHTTPTransport

from sandbox.microsoft.faults import Effect, Fault
from sandbox.microsoft.http_messages import Kind
from tests.contract.sandbox.microsoft.graph_server import Running, running, user_id

# The SDK warns about a class of its own while it is imported; its users can do nothing about it.
with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)
    from kiota_abstractions.base_request_configuration import RequestConfiguration
    from kiota_authentication_azure.azure_identity_authentication_provider import (
        AzureIdentityAuthenticationProvider,
    )
    from msgraph.generated.models.o_data_errors.o_data_error import ODataError
    from msgraph.generated.users.item.user_item_request_builder import UserItemRequestBuilder
    from msgraph.generated.users.users_request_builder import UsersRequestBuilder
    from msgraph.graph_request_adapter import GraphRequestAdapter, options
    from msgraph.graph_service_client import GraphServiceClient
    from msgraph_core import GraphClientFactory  # type: ignore[import-untyped]  # ships no types
    from msgraph_core.requests.batch_request_builder import (  # type: ignore[import-untyped]  # as above
        BatchRequestBuilder,
    )
    from msgraph_core.requests.batch_request_content import (  # type: ignore[import-untyped]  # as above
        BatchRequestContent,
    )
    from msgraph_core.requests.batch_request_item import (  # type: ignore[import-untyped]  # as above
        BatchRequestItem,
    )

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator

ListOptions = UsersRequestBuilder.UsersRequestBuilderGetQueryParameters
UserOptions = UserItemRequestBuilder.UserItemRequestBuilderGetQueryParameters

# The same, for the parts that the SDK imports when they are first asked for.
pytestmark = pytest.mark.filterwarnings("ignore:This class is deprecated:DeprecationWarning")

T = TypeVar("T")


class StaticCredential:
    """A credential that has its token already."""

    def __init__(self, token: str) -> None:
        self._token = token

    async def get_token(self, *_scopes: str, **_options: Any) -> AccessToken:
        return AccessToken(self._token, int(time.time()) + 3600)

    async def close(self) -> None:
        pass

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_details: object) -> None:
        pass


@pytest.fixture
def tenant() -> Iterator[Running]:
    with running() as run:
        yield run


def ask(tenant: Running, question: Callable[[GraphServiceClient], Awaitable[T]]) -> T:
    return asyncio.run(_ask(tenant, question, tenant.token()))


async def _ask(tenant: Running, question: Callable[[GraphServiceClient], Awaitable[T]], token: str) -> T:
    provider = AzureIdentityAuthenticationProvider(
        StaticCredential(token), allowed_hosts=["127.0.0.1"], is_cae_enabled=False
    )
    trust = ssl.create_default_context(cafile=tenant.authority)
    # The SDK puts a transport of its own before this one, and does not pass the closing on.
    async with AsyncHTTPTransport(verify=trust, trust_env=False) as transport:
        http = AsyncClient(transport=transport, trust_env=False, base_url=tenant.url)
        client = GraphClientFactory.create_with_default_middleware(client=http, options=options)
        adapter = GraphRequestAdapter(provider, client)
        adapter.base_url = f"{tenant.url}/v1.0"
        return await question(GraphServiceClient(request_adapter=adapter))


def selecting(*names: str, top: int | None = None) -> RequestConfiguration[Any]:
    return RequestConfiguration(query_parameters=ListOptions(select=list(names), top=top))


def test_pages_through_everybody(tenant: Running) -> None:
    """The SDK follows the next links until it has seen each person once."""

    async def question(graph: GraphServiceClient) -> list[str | None]:
        page = await graph.users.get(request_configuration=selecting("id", "otherMails", top=3))
        found: list[str | None] = []
        while page:
            found += [person.id for person in page.value or []]
            following = page.odata_next_link
            page = await graph.users.with_url(following).get() if following else None
        return found

    assert ask(tenant, question) == [user_id(number) for number in range(7)]
    assert tenant.standin.requests.counts()["users"] == 3


def test_typed_properties(tenant: Running) -> None:
    """The SDK finds text, lists, booleans and the extension attributes in their types."""

    async def question(graph: GraphServiceClient) -> Any:
        names = ("id", "surname", "otherMails", "accountEnabled", "onPremisesExtensionAttributes", "mail")
        return await graph.users.get(request_configuration=selecting(*names, top=1))

    person = ask(tenant, question).value[0]
    assert (person.surname, person.other_mails, person.account_enabled, person.mail) == (
        "Ågren",
        ["o0@exempel.example"],
        True,
        None,
    )
    assert person.on_premises_extension_attributes.extension_attribute1 == "121212-1212"


@pytest.mark.parametrize(("number", "year"), [(1, 2012), (2, 1)])
def test_birthday_of_one(tenant: Running, number: int, year: int) -> None:
    """The SDK reads one person's birthday; the year 1 stands for none."""

    async def question(graph: GraphServiceClient) -> Any:
        config = RequestConfiguration(query_parameters=UserOptions(select=["id", "birthday"]))
        return await graph.users.by_user_id(user_id(number)).get(request_configuration=config)

    assert ask(tenant, question).birthday.year == year


def test_birthdays_in_a_batch(tenant: Running) -> None:
    """The SDK's batch has for each request an answer of its own, with its status and headers.

    Of the bodies this version of the SDK reads none that is JSON.
    """
    tenant.standin.faults.add(
        Fault(effect=Effect.ERROR, user=user_id(3), status=429, retry_after="2.128", times=None)
    )

    async def question(graph: GraphServiceClient) -> Any:
        config = RequestConfiguration(query_parameters=UserOptions(select=["id", "birthday"]))
        content = BatchRequestContent()
        for number in (1, 2, 3, 99):
            request = graph.users.by_user_id(user_id(number)).to_get_request_information(config)
            content.add_request(str(number), BatchRequestItem(request, str(number)))
        return await BatchRequestBuilder(graph.request_adapter).post(content)

    batch = ask(tenant, question)
    statuses = {key: batch.get_response_by_id(key).status for key in ("1", "2", "3", "99")}
    assert statuses == {"1": 200, "2": 200, "3": 429, "99": 404}
    assert batch.get_response_by_id("3").headers["Retry-After"] == "2.128"
    assert tenant.standin.requests.counts()["batched birthday"] == 4


def test_count(tenant: Running) -> None:
    """The SDK's count needs the consistency header, and is the number of people."""

    async def question(graph: GraphServiceClient) -> int | None:
        config: RequestConfiguration[Any] = RequestConfiguration()
        config.headers.add("ConsistencyLevel", "eventual")
        return await graph.users.count.get(request_configuration=config)

    assert ask(tenant, question) == 7


def test_delta(tenant: Running) -> None:
    """The SDK reads a delta, and its link tells of changes and removals."""

    async def question(graph: GraphServiceClient) -> list[Any]:
        first = await graph.users.delta.get()
        assert first
        assert first.odata_delta_link
        assert len(first.value or []) == 7
        tenant.directory.change(user_id(1), {"givenName": "Ny"})
        tenant.directory.remove(user_id(2))
        second = await graph.users.delta.with_url(first.odata_delta_link).get()
        assert second
        return list(second.value or [])

    changed, removed = ask(tenant, question)
    assert (changed.id, changed.given_name) == (user_id(1), "Ny")
    assert removed.additional_data["@removed"] == {"reason": "changed"}


@pytest.mark.parametrize(
    ("fault", "status", "code"),
    [
        (Fault(effect=Effect.ERROR, status=403), 403, "Authorization_RequestDenied"),
        (Fault(effect=Effect.ERROR, status=500), 500, "InternalServerError"),
        (Fault(effect=Effect.EXPIRED_PAGE_TOKEN), 400, "Directory_ExpiredPageToken"),
    ],
)
def test_errors_are_typed(tenant: Running, fault: Fault, status: int, code: str) -> None:
    """The SDK raises its own error with Graph's status and code."""
    tenant.standin.faults.add(fault)
    with pytest.raises(ODataError) as caught:
        ask(tenant, lambda graph: graph.users.get())
    assert caught.value.error
    assert (caught.value.response_status_code, caught.value.error.code) == (status, code)
    assert caught.value.error.inner_error
    assert caught.value.error.inner_error.request_id


def test_unknown_user(tenant: Running) -> None:
    """The SDK raises Request_ResourceNotFound for an unknown user."""
    with pytest.raises(ODataError) as caught:
        ask(tenant, lambda graph: graph.users.by_user_id(user_id(99)).get())
    assert caught.value.error
    assert caught.value.error.code == "Request_ResourceNotFound"


def test_birthday_on_a_list(tenant: Running) -> None:
    """The SDK is refused birthdays on a list with NotImplemented."""
    with pytest.raises(ODataError) as caught:
        ask(tenant, lambda graph: graph.users.get(request_configuration=selecting("id", "birthday")))
    assert (caught.value.response_status_code, caught.value.error and caught.value.error.code) == (
        501,
        "NotImplemented",
    )


def test_waits_when_throttled(tenant: Running) -> None:
    """The SDK waits as Retry-After says and asks again by itself."""
    tenant.standin.faults.add(Fault(effect=Effect.ERROR, kind=Kind.USERS, status=429, retry_after="1"))
    page = ask(tenant, lambda graph: graph.users.get())
    assert page
    assert len(page.value or []) == 7
    assert tenant.standin.requests.counts()["users"] == 2
