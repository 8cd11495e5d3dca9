"""Skolon's users: one interface, and behind it SCIM 2.0, which is our assumption about Skolon.

Skolon's own API, should it come to write users, takes `ScimSkolonClient`'s place in this file.
"""

from __future__ import annotations

import re
import threading
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final, Protocol, Self
from urllib.parse import quote

import requests

from clients.http.errors import TRANSPORT_ERRORS, TransportFailure
from clients.http.limits import SKOLON_LIMITS, TOKEN_LIMITS
from clients.http.session import HttpSession, json_object, succeeded
from clients.skolon.auth import ClientCredentialsTokenSource, StaticToken, TokenSource
from clients.skolon.batch_filters import results_per_user, users_matching
from clients.skolon.errors import (
    Operation,
    UnreadableUserError,
    is_missing,
    response_error,
    transport_error,
    unreadable,
)
from clients.skolon.scim import SEARCH_REQUEST_PREFIX, patch, read_user
from clients.skolon.search import SEARCH, ScimSearch, SearchResult, UnreadableUser
from clients.skolon.search_methods import SearchMethod, SearchMethodCache
from schemas.outcomes import Stage
from schemas.users.scim import UnreadableScimError
from schemas.users.skolon_user import ensure_usable, is_version

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from schemas.settings import Settings
    from schemas.users.attributes import Attribute
    from schemas.users.skolon_user import SkolonUser


_SCIM: Final = "application/scim+json"
#: What stands for an organisation in the address.
ORGANISATION: Final = "{organisation}"
_NO_CONTENT: Final = 204


class SkolonClient(Protocol):
    """Skolon's users of all organisations; nothing here creates, replaces or deletes (promise P1)."""

    def search(self, organisation: str, keys: Mapping[Attribute, str]) -> list[SkolonUser]:
        """Return everybody who has any of the values, in one search; without keys nobody."""

    def search_many(self, organisation: str, users: Sequence[Mapping[Attribute, str]]) -> list[SearchResult]:
        """Return for each of several people whoever has any of their values, in as few searches as can be.

        In the place of somebody whose user cannot be read stands the error that says so.
        """

    def search_method(self, organisation: str) -> SearchMethod | None:
        """Return how the organisation is searched, None while it is not known."""

    def read(self, organisation: str, user_id: str) -> SkolonUser | None:
        """Return one user as it is now, None when there is none."""

    def update(
        self, organisation: str, user: SkolonUser, changes: Mapping[Attribute, str | None]
    ) -> str | None:
        """Make the changes (None removes a value) if the user is still as it was read; return its version."""

    def read_only(self) -> SkolonClient:
        """Return the same directory with nothing but reading let through, for dry runs."""


