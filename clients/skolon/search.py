"""Searches Skolon's users by POST, so that no value stands in a URL (promise P6), or else by GET."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Final, NamedTuple, Protocol, TypeAlias

from clients.http.session import json_object, succeeded
from clients.skolon.batch_filters import (
    MAX_BODY_FILTER_LENGTH,
    MAX_URL_FILTER_LENGTH,
    batch_filters,
    results_per_user,
    url_encoded,
    url_encoded_length,
    users_matching,
)
from clients.skolon.errors import Operation, UnreadableUserError, unreadable
from clients.skolon.scim import read_user, search_filter, search_request
from clients.skolon.search_methods import SearchMethod, SearchMethodCache
from schemas.dead_letter_reasons import Reason
from schemas.errors import Dependency, PermanentError, UpdateSyncError
from schemas.outcomes import Stage
from schemas.users.attributes import Attribute
from schemas.users.scim import UnreadableScimError, load_list_response
from schemas.users.skolon_user import SkolonUser

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import requests

#: The Skolon users that match one user, or the error that one of them is unreadable.
SearchResult: TypeAlias = list[SkolonUser] | UnreadableUserError

#: More users cannot share the keys of one user: then the server has ignored the filter.
MAX_SEARCH_RESULTS: Final = 200

#: The path of a search by POST, below an organisation's users.
SEARCH: Final = "/.search"

_SCIM: Final = {"Content-Type": "application/scim+json"}

#: Finds no user; tells whether the server takes a search at all.
_PROBE_FILTER: Final = search_filter({Attribute.EXTERNAL_ID: "update-sync-probe-that-finds-no-user"})

#: Statuses of servers and proxies for an unknown path or method. 401, 403, 408, 429 and the other 5xx say
#: nothing about that.
_MAYBE_UNSUPPORTED: Final = frozenset(
    {*range(300, 400), 400, 404, 405, 406, 410, 411, 413, 414, 415, 422, 501}
)


class SendRequest(Protocol):
    """Sends a request for an organisation's users; returns the response whatever its status."""

    def __call__(  # noqa: PLR0913 - what a request is made of
        self,
        method: str,
        organisation: str,
        rest: str,
        *,
        stage: Stage | None,
        headers: Mapping[str, str] | None = None,
        query: str | None = None,
        data: bytes | None = None,
    ) -> requests.Response:
        """Take what follows `/Users` in the URL, and the `stage` of a request for a single user."""


class CheckResponse(Protocol):
    """Raises the error of an unsuccessful response."""

    def __call__(self, response: requests.Response, organisation: str, operation: Operation) -> None:
        """Raise, or return nothing."""


class UnreadableUser(NamedTuple):
    """A user as it was found, and why it is invalid, without values."""

    resource: object
    why: str

    @property
    def error(self) -> UnreadableUserError:
        """The error for the user that the search was for."""
        return UnreadableUserError(
            Dependency.SKOLON,
            f"HTTP 200, but the user found is unreadable: {self.why}",
            status=200,
            stage=Stage.MATCH,
        )


class _NotTakenError(Exception):
    """The response to a search by POST may mean that POST is not supported."""

    def __init__(self, error: UpdateSyncError) -> None:
        super().__init__()
        self.error = error


