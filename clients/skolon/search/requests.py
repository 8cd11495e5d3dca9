"""Sends one search and reads its answer: a page of users, or why the server gave none."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final, NamedTuple, Protocol, TypeAlias
from urllib.parse import quote

from clients.http.session import json_object, succeeded
from clients.skolon.errors import Operation, UnreadableUserError, is_missing, unreadable
from clients.skolon.scim import page_parameters, read_user, search_request
from clients.skolon.search.filters import url_encoded
from clients.skolon.search.pages import PageRequest, SearchPage, read_pages
from clients.skolon.server.capabilities import SearchMethod
from schemas.details.detail import Detail
from schemas.details.kinds import DetailKind
from schemas.errors import Dependency, UpdateSyncError
from schemas.outcomes import Stage
from schemas.users.scim import UnreadableScimError, load_list_response
from schemas.users.skolon_user import SkolonUser

if TYPE_CHECKING:
    import requests

    from clients.skolon.profiles import Profile
    from clients.skolon.server.capability_cache import CapabilityCache

#: The path of a search by POST, below an organisation's users.
SEARCH: Final = "/.search"

_SCIM: Final = {"Content-Type": "application/scim+json"}

#: Bytes of an answer without users at most.
_SHORT: Final = 500


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
        why = Detail(DetailKind.UNREADABLE_USER, faults=self.why)
        return UnreadableUserError(
            Dependency.SKOLON,
            Detail(DetailKind.HTTP_STATUS_BUT, status=200, why=why),
            status=200,
            stage=Stage.MATCH,
        )


FoundUser: TypeAlias = SkolonUser | UnreadableUser


def id_of(found: FoundUser) -> str | None:
    """Return the id of a user that was found, readable or not; None if it has none that is a text.

    Whether a search finds a user does not depend on whether the user is valid.
    """
    if isinstance(found, SkolonUser):
        return found.id
    user_id = found.resource.get("id") if isinstance(found.resource, Mapping) else None
    return user_id if isinstance(user_id, str) else None


class RefusedSearchError(Exception):
    """A search was refused, or its answer is no list of users; `error` is the error of ours for it.

    `maybe_empty` says that some servers answer like this where nothing is found.
    """

    def __init__(self, error: UpdateSyncError, status: int, *, maybe_empty: bool) -> None:
        super().__init__()
        self.error = error
        self.status = status
        self.maybe_empty = maybe_empty


class SearchRequests:
    """Sends searches to the servers of all organisations; may be shared by threads."""

    def __init__(
        self, send: SendRequest, check: CheckResponse, capabilities: CapabilityCache, profile: Profile
    ) -> None:
        self.profile = profile
        self._send = send
        self._check = check
        self._capabilities = capabilities

    def search_profile(self, organisation: str) -> Profile:
        """Return the profile with the paths that the organisation's server takes in a filter."""
        is_dotted = self._capabilities.get(organisation).dotted_extensions
        return self.profile.dotted if is_dotted else self.profile

    def read_all(
        self, method: SearchMethod, organisation: str, scim_filter: str, stage: Stage | None = None
    ) -> list[FoundUser]:
        """Return all users that a filter finds; raises as `read_page` and `read_pages` do."""

        def read(page: PageRequest) -> SearchPage:
            return self.read_page(method, organisation, scim_filter, page, stage)

        return [self.read_user(resource) for resource in read_pages(read)]

    def read_user(self, resource: object) -> FoundUser:
        """Return a resource of an answer as a user."""
        try:
            return read_user(resource, self.profile)
        except UnreadableScimError as error:
            return UnreadableUser(resource, str(error))

    def read_page(
        self,
        method: SearchMethod,
        organisation: str,
        scim_filter: str,
        page: PageRequest,
        stage: Stage | None = None,
    ) -> SearchPage:
        """Return a page of the users that a filter finds; raises `RefusedSearchError`."""
        if method is SearchMethod.POST:
            body = search_request(scim_filter, page)
            response = self._send("POST", organisation, SEARCH, stage=stage, headers=_SCIM, data=body)
        else:
            query = f"filter={url_encoded(scim_filter)}&{_query(page)}"
            response = self._send("GET", organisation, "", stage=stage, query=query)
        return self._page(response, organisation)

    def list_page(self, organisation: str, page: PageRequest) -> SearchPage:
        """Return a page of all users of an organisation; raises `RefusedSearchError`."""
        response = self._send("GET", organisation, "", stage=None, query=_query(page))
        return self._page(response, organisation)

    def _page(self, response: requests.Response, organisation: str) -> SearchPage:
        maybe_empty = is_missing(response) or _has_no_total(response)
        if maybe_empty and self._capabilities.get(organisation).has_odd_empty_answer:
            return SearchPage(total=0, resources=[])
        try:
            self._check(response, organisation, Operation.SEARCH)
            return self._counted(response, organisation)
        except UpdateSyncError as error:
            raise RefusedSearchError(error, response.status_code, maybe_empty=maybe_empty) from None

    def _counted(self, response: requests.Response, organisation: str) -> SearchPage:
        """Return the page of a response that says how many users there are, or how the next page is read."""
        found = _read_page(response)
        if found.total is None and found.next_cursor is not None:
            self._capabilities.record(organisation, pages_by_cursor=True)
        elif found.total is None and not self._capabilities.get(organisation).pages_by_cursor:
            # Nothing says whether these are all.
            raise unreadable(response, Detail(DetailKind.NO_TOTAL), Operation.SEARCH)
        return found


def _has_no_total(response: requests.Response) -> bool:
    """Say whether an answer of success is an object with neither a total nor users."""
    body = json_object(response) if len(response.content) < _SHORT and succeeded(response) else None
    return body is not None and "totalResults" not in body and not body.get("Resources")


def _query(page: PageRequest) -> str:
    return "&".join(f"{name}={quote(str(value))}" for name, value in page_parameters(page).items())


def _read_page(response: requests.Response) -> SearchPage:
    body = json_object(response)
    if body is None:
        raise unreadable(response, Detail(DetailKind.NO_JSON_OBJECT), Operation.SEARCH)
    try:
        total, resources, cursor = load_list_response(body)
    except UnreadableScimError as error:
        why = Detail(DetailKind.UNREADABLE_FIELDS, faults=str(error))
        raise unreadable(response, why, Operation.SEARCH) from None
    return SearchPage(total=total, resources=resources, next_cursor=cursor)