class ScimSkolonClient:
    """Skolon over SCIM (RFC 7644); may be shared by threads.

    All methods raise `TransientError` (away, throttled, or an answer that is none), `HaltError`
    (`skolon_credentials`, `skolon_permission`) and `PermanentError` (`rejected_by_skolon`).
    """

    def __init__(
        self,
        *,
        url: str,
        token: TokenSource,
        ca_bundle: str | None = None,
        methods: frozenset[str] | None = None,
        search_methods: SearchMethodCache | None = None,
    ) -> None:
        """Take the base URL with `{organisation}` in it; `methods` are at most GET and PATCH.

        Searches by POST go out beside these; `search_methods` is what is known of who takes them.
        """
        self._url = url.rstrip("/")
        self._token = token
        self._ca_bundle = ca_bundle
        self._session = HttpSession(
            methods=frozenset({"GET", "PATCH"}) & (methods or frozenset({"GET", "PATCH"})),
            addresses=_addresses(self._url, "/Users(/[^/]+)?"),
            also_allow=_searches_by_post(self._url),
            ca_bundle=ca_bundle,
            limits=SKOLON_LIMITS,
        )
        self._search_methods = search_methods or SearchMethodCache()
        self._search = ScimSearch(self._send, self._check, self._search_methods)
        self._lock = threading.Lock()
        self._updated: set[str] = set()

    def read_only(self) -> Self:
        """Return the same directory over a session that lets GET and searches through and nothing else."""
        return type(self)(
            url=self._url,
            token=self._token,
            ca_bundle=self._ca_bundle,
            methods=frozenset({"GET"}),
            search_methods=self._search_methods,
        )

    def search(self, organisation: str, keys: Mapping[Attribute, str]) -> list[SkolonUser]:
        """Return everybody who has any of the values; raises `UnreadableUserError` if one is unreadable."""
        found: dict[str, SkolonUser] = {}
        for user in self._search.find(organisation, [keys]) if keys else []:
            if isinstance(user, UnreadableUser):
                raise user.error
            found[user.id] = user
        return list(found.values())

    def search_many(self, organisation: str, users: Sequence[Mapping[Attribute, str]]) -> list[SearchResult]:
        """Return for each of several people whoever has any of their values, in one search or a few.

        Raises `UnreadableUserError` when it cannot be told whose user is unreadable.
        """
        if len(users) == 1:
            return [self.search(organisation, users[0])]
        found: list[SkolonUser] = []
        faulty: dict[int, UnreadableUserError] = {}
        for user in self._search.find(organisation, users):
            if not isinstance(user, UnreadableUser):
                found.append(user)
            elif whose := users_matching(user.resource, users):
                faulty |= dict.fromkeys(whose, user.error)
            else:
                raise user.error
        return [faulty.get(place, users) for place, users in enumerate(results_per_user(found, users))]

    def search_method(self, organisation: str) -> SearchMethod | None:
        """Return how the organisation is searched, None while it is not known."""
        return self._search_methods.get(organisation)

    def read(self, organisation: str, user_id: str) -> SkolonUser | None:
        """Return one user as it is now, None when there is none."""
        response = self._send("GET", organisation, f"/{quote(user_id, safe='')}", stage=Stage.MATCH)
        if is_missing(response):
            return None
        self._check(response, organisation, Operation.READ)
        return _user(response, user_id, Operation.READ)

    def update(
        self, organisation: str, user: SkolonUser, changes: Mapping[Attribute, str | None]
    ) -> str | None:
        """Make the changes and return the user's new version, if Skolon tells it.

        Raises `VersionConflictError` when the user is no longer as it was read, and
        `UserNotFoundError` when it is no longer there.
        """
        body = patch(ensure_usable(user), changes)
        if not body["Operations"]:
            return user.version
        headers = {"Content-Type": _SCIM}
        if user.version is not None:
            headers["If-Match"] = user.version
        response = self._send(
            "PATCH",
            organisation,
            f"/{quote(user.id, safe='')}",
            stage=Stage.UPDATE,
            json=body,
            headers=headers,
        )
        self._check(response, organisation, Operation.UPDATE)
        if response.status_code == _NO_CONTENT:
            version = response.headers.get("ETag")
        else:
            version = _user(response, user.id, Operation.UPDATE).version
        with self._lock:
            self._updated.add(organisation)
        # The change is made, and the next reading tells the version.
        return version if version is not None and is_version(version) else None

    def _check(self, response: requests.Response, organisation: str, operation: Operation) -> None:
        if not succeeded(response):
            with self._lock:
                worked = organisation in self._updated
            raise response_error(response, operation, update_has_worked=worked)

    def _send(
        self,
        method: str,
        organisation: str,
        rest: str = "",
        *,
        stage: Stage | None,
        headers: Mapping[str, str] | None = None,
        **kwargs: Any,
    ) -> requests.Response:
        """Send a request, once more with a new token if Skolon does not take the first and there is one.

        `stage` is where on a user's way, if it is for one user.
        """
        url = self._url.replace(ORGANISATION, quote(organisation, safe="")) + "/Users" + rest
        token = self._token.token()
        response = self._send_once(token, method, url, headers, stage, **kwargs)
        if response.status_code == 401:  # noqa: PLR2004 - a status
            fresh = self._token.token(refused=token)
            if fresh != token:
                response = self._send_once(fresh, method, url, headers, stage, **kwargs)
        return response

    def _send_once(
        self,
        token: str,
        method: str,
        url: str,
        headers: Mapping[str, str] | None,
        stage: Stage | None,
        **kwargs: Any,
    ) -> requests.Response:
        all_headers = {"Accept": _SCIM, **(headers or {}), "Authorization": f"Bearer {token}"}
        response = self._session.try_request(method, url, headers=all_headers, **kwargs)
        if isinstance(response, TransportFailure):
            raise transport_error(response, stage)
        return response


def create_skolon_client(settings: Settings) -> ScimSkolonClient:
    """Return Skolon as the environment's settings describe it; nothing is sent yet."""
    token: TokenSource
    if settings.skolon_token:
        token = StaticToken(settings.skolon_token)
    else:
        token = ClientCredentialsTokenSource(
            HttpSession(
                methods={"POST"},
                origin=settings.skolon_token_url,
                ca_bundle=settings.ca_bundle,
                limits=TOKEN_LIMITS,
            ),
            url=settings.skolon_token_url,
            client_id=settings.skolon_client_id,
            client_secret=settings.skolon_client_secret,
        )
    return ScimSkolonClient(url=settings.skolon_scim_url, token=token, ca_bundle=settings.ca_bundle)


def _addresses(url: str, rest: str) -> re.Pattern[str]:
    """Return the addresses of any organisation that end with `rest`, a pattern (promise P1)."""
    stand_in = "organisation-stand-in"
    address = url.replace(ORGANISATION, stand_in)
    with suppress(*TRANSPORT_ERRORS):  # an address that cannot be asked is reported when it is asked
        # As requests spells it: what leaves is compared with what would leave.
        address = str(requests.Request("GET", address).prepare().url)
    pattern = "[^/]+".join(re.escape(part) for part in address.split(stand_in))
    return re.compile(pattern + rest)


def _searches_by_post(url: str) -> Callable[[requests.PreparedRequest], bool]:
    """Return what tells a gate whether a request is a search by POST, which changes nothing (promise P1)."""
    addresses = _addresses(url, f"/Users{re.escape(SEARCH)}")

    def is_one(request: requests.PreparedRequest) -> bool:
        return (
            request.method == "POST"
            and addresses.fullmatch(request.url or "") is not None
            and isinstance(request.body, bytes)
            and request.body.startswith(SEARCH_REQUEST_PREFIX)
        )

    return is_one


def _user(response: requests.Response, user_id: str, operation: Operation) -> SkolonUser:
    body = json_object(response)
    if body is None:
        raise unreadable(response, "no JSON object", operation)
    try:
        user = read_user(body, version=response.headers.get("ETag"))
    except UnreadableScimError as error:
        why = str(error)
    else:
        if user.id == user_id:
            return user
        why = "another user came"
    raise unreadable(response, why, operation)
