"""Searches among Skolon's users: by POST, so that no value stands in a URL (promise P6), else by GET."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple, Protocol, TypeAlias

from clients.http.session import json_object, succeeded
from clients.skolon.batch_filters import (
    MAX_BODY_FILTER_LENGTH,
    MAX_URL_FILTER_LENGTH,
    batch_filters,
    url_encoded,
    url_encoded_length,
)
from clients.skolon.errors import Operation, UnreadableUserError, unreadable
from clients.skolon.scim import read_user, search_filter, search_request
from clients.skolon.search_methods import SearchMethod, SearchMethodCache
from schemas.errors import Dependency, PermanentError, UpdateSyncError
from schemas.outcomes import Reason, Stage
from schemas.users.attributes import Attribute
from schemas.users.scim import UnreadableScimError, load_list_response
from schemas.users.skolon_user import SkolonUser

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import requests

#: Whoever was found for somebody, or that a user of theirs cannot be read.
SearchResult: TypeAlias = list[SkolonUser] | UnreadableUserError

#: More people than this do not share anybody's keys: then the search did not search.
MAX_SEARCH_RESULTS: Final = 200

#: The path of a search by POST, below an organisation's users.
SEARCH: Final = "/.search"

_SCIM: Final = {"Content-Type": "application/scim+json"}

#: Looked for where it has to be found out whether a search is taken at all. It is nobody's.
_PROBE_FILTER: Final = search_filter({Attribute.EXTERNAL_ID: "update-sync-probe-that-finds-nobody"})

_NOT_ALLOWED: Final = 405
#: Statuses with which servers, and what stands before them, answer to a path or method that they do not
#: know. 401, 403, 408, 429 and the other 5xx say nothing about that.
_MAYBE_UNSUPPORTED: Final = frozenset(
    {*range(300, 400), 400, 404, _NOT_ALLOWED, 406, 410, 411, 413, 414, 415, 422, 501}
)


class SendRequest(Protocol):
    """Sends a request to an organisation's users, and returns the answer whatever its status."""

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
        """Take what comes after `/Users` in the address; `stage` of a request for one single user."""


class CheckResponse(Protocol):
    """Raises the error of an answer that is no success."""

    def __call__(self, response: requests.Response, organisation: str, operation: Operation) -> None:
        """Raise, or return nothing."""


class UnreadableUser(NamedTuple):
    """A user as it was found, and what is wrong with it, in words without values."""

    resource: object
    why: str

    @property
    def error(self) -> UnreadableUserError:
        """What whoever asked for that user is told."""
        return UnreadableUserError(
            Dependency.SKOLON,
            f"HTTP 200, but the user found is unreadable: {self.why}",
            status=200,
            stage=Stage.MATCH,
        )


class _NotTakenError(Exception):
    """A search by POST was answered in a way that may mean: not supported."""

    def __init__(self, error: UpdateSyncError) -> None:
        super().__init__()
        self.error = error


class ScimSearch:
    """Finds users; finds out for each organisation whether its server takes POST.

    An answer may mean that POST is not supported, or an unknown organisation, or a server that is being
    restarted, or a filter that it does not like. So a search that holds nobody's values decides: POST is
    given up only if it is refused once more while GET works, and only for a while (`TTL`).
    """

    def __init__(self, send: SendRequest, check: CheckResponse, methods: SearchMethodCache) -> None:
        self._send = send
        self._check = check
        self._methods = methods

    def find(
        self, organisation: str, people: Sequence[Mapping[Attribute, str]]
    ) -> list[SkolonUser | UnreadableUser]:
        """Return everybody who has any of the values of any of the people; some may come twice."""
        # What is answered about several people, or not answered, may be any one's doing.
        stage = Stage.MATCH if len(people) == 1 else None
        if self._methods.get(organisation) is not SearchMethod.GET:
            try:
                return self._by_post(organisation, people, stage)
            except _NotTakenError as refused:
                error = refused.error
            if self._takes_post(organisation):
                raise error
        return [
            user
            for scim_filter in batch_filters(people, MAX_URL_FILTER_LENGTH, url_encoded_length)
            for user in self._by_get(organisation, scim_filter, stage)
        ]

    def _by_post(
        self, organisation: str, people: Sequence[Mapping[Attribute, str]], stage: Stage | None
    ) -> list[SkolonUser | UnreadableUser]:
        found: list[SkolonUser | UnreadableUser] = []
        for scim_filter in batch_filters(people, MAX_BODY_FILTER_LENGTH, len):
            seen, total = 0, 1
            while seen < total:
                response = self._post(organisation, scim_filter, seen, stage)
                self._check_post(response, organisation)
                total, users = _page(response, seen)
                self._methods.record(organisation, SearchMethod.POST)
                seen += len(users)
                found += users
        return found

    def _by_get(
        self, organisation: str, scim_filter: str, stage: Stage | None
    ) -> list[SkolonUser | UnreadableUser]:
        found: list[SkolonUser | UnreadableUser] = []
        seen, total = 0, 1
        while seen < total:
            response = self._get(organisation, scim_filter, seen, stage)
            self._check(response, organisation, Operation.SEARCH)
            total, users = _page(response, seen)
            seen += len(users)
            found += users
        return found

    def _check_post(self, response: requests.Response, organisation: str) -> None:
        """Raise what the answer calls for: `_NotTakenError` while POST has not worked, else the usual.

        A server that has taken searches by POST is not asked by GET because of one odd answer. 405 is
        not odd: it says that the method is not there (RFC 9110 section 15.5.6).
        """
        if response.status_code == _NOT_ALLOWED:
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
        """Find out whether POST is taken; raise what holds up GET as well."""
        with self._methods.probe_lock(organisation):
            if (known := self._methods.get(organisation)) is not None:
                return known is SearchMethod.POST
            response = self._post(organisation, _PROBE_FILTER, 0)
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

    def _post(
        self, organisation: str, scim_filter: str, seen: int, stage: Stage | None = None
    ) -> requests.Response:
        body = search_request(scim_filter, start_index=seen + 1)
        return self._send("POST", organisation, SEARCH, stage=stage, headers=_SCIM, data=body)

    def _get(
        self, organisation: str, scim_filter: str, seen: int, stage: Stage | None = None
    ) -> requests.Response:
        query = f"filter={url_encoded(scim_filter)}"
        page = f"{query}&startIndex={seen + 1}" if seen else query
        return self._send("GET", organisation, "", stage=stage, query=page)


def _may_be_unsupported(response: requests.Response) -> bool:
    if not succeeded(response):
        return response.status_code in _MAYBE_UNSUPPORTED
    try:
        total, _ = load_list_response(json_object(response) or {})
    except UnreadableScimError:
        return True
    return total > MAX_SEARCH_RESULTS


def _page(response: requests.Response, seen: int) -> tuple[int, list[SkolonUser | UnreadableUser]]:
    """Return how many there are in all and those of this page; `seen` came before it."""
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
