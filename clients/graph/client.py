"""Microsoft Graph's users: page by page, one by one, and their birthdays."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote, urlsplit

from clients.entra.tokens import EntraTokens
from clients.graph.batch import (
    BatchItemResponse,
    BatchRefusedError,
    batch_body,
    read_batch,
    read_only_batches,
    refuses_batches,
)
from clients.graph.birthdays import Birthdays
from clients.graph.delta import DELTA_HEADERS, DeltaPage, read_delta_page
from clients.graph.errors import (
    claims_challenge,
    delta_error,
    error_code,
    response_error,
    transport_error,
    unreadable,
)
from clients.graph.pages import read_list
from clients.http.errors import TransportFailure
from clients.http.limits import GRAPH_LIMITS, TOKEN_LIMITS
from clients.http.origins import is_same_origin
from clients.http.session import CONNECT_TIMEOUT, READ_TIMEOUT, HttpSession, json_object, succeeded
from schemas.errors import DeltaLinkExpiredError, HaltError, TransientError
from schemas.outcomes import Cause

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import requests

    from clients.graph.birthday import Birthday
    from clients.http.session import Response
    from schemas.settings import Settings
    from schemas.tenants.tenant import Credentials

#: Graph's limit for `$top` on users.
PAGE_SIZE: Final = 999

#: Pages after which it is clear that Graph gives no link of a delta that begins now: one is the rule.
MAX_DELTA_LINK_PAGES: Final = 10

_UNAUTHORIZED: Final = 401
_NOT_FOUND: Final = 404

#: Ids that nobody has, and that would lead an address elsewhere (RFC 3986 section 5.2.4).
_NOBODY: Final = frozenset({"", ".", ".."})
_NO_SUCH_USER: Final = BatchItemResponse(
    status_code=_NOT_FOUND, headers={}, content=b'{"error": {"code": "Request_ResourceNotFound"}}'
)


@dataclass(frozen=True, kw_only=True)
class GraphPage:
    """One page of users, as Graph gave them, and where the next page is; no users do not mean the end."""

    users: tuple[Any, ...]
    next_link: str | None


class GraphService:
    """Graph and Entra of one cloud: what all tenants' clients share. May be shared by threads."""

    def __init__(
        self,
        *,
        url: str,
        authority: str,
        ca_bundle: str | None = None,
        wait: Callable[[float], object] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Take Graph's address (with or without `/v1.0`) and Entra's; `wait` and `clock` are for tests."""
        self.url = url.rstrip("/").removesuffix("/v1.0").rstrip("/")
        self.batch_url = f"{self.url}/v1.0/$batch"
        self.session = HttpSession(
            methods={"GET"},
            also_allow=read_only_batches(self.batch_url),
            origin=self.url,
            ca_bundle=ca_bundle,
            limits=GRAPH_LIMITS,
        )
        self.birthdays = Birthdays(wait=wait, clock=clock)
        parts = urlsplit(self.url)
        self.tokens = EntraTokens(
            HttpSession(methods={"GET", "POST"}, origin=authority, ca_bundle=ca_bundle, limits=TOKEN_LIMITS),
            authority=authority,
            scope=f"{parts.scheme}://{parts.netloc}/.default",
        )

    def client(self, credentials: Credentials) -> GraphClient:
        """Return the client of one tenant: cheap, nothing is sent yet."""
        return GraphClient(self, credentials)


def create_graph(settings: Settings) -> GraphService:
    """Return Graph as the environment's settings describe it; nothing is sent yet."""
    return GraphService(
        url=settings.graph_url, authority=settings.entra_authority, ca_bundle=settings.ca_bundle
    )


class GraphClient:
    """Graph as one tenant's application sees it; may be shared by threads.

    All methods but `birthday` raise `TransientError` (away, throttled, or an answer that is none) and
    `HaltError` (`entra_credentials`, `entra_permission`, `graph_query`).
    """

    def __init__(self, graph: GraphService, credentials: Credentials) -> None:
        self._graph = graph
        self.credentials = credentials

    def page(self, link: str | None, select: Sequence[str]) -> GraphPage:
        """Return the first page of all users (no `link`), or the one that a `next_link` leads to.

        Raises `PageTokenExpiredError` when Graph has forgotten the page. A link that repeats is for the
        caller to notice, who knows the earlier ones.
        """
        url = link
        if url is None:
            url = f"{self._graph.url}/v1.0/users?$select={_selected(select)}&$top={PAGE_SIZE}"
        elif not self._is_ours(url):
            raise _leads_elsewhere()
        response = self._get(url)
        body, users = read_list(response)
        next_link = body.get("@odata.nextLink")
        if next_link is not None and not isinstance(next_link, str):
            raise unreadable(response, "`@odata.nextLink` is no text")
        if next_link is not None and not self._is_ours(next_link):
            raise _leads_elsewhere()
        return GraphPage(users=tuple(users), next_link=next_link)

    def delta_link(self, select: Sequence[str]) -> str | None:
        """Return the link of a delta that begins now; None when Graph does not come to give one.

        Raises `PageTokenExpiredError` and `DeltaLinkExpiredError` beside the rest.
        """
        url = f"{self._graph.url}/v1.0/users/delta?$select={_selected(select)}&$deltatoken=latest"
        for _ in range(MAX_DELTA_LINK_PAGES):
            page = self.delta_page(url, is_delta_link=False)
            if page.next_link is None:
                return page.delta_link
            url = page.next_link
        return None

    def delta_page(self, link: str, *, is_delta_link: bool) -> DeltaPage:
        """Return who has changed since a delta link was given (`is_delta_link`), or a next link's page.

        Raises `DeltaLinkExpiredError` when Graph no longer knows what changed since, and
        `PageTokenExpiredError` when it has forgotten the page alone.
        """
        if not self._is_ours(link):
            if is_delta_link:
                raise DeltaLinkExpiredError("the kept link leads to another Graph than UPDATE_SYNC_GRAPH_URL")
            raise _leads_elsewhere()
        response = self._send(link, DELTA_HEADERS, READ_TIMEOUT)
        if not succeeded(response):
            raise delta_error(response, is_delta_link=is_delta_link)
        page = read_delta_page(response)
        if not all(self._is_ours(led) for led in (page.next_link, page.delta_link) if led is not None):
            raise _leads_elsewhere()
        return page

    def user(self, user_id: str, select: Sequence[str]) -> dict[str, Any] | None:
        """Return one user as Graph gave it, None when there is no such user."""
        return self.parse_user(self.request_user(user_id, _selected(select), READ_TIMEOUT))

    def expect_birthday(self) -> None:
        """Say that this thread, which has somebody in hand, is going to ask for a birthday."""
        self._graph.birthdays.company.bound_for(self.credentials)

    def birthday(self, user_id: str) -> Birthday:
        """Return a user's birthday or why it is not known; see `Birthdays.birthday`."""
        return self._graph.birthdays.birthday(self, user_id)

    def request_user(self, user_id: str, selected: str, read_timeout: float) -> Response:
        """Return Graph's answer to a question for one user, to be read by `parse_user`."""
        if user_id in _NOBODY:
            return _NO_SUCH_USER
        return self._send(f"{self._graph.url}/v1.0{_reading(user_id, selected)}", {}, read_timeout)

    def request_users(
        self, user_ids: Sequence[str], selected: str, read_timeout: float
    ) -> Sequence[Response | TransientError]:
        """Return Graph's answers for several users, asked in one request; one may be missing.

        Raises `BatchRefusedError` when they have to be asked for one by one.
        """
        asked = [user_id for user_id in user_ids if user_id not in _NOBODY]
        body = batch_body([_reading(user_id, selected) for user_id in asked])
        whole = self._send(self._graph.batch_url, {"Content-Type": "application/json"}, read_timeout, body)
        if refuses_batches(whole):
            raise BatchRefusedError(str(response_error(whole)))
        if not succeeded(whole):
            raise response_error(whole)
        found = iter(read_batch(whole, len(asked)))
        return [_NO_SUCH_USER if user_id in _NOBODY else next(found) for user_id in user_ids]

    def parse_user(self, response: Response) -> dict[str, Any] | None:
        """Return the user that an answer holds, None when it says that there is none."""
        if response.status_code == _NOT_FOUND and error_code(response) is not None:
            return None
        if not succeeded(response):
            raise response_error(response)
        body = json_object(response)
        if body is None:
            raise unreadable(response, "no JSON object")
        return body

    def count(self) -> int:
        """Return how many users the directory has, to check a listing by; it may lag by minutes."""
        response = self._get(f"{self._graph.url}/v1.0/users/$count", {"ConsistencyLevel": "eventual"})
        text = response.content.removeprefix(b"\xef\xbb\xbf").strip()
        if not text.isdigit() or len(text) > len("1000000000"):
            raise unreadable(response, "no number")
        return int(text)

    def _get(self, url: str, headers: Mapping[str, str] | None = None) -> requests.Response:
        response = self._send(url, headers or {}, READ_TIMEOUT)
        if not succeeded(response):
            raise response_error(response)
        return response

    def _send(
        self, url: str, headers: Mapping[str, str], read_timeout: float, body: bytes | None = None
    ) -> requests.Response:
        """Send a GET, or a POST of a `body`; once more with a new token if Graph does not take the first."""
        tokens, credentials = self._graph.tokens, self.credentials
        token = tokens.token(credentials)
        response = self._send_once(token, url, headers, read_timeout, body)
        if response.status_code == _UNAUTHORIZED:
            claims = claims_challenge(response.headers.get("WWW-Authenticate"))
            token = tokens.token(credentials, refused=token, claims=claims)
            response = self._send_once(token, url, headers, read_timeout, body)
        return response

    def _send_once(
        self, token: str, url: str, headers: Mapping[str, str], read_timeout: float, body: bytes | None
    ) -> requests.Response:
        all_headers = {"Accept": "application/json", **headers, "Authorization": f"Bearer {token}"}
        response = self._graph.session.try_request(
            "GET" if body is None else "POST",
            url,
            headers=all_headers,
            timeout=(CONNECT_TIMEOUT, read_timeout),
            data=body,
        )
        if isinstance(response, TransportFailure):
            raise transport_error(response)
        return response

    def _is_ours(self, link: str) -> bool:
        return is_same_origin(self._graph.url, link)


def _leads_elsewhere() -> HaltError:
    return HaltError(Cause.GRAPH_QUERY, "Graph's link to the next page leads somewhere else")


def _selected(select: Sequence[str]) -> str:
    return ",".join(dict.fromkeys(["id", *select]))


def _reading(user_id: str, selected: str) -> str:
    """Return the address of one user, below `/v1.0`."""
    return f"/users/{quote(user_id, safe='')}?$select={selected}"
