"""Microsoft Graph's users: page by page, one by one, and their birthdays."""

from __future__ import annotations

import random
import time
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote, urlsplit

from clients.birthday import Birthday, read_birthday
from clients.entra import EntraTokens
from clients.faults import Fault
from clients.graph_delta import DELTA_HEADERS, DeltaPage, read_delta_page
from clients.graph_errors import (
    answer_error,
    claims_challenge,
    delta_error,
    error_code,
    fault_error,
    unreadable,
)
from clients.graph_links import leads_to
from clients.http import CONNECT_TIMEOUT, READ_TIMEOUT, HttpSession, json_object, succeeded
from schemas.attributes import BIRTHDAY
from schemas.errors import DeltaLinkExpiredError, HaltError, TransientError, UpdateSyncError
from schemas.outcomes import Cause

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import requests

    from schemas.settings import Settings
    from schemas.tenants import Credentials

#: Graph's limit for `$top` on users.
PAGE_SIZE: Final = 999

#: Pages after which it is clear that Graph gives no link of a delta that begins now: one is the rule.
DELTA_LINK_PAGES: Final = 10

#: Tries for a birthday, and the longest wait between two, in seconds: a user is waiting for it.
BIRTHDAY_TRIES: Final = 3
BIRTHDAY_LONGEST_WAIT: Final = 5.0
BIRTHDAY_READ_TIMEOUT: Final = 15.0

_UNAUTHORIZED: Final = 401
_NOT_FOUND: Final = 404


@dataclass(frozen=True, kw_only=True)
class GraphPage:
    """One page of users, as Graph gave them, and where the next page is; no users do not mean the end."""

    users: tuple[Any, ...]
    next_link: str | None


class Graph:
    """Graph and Entra of one cloud: what all tenants' clients share. May be shared by threads."""

    def __init__(
        self,
        *,
        url: str,
        authority: str,
        ca_bundle: str | None = None,
        wait: Callable[[float], object] = time.sleep,
    ) -> None:
        """Take Graph's address (with or without `/v1.0`) and Entra's; `wait` is for the tests' sake."""
        self.url = url.rstrip("/").removesuffix("/v1.0").rstrip("/")
        self.session = HttpSession(methods={"GET"}, ca_bundle=ca_bundle)
        self.wait = wait
        parts = urlsplit(self.url)
        self.tokens = EntraTokens(
            HttpSession(methods={"GET", "POST"}, ca_bundle=ca_bundle),
            authority=authority,
            scope=f"{parts.scheme}://{parts.netloc}/.default",
        )

    def tenant(self, credentials: Credentials) -> GraphClient:
        """Return the client of one tenant: cheap, nothing is sent yet."""
        return GraphClient(self, credentials)


def graph(settings: Settings) -> Graph:
    """Return Graph as the environment's settings describe it; nothing is sent yet."""
    return Graph(url=settings.graph_url, authority=settings.entra_authority, ca_bundle=settings.ca_bundle)