class ScimSearch:
    """Searches users; finds out for each organisation whether its server takes POST.

    A refusal may mean that POST is not supported, that the organisation is unknown, that the server restarts,
    or that it rejects the filter. So a search without personal values decides: POST is given up only if it is
    refused again while GET works, and only for a while (`TTL`).
    """

    def __init__(self, send: SendRequest, check: CheckResponse, methods: SearchMethodCache) -> None:
        self._send = send
        self._check = check
        self._methods = methods

    def find(
        self, organisation: str, users: Sequence[Mapping[Attribute, str]]
    ) -> list[SkolonUser | UnreadableUser]:
        """Return the Skolon users that have a value of any of `users`; some may come twice."""
        # A response to several users, or its absence, may be due to any one of them.
        stage = Stage.MATCH if len(users) == 1 else None
        if self._methods.get(organisation) is not SearchMethod.GET:
            try:
                return self._by_post(organisation, users, stage)
            except _NotTakenError as refused:
                error = refused.error
            if self._takes_post(organisation):
                raise error
        return [
            user
            for scim_filter in batch_filters(users, MAX_URL_FILTER_LENGTH, url_encoded_length)
            for user in self._by_get(organisation, scim_filter, stage)
        ]

    def _by_post(
        self, organisation: str, users: Sequence[Mapping[Attribute, str]], stage: Stage | None
    ) -> list[SkolonUser | UnreadableUser]:
        found: list[SkolonUser | UnreadableUser] = []
        for scim_filter in batch_filters(users, MAX_BODY_FILTER_LENGTH, len):
            seen, total = 0, 1
            while seen < total:
                body = search_request(scim_filter, start_index=seen + 1)
                response = self._send("POST", organisation, SEARCH, stage=stage, headers=_SCIM, data=body)
                self._check_post(response, organisation)
                total, page = _page(response, seen)
                self._methods.record(organisation, SearchMethod.POST)
                seen += len(page)
                found += page
        return found

    def _by_get(
        self, organisation: str, scim_filter: str, stage: Stage | None
    ) -> list[SkolonUser | UnreadableUser]:
        found: list[SkolonUser | UnreadableUser] = []
        seen, total = 0, 1
        while seen < total:
            response = self._get(organisation, scim_filter, seen, stage)
            self._check(response, organisation, Operation.SEARCH)
            total, page = _page(response, seen)
            seen += len(page)
            found += page
        return found

    def _check_post(self, response: requests.Response, organisation: str) -> None:
        """Raise the error of the response: `_NotTakenError` as long as POST has never worked.

        One odd response does not move a server from POST to GET. 405 does: it says that the method does not
        exist (RFC 9110 section 15.5.6).
        """
        if response.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
            self._methods.forget(organisation)
        if self._methods.get(organisation) is None and _may_be_unsupported(response):
            raise _NotTakenError(self._error(response, organisation))
        self._check(response, organisation, Operation.SEARCH)

    def _error(self, response: requests.Response, organisation: str) -> UpdateSyncError:
        try:
            self._check(response, organisation, Operation.SEARCH)
            _page(response, 0)
        except UpdateSyncError as error:
            return error
        return unreadable(response, "no list of users", Operation.SEARCH)

    def _takes_post(self, organisation: str) -> bool:
        """Find out whether the server takes POST; raise an error that concerns GET as well."""
        with self._methods.probe_lock(organisation):
            if (known := self._methods.get(organisation)) is not None:
                return known is SearchMethod.POST
            body = search_request(_PROBE_FILTER, start_index=1)
            response = self._send("POST", organisation, SEARCH, stage=None, headers=_SCIM, data=body)
            if not _may_be_unsupported(response):
                self._check(response, organisation, Operation.SEARCH)
                if _page(response, 0)[0] == 0:
                    self._methods.record(organisation, SearchMethod.POST)
                    return True
            response = self._get(organisation, _PROBE_FILTER, 0)
            self._check(response, organisation, Operation.SEARCH)
            _page(response, 0)
            self._methods.record(organisation, SearchMethod.GET)
            return False

    def _get(
        self, organisation: str, scim_filter: str, seen: int, stage: Stage | None = None
    ) -> requests.Response:
        query = f"filter={url_encoded(scim_filter)}"
        page = f"{query}&startIndex={seen + 1}" if seen else query
        return self._send("GET", organisation, "", stage=stage, query=page)


def result_of_one(found: Sequence[SkolonUser | UnreadableUser]) -> list[SkolonUser]:
    """Return what a search for one user has found, each once; raises its error if one is unreadable."""
    users: dict[str, SkolonUser] = {}
    for user in found:
        if isinstance(user, UnreadableUser):
            raise user.error
        users[user.id] = user
    return list(users.values())


def results_of_each(
    found: Sequence[SkolonUser | UnreadableUser], users: Sequence[Mapping[Attribute, str]]
) -> list[SearchResult]:
    """Return what a search has found for each of `users`; raises the error of one that is none of theirs."""
    readable: list[SkolonUser] = []
    unreadable_users: dict[int, UnreadableUserError] = {}
    for user in found:
        if not isinstance(user, UnreadableUser):
            readable.append(user)
        elif matching := users_matching(user.resource, users):
            unreadable_users |= dict.fromkeys(matching, user.error)
        else:
            raise user.error
    results = results_per_user(readable, users)
    return [unreadable_users.get(place, result) for place, result in enumerate(results)]


def _may_be_unsupported(response: requests.Response) -> bool:
    if not succeeded(response):
        return response.status_code in _MAYBE_UNSUPPORTED
    try:
        total, _ = load_list_response(json_object(response) or {})
    except UnreadableScimError:
        return True
    return total > MAX_SEARCH_RESULTS


def _page(response: requests.Response, seen: int) -> tuple[int, list[SkolonUser | UnreadableUser]]:
    """Return the total and the users of this page; `seen` is the number of users before it."""
    body = json_object(response)
    if body is None:
        raise unreadable(response, "no JSON object", Operation.SEARCH)
    try:
        total, resources = load_list_response(body)
        if total > MAX_SEARCH_RESULTS:
            raise PermanentError(
                Reason.REJECTED_BY_SKOLON,
                Stage.MATCH,
                f"the search found more than {MAX_SEARCH_RESULTS} users",
            )
    except UnreadableScimError as error:
        why = str(error)
    else:
        if resources or seen >= total:
            return total, [_read(resource) for resource in resources]
        why = f"{seen} of {total} users are there"
    raise unreadable(response, why, Operation.SEARCH)


def _read(resource: object) -> SkolonUser | UnreadableUser:
    try:
        return read_user(resource)
    except UnreadableScimError as error:
        return UnreadableUser(resource, str(error))
