"""Microsoft Graph's users: page by page, one by one, and their birthdays."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final

from clients.graph.batch import (
    MAX_BATCH_SIZE,
    BatchItemResponse,
    BatchRefusedError,
    batch_body,
    read_batch,
    refuses_batches,
)
from clients.graph.delta import DELTA_HEADERS, DeltaPage, read_delta_page
from clients.graph.errors import (
    claims_challenge,
    delta_error,
    error_code,
    response_error,
    transport_error,
    unreadable,
)
from clients.graph.links import followable_link
from clients.graph.list_response import GraphPage, found_users, read_list
from clients.graph.user_paths import search_paths, selected_names, user_path
from clients.http.errors import TransportFailure
from clients.http.origins import is_same_origin
from clients.http.session import (
    CONNECT_TIMEOUT,
    READ_TIMEOUT,
    json_object,
    succeeded,
)
from runtime.services import graph_of
from schemas.details.detail import Detail
from schemas.details.kinds import DetailKind
from schemas.errors import DeltaLinkExpiredError, HaltError, TransientError
from schemas.outcomes import Cause

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from contextlib import AbstractContextManager

    import requests

    from clients.graph.birthdays import Birthday, Birthdays
    from clients.graph.service import GraphService
    from clients.http.session import Response
    from schemas.tenants.tenant import Credentials

#: Graph's limit for `$top` on users.
PAGE_SIZE: Final = 999

#: Pages to read for the link of a delta that begins now. One is the rule.
MAX_DELTA_LINK_PAGES: Final = 10

#: Ids that no user has, and that would change the path of the URL (RFC 3986 section 5.2.4).
_NO_IDS: Final = frozenset({"", ".", ".."})
_NO_SUCH_USER: Final = BatchItemResponse(
    status_code=HTTPStatus.NOT_FOUND, headers={}, content=b'{"error": {"code": "Request_ResourceNotFound"}}'
)


class GraphClient:
    """Graph as one tenant's application sees it, behind its circuit breaker; may be shared by threads.

    All methods raise `TransientError` (unavailable, throttled, or an unusable response) and what the circuit
    breaker raises (`CircuitOpenError`, `ShutdownError`); all but `birthday` raise `HaltError`
    (`entra_credentials`, `entra_permission`, `graph_query`).
    """

    def __init__(self, graph: GraphService, credentials: Credentials, birthdays: Birthdays) -> None:
        self._graph = graph
        self.credentials = credentials
        self._birthdays = birthdays

    def page(self, link: str | None, select: Sequence[str]) -> GraphPage:
        """Return the first page of all users (no `link`), or the one that a `next_link` leads to.

        Raises `PageTokenExpiredError` when Graph has forgotten the page. A refused next page is a `HaltError`
        that may pass. The caller, which knows the earlier links, has to notice a link that repeats.
        """
        url = link
        if url is None:
            url = f"{self._graph.url}/v1.0/users?$select={selected_names(select)}&$top={PAGE_SIZE}"
        elif not self._is_ours(url):
            raise _foreign_link()
        with self._guard():
            response = self._get(url, is_next_page=link is not None)
            body, users = read_list(response)
            next_link = body.get("@odata.nextLink")
            if next_link is not None and not isinstance(next_link, str):
                raise unreadable(response, Detail(DetailKind.NO_TEXT, field="@odata.nextLink"))
        return GraphPage(users=tuple(users), next_link=_followed(next_link, url))

    def delta_link(self, select: Sequence[str]) -> str | None:
        """Return the link of a delta that begins now; None when Graph gives none within a few pages.

        Raises `PageTokenExpiredError` and `DeltaLinkExpiredError` beside the rest.
        """
        url = f"{self._graph.url}/v1.0/users/delta?$select={selected_names(select)}&$deltatoken=latest"
        for _ in range(MAX_DELTA_LINK_PAGES):
            page = self.delta_page(url, is_delta_link=False)
            if page.next_link is None:
                return page.delta_link
            url = page.next_link
        return None

    def delta_page(self, link: str, *, is_delta_link: bool) -> DeltaPage:
        """Return the page of a delta link (the first page of what has changed), or of a next link.

        Raises `DeltaLinkExpiredError` when Graph no longer knows what changed since, and
        `PageTokenExpiredError` when it has forgotten the page only.
        """
        if not self._is_ours(link):
            if is_delta_link:
                raise DeltaLinkExpiredError(Detail(DetailKind.LINK_OF_OTHER_GRAPH))
            raise _foreign_link()
        with self._guard():
            response = self._send(link, DELTA_HEADERS, READ_TIMEOUT)
            if not succeeded(response):
                raise delta_error(response, is_delta_link=is_delta_link)
            page = read_delta_page(response)
        return replace(
            page, next_link=_followed(page.next_link, link), delta_link=_followed(page.delta_link, link)
        )

    def user(self, user_id: str, select: Sequence[str]) -> dict[str, Any] | None:
        """Return one user as Graph gave it, None when there is no such user."""
        with self._guard():
            return self.parse_user(self.request_user(user_id, selected_names(select), READ_TIMEOUT))

    def users(self, user_ids: Sequence[str], select: Sequence[str]) -> dict[str, dict[str, Any] | None]:
        """Return users as Graph gave them, twenty in a request; None for each that has to be read by id.

        Graph may not have it, or not have given it with the others; that is all of them without batches.
        """
        found: dict[str, dict[str, Any] | None] = dict.fromkeys(user_ids)
        for start in range(0, len(user_ids), MAX_BATCH_SIZE):
            chunk = user_ids[start : start + MAX_BATCH_SIZE]
            try:
                with self._guard():
                    responses = self.request_users(chunk, selected_names(select), READ_TIMEOUT)
            except BatchRefusedError:
                break
            for user_id, response in zip(chunk, responses, strict=True):
                if not isinstance(response, TransientError) and succeeded(response):
                    found[user_id] = json_object(response)
        return found

    def find_users(self, conditions: Sequence[tuple[str, str]], select: Sequence[str]) -> list[Any]:
        """Return the users that meet any condition, each a property and its value; no value is in a URL.

        A Graph that takes no batch, or not this filter, finds none.
        """
        paths = list(search_paths(conditions, selected_names(select)))
        with self._guard(), suppress(BatchRefusedError):
            items = self._request_batch(paths, READ_TIMEOUT) if paths else ()
            return [user for item in items for user in found_users(item)]
        return []

    def expect_birthday(self) -> None:
        """Tell the other threads that this thread's user may need its birthday."""
        self._birthdays.cohort.expect(self.credentials)

    def birthday(self, user_id: str) -> Birthday:
        """Return a user's birthday or why it is unknown; see `Birthdays.birthday`.

        Failures of birthdays alone do not raise, so they do not open Graph's circuit breaker.
        """
        with self._guard():
            return self._birthdays.birthday(self, user_id)

    def request_user(self, user_id: str, selected: str, read_timeout: float) -> Response:
        """Request one user, past the circuit breaker; return the response, for `parse_user`."""
        if user_id in _NO_IDS:
            return _NO_SUCH_USER
        return self._send(f"{self._graph.url}/v1.0{user_path(user_id, selected)}", {}, read_timeout)

    def request_users(
        self, user_ids: Sequence[str], selected: str, read_timeout: float
    ) -> Sequence[Response | TransientError]:
        """Request several users in one batch, past the circuit breaker; one response may be missing.

        Raises `BatchRefusedError` when Graph takes no batches.
        """
        paths = [user_path(user_id, selected) for user_id in user_ids if user_id not in _NO_IDS]
        items = iter(self._request_batch(paths, read_timeout))
        return [_NO_SUCH_USER if user_id in _NO_IDS else next(items) for user_id in user_ids]

    def _request_batch(
        self, paths: Sequence[str], read_timeout: float
    ) -> Sequence[BatchItemResponse | TransientError]:
        body = batch_body(paths)
        response = self._send(self._graph.batch_url, {"Content-Type": "application/json"}, read_timeout, body)
        if refuses_batches(response):
            raise BatchRefusedError(str(response_error(response)))
        if not succeeded(response):
            raise response_error(response)
        return read_batch(response, len(paths))

    def parse_user(self, response: Response) -> dict[str, Any] | None:
        """Return the user that a response holds, None when it says that there is none."""
        if response.status_code == HTTPStatus.NOT_FOUND and error_code(response) is not None:
            return None
        if not succeeded(response):
            raise response_error(response)
        body = json_object(response)
        if body is None:
            raise unreadable(response, Detail(DetailKind.NO_JSON_OBJECT))
        return body

    def count(self) -> int:
        """Return the number of users in the directory, to check a listing; it may lag by minutes."""
        with self._guard():
            response = self._get(f"{self._graph.url}/v1.0/users/$count", {"ConsistencyLevel": "eventual"})
            text = response.content.removeprefix(b"\xef\xbb\xbf").strip()
            if not text.isdigit() or len(text) > len("1000000000"):
                raise unreadable(response, Detail(DetailKind.NO_NUMBER))
            return int(text)

    def fetch_token(self) -> None:
        """Fetch a new token: one at hand has the rights of the time when it was given."""
        self._graph.tokens.forget(self.credentials)
        self._graph.tokens.token(self.credentials)

    def _guard(self) -> AbstractContextManager[None]:
        return self._graph.breakers.guard(graph_of(self.credentials.directory))

    def _get(
        self, url: str, headers: Mapping[str, str] | None = None, *, is_next_page: bool = False
    ) -> requests.Response:
        response = self._send(url, headers or {}, READ_TIMEOUT)
        if not succeeded(response):
            raise response_error(response, is_next_page=is_next_page)
        return response

    def _send(
        self, url: str, headers: Mapping[str, str], read_timeout: float, body: bytes | None = None
    ) -> requests.Response:
        """Send a GET, or a POST of a `body`; a second time with a new token if Graph refuses the first."""
        tokens, credentials = self._graph.tokens, self.credentials
        token, refused = tokens.token(credentials), None
        while True:
            response = self._graph.session.try_request(
                "GET" if body is None else "POST",
                url,
                headers={"Accept": "application/json", **headers, "Authorization": f"Bearer {token}"},
                timeout=(CONNECT_TIMEOUT, read_timeout),
                data=body,
            )
            if isinstance(response, TransportFailure):
                raise transport_error(response)
            if response.status_code != HTTPStatus.UNAUTHORIZED or refused is not None:
                return response
            claims = claims_challenge(response.headers.get("WWW-Authenticate"))
            refused, token = token, tokens.token(credentials, refused=token, claims=claims)

    def _is_ours(self, link: str) -> bool:
        return is_same_origin(self._graph.url, link)


def _followed(link: str | None, base: str) -> str | None:
    followable = None if link is None else followable_link(link, base=base)
    if link is not None and followable is None:
        raise _foreign_link()
    return followable


def _foreign_link() -> HaltError:
    return HaltError(Cause.GRAPH_QUERY, Detail(DetailKind.NEXT_LINK_ELSEWHERE))