class GraphClient:
    """Graph as one tenant's application sees it; may be shared by threads.

    All methods but `birthday` raise `TransientError` (away, throttled, or an answer that is none) and
    `HaltError` (`entra_credentials`, `entra_permission`, `graph_query`).
    """

    def __init__(self, graph: Graph, credentials: Credentials) -> None:
        self._graph = graph
        self._credentials = credentials

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
        body = json_object(response)
        if body is None:
            raise unreadable(response, "no JSON object")
        users, next_link = body.get("value"), body.get("@odata.nextLink")
        if not isinstance(users, list):
            raise unreadable(response, "`value` is no list")
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
        for _ in range(DELTA_LINK_PAGES):
            page = self.delta_page(url, kept=False)
            if page.next_link is None:
                return page.delta_link
            url = page.next_link
        return None

    def delta_page(self, link: str, *, kept: bool) -> DeltaPage:
        """Return who has changed since a delta link was given (`kept`), or a next link's page.

        Raises `DeltaLinkExpiredError` when Graph no longer knows what changed since, and
        `PageTokenExpiredError` when it has forgotten the page alone.
        """
        if not self._is_ours(link):
            if kept:
                raise DeltaLinkExpiredError("the kept link leads to another Graph than UPDATE_SYNC_GRAPH_URL")
            raise _leads_elsewhere()
        response = self._ask(link, DELTA_HEADERS, READ_TIMEOUT)
        if not succeeded(response):
            raise delta_error(response, kept=kept)
        page = read_delta_page(response)
        if not all(self._is_ours(led) for led in (page.next_link, page.delta_link) if led is not None):
            raise _leads_elsewhere()
        return page

    def user(self, user_id: str, select: Sequence[str]) -> dict[str, Any] | None:
        """Return one user as Graph gave it, None when there is no such user."""
        return self._user(user_id, _selected(select))

    def birthday(self, user_id: str) -> Birthday:
        """Return a user's birthday or why it is not known.

        It must never fail a user, so a refusal is no error. Raises `TransientError` all the same when
        it is Graph itself that is away, and not its birthdays alone, which come from elsewhere.
        """
        with suppress(TransientError):
            return self._birthday(user_id, tries=BIRTHDAY_TRIES)
        try:
            self.user(user_id, ("id",))
        except HaltError as error:
            return Birthday(problem=error.detail)
        try:
            return self._birthday(user_id, tries=1)
        except TransientError as error:
            return Birthday(problem=error.detail)

    def count(self) -> int:
        """Return how many users the directory has, to check a listing by; it may lag by minutes."""
        response = self._get(f"{self._graph.url}/v1.0/users/$count", {"ConsistencyLevel": "eventual"})
        text = response.content.removeprefix(b"\xef\xbb\xbf").strip()
        if not text.isdigit() or len(text) > len("1000000000"):
            raise unreadable(response, "no number")
        return int(text)

    def _birthday(self, user_id: str, *, tries: int) -> Birthday:
        for tried in range(1, tries + 1):
            try:
                user = self._user(user_id, BIRTHDAY, read_timeout=BIRTHDAY_READ_TIMEOUT)
            except TransientError as error:
                wait = _short_wait(error.retry_after, tried)
                if tried == tries or wait is None:
                    raise
                self._graph.wait(wait)
            except UpdateSyncError as error:
                return Birthday(problem=getattr(error, "detail", str(error)))
            else:
                return Birthday(problem="no such user") if user is None else read_birthday(user)
        raise AssertionError("unreachable: the last try returns or raises")

    def _user(
        self, user_id: str, selected: str, *, read_timeout: float = READ_TIMEOUT
    ) -> dict[str, Any] | None:
        if user_id in {"", ".", ".."}:
            return None  # they would lead the path elsewhere (RFC 3986 section 5.2.4)
        url = f"{self._graph.url}/v1.0/users/{quote(user_id, safe='')}?$select={selected}"
        response = self._ask(url, {}, read_timeout)
        if response.status_code == _NOT_FOUND and error_code(response) is not None:
            return None
        if not succeeded(response):
            raise answer_error(response)
        body = json_object(response)
        if body is None:
            raise unreadable(response, "no JSON object")
        return body

    def _get(self, url: str, headers: Mapping[str, str] | None = None) -> requests.Response:
        response = self._ask(url, headers or {}, READ_TIMEOUT)
        if not succeeded(response):
            raise answer_error(response)
        return response

    def _ask(self, url: str, headers: Mapping[str, str], read_timeout: float) -> requests.Response:
        """Send a GET, once more with a new token if Graph does not take the first."""
        tokens, credentials = self._graph.tokens, self._credentials
        token = tokens.token(credentials)
        answer = self._ask_with(token, url, headers, read_timeout)
        if answer.status_code == _UNAUTHORIZED:
            claims = claims_challenge(answer.headers.get("WWW-Authenticate"))
            token = tokens.token(credentials, refused=token, claims=claims)
            answer = self._ask_with(token, url, headers, read_timeout)
        return answer

    def _ask_with(
        self, token: str, url: str, headers: Mapping[str, str], read_timeout: float
    ) -> requests.Response:
        all_headers = {"Accept": "application/json", **headers, "Authorization": f"Bearer {token}"}
        timeout = (CONNECT_TIMEOUT, read_timeout)
        answer = self._graph.session.ask("GET", url, headers=all_headers, timeout=timeout)
        if isinstance(answer, Fault):
            raise fault_error(answer)
        return answer

    def _is_ours(self, link: str) -> bool:
        return leads_to(self._graph.url, link)


def _leads_elsewhere() -> HaltError:
    return HaltError(Cause.GRAPH_QUERY, "Graph's link to the next page leads somewhere else")


def _selected(select: Sequence[str]) -> str:
    return ",".join(dict.fromkeys(["id", *select]))


def _short_wait(asked: float | None, tried: int) -> float | None:
    """Return the seconds until the next try for a birthday, None when that would be too long."""
    if asked is not None:
        return asked if asked <= BIRTHDAY_LONGEST_WAIT else None
    return random.uniform(0.5, 1.0) * tried  # noqa: S311 - spreads load, keeps no secret
