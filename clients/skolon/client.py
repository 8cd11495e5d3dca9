"""Finds, reads and updates Skolon's users over SCIM 2.0, which is our assumption about Skolon.

A client of another API takes its place behind `clients.skolon.interface.SkolonClient`.
"""

from __future__ import annotations

import threading
from contextlib import suppress
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final, Self
from urllib.parse import quote, urlsplit

from clients.http.errors import TransportFailure
from clients.http.limits import SKOLON_LIMITS
from clients.http.session import REQUEST_TIMEOUT, HttpSession, json_object, succeeded
from clients.skolon.addresses import (
    ORGANISATION,
    harmless_requests,
    harmless_requests_and_replacements,
    user_addresses,
)
from clients.skolon.errors import (
    Operation,
    UnreadableUserError,
    UserNotFoundError,
    is_missing,
    response_error,
    transport_error,
)
from clients.skolon.profiles import PROFILES
from clients.skolon.search.batching import MAX_IN_FLIGHT, SearchBatcher
from clients.skolon.search.listing import ListedUsers
from clients.skolon.search.scim_search import ScimSearch, SearchResult, result_of_one, results_of_each
from clients.skolon.server.capability_cache import CapabilityCache
from clients.skolon.server.inspection import Inspection, ScimInspection
from clients.skolon.unusable_answers import UnusableAnswers
from clients.skolon.updates.answers import user_of
from clients.skolon.updates.ignored_updates import IgnoredUpdates
from clients.skolon.updates.replacement import ScimReplacement
from clients.skolon.updates.scim_update import ScimUpdate
from runtime.services import NO_BREAKER, SEVERAL_SUBJECTS, SKOLON, Breakers, skolon_reading, skolon_updating
from schemas.dead_letter_reasons import Reason
from schemas.details.detail import Detail
from schemas.details.kinds import DetailKind
from schemas.errors import Dependency, PermanentError, TransientError
from schemas.outcomes import Stage
from schemas.tenants.skolon_target import SkolonLack, SkolonTarget
from schemas.users.skolon_user import ensure_usable

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

    import requests

    from clients.skolon.auth import TokenSource
    from clients.skolon.server.capabilities import Capabilities
    from schemas.users.attributes import Attribute
    from schemas.users.skolon_user import SkolonUser


_SCIM: Final = "application/scim+json"
#: Some servers know the general type alone.
_ACCEPT: Final = f"{_SCIM}, application/json"

_DEFAULT_TARGET: Final = SkolonTarget()


class _NoUserReadableError(TransientError):
    """None of the users found is readable: that does not concern a single user."""


class ScimSkolonClient:
    """Skolon over SCIM (RFC 7644), behind circuit breakers; may be shared by threads.

    All methods raise `TransientError` (unavailable, throttled, or an unusable response), `HaltError`
    (`skolon_credentials`, `skolon_permission`), `PermanentError` (`rejected_by_skolon`), and what the
    circuit breakers raise: `CircuitOpenError` and `ShutdownError`.
    """

    def __init__(  # noqa: PLR0913 - each is a choice of its own, by name
        self,
        *,
        url: str,
        token: TokenSource,
        ca_bundle: str | None = None,
        methods: frozenset[str] | None = None,
        capabilities: CapabilityCache | None = None,
        unusable: UnusableAnswers | None = None,
        breakers: Breakers = NO_BREAKER,
        searches_in_flight: int = MAX_IN_FLIGHT,
        target: SkolonTarget = _DEFAULT_TARGET,
        seconds: float = REQUEST_TIMEOUT,
    ) -> None:
        """Take the base URL with `{organisation}` in it; `methods` are at most GET and PATCH.

        Searches by POST, and what a server says of itself, are allowed besides. `capabilities` is what the
        process knows of the servers. Requests pass the circuit breakers `breakers`. `target` says how
        the servers are to be used. A request ends after `seconds`.
        """
        self._seconds = seconds
        self._profile = profile = PROFILES[target.profile]
        self._target = target
        self._methods = methods
        self._url = url.rstrip("/")
        self._token = token
        self._ca_bundle = ca_bundle
        self._session = HttpSession(
            methods=frozenset({"GET", "PATCH"}) & (methods or frozenset({"GET", "PATCH"})),
            addresses=user_addresses(self._url, "/Users(/[^/]+)?"),
            also_allow=self._also_allowed(),
            ca_bundle=ca_bundle,
            limits=SKOLON_LIMITS,
            seconds=seconds,
        )
        self._breakers = breakers
        #: One host serves all organisations, so it can be unavailable for all of them at once.
        self._host = None if ORGANISATION in urlsplit(url).netloc else SKOLON
        self._capabilities = capabilities or CapabilityCache()
        self._search = ScimSearch(self._send, self._check, self._capabilities, profile)
        self._updates = self._updater()
        self._ignored_updates = IgnoredUpdates()
        self._listed = ListedUsers(self._search.requests, self.read)
        self._inspection = ScimInspection(self._read_description, self._search.requests, self._capabilities)
        self._searches = SearchBatcher(self.search_many, at_once=searches_in_flight)
        self._unusable = unusable or UnusableAnswers()
        self._lock = threading.Lock()
        self._updated: set[str] = set()

    def read_only(self) -> Self:
        """Return a client of the same Skolon whose session allows GET and searches only."""
        return self._sibling(self._target, frozenset({"GET"}))

    def for_target(self, target: SkolonTarget) -> Self:
        """Return a client of the same Skolon for organisations whose servers are to be used in this way."""
        return self._sibling(target, self._methods)

    def _sibling(self, target: SkolonTarget, methods: frozenset[str] | None) -> Self:
        return type(self)(
            url=self._url,
            token=self._token,
            ca_bundle=self._ca_bundle,
            methods=methods,
            capabilities=self._capabilities,
            unusable=self._unusable,
            breakers=self._breakers,
            target=target,
            seconds=self._seconds,
        )

    def _also_allowed(self) -> Callable[[requests.PreparedRequest], bool]:
        """Return what may be sent beside reading and PATCH; PUT only if the tenant says so."""
        if SkolonLack.PATCH in self._target.lacks and self._methods is None:
            return harmless_requests_and_replacements(self._url)
        return harmless_requests(self._url)

    def _updater(self) -> ScimUpdate | ScimReplacement:
        send, read, check = self._send, self._read_document, self._check_found
        if SkolonLack.PATCH in self._target.lacks:
            return ScimReplacement(send, read, check, self._profile)
        return ScimUpdate(send, read, check, self._capabilities, self._profile)

    def search(self, organisation: str, keys: Mapping[Attribute, str]) -> list[SkolonUser]:
        """Return the users that have any of the values, by a search that other threads may share.

        Raises `UnreadableUserError` when one of them is unreadable.
        """
        there = {name: value for name, value in keys.items() if name in self._profile.paths}
        return self._searches.call(organisation, there) if there else []

    def search_many(self, organisation: str, users: Sequence[Mapping[Attribute, str]]) -> list[SearchResult]:
        """Return for each of `users`, given by its keys, the Skolon users that have any of them.

        Sends as few requests as possible, which count once at the circuit breaker. A user whose match is
        unreadable gets the error as its result. Raises `UnreadableUserError` when no key tells whose match
        is unreadable.
        """
        about = hash(frozenset(users[0].items())) if len(users) == 1 else SEVERAL_SUBJECTS
        results: list[SearchResult] = []
        with (
            suppress(_NoUserReadableError),
            self._breakers.guard(skolon_reading(organisation, self._host), about),
            self._unusable.watched(organisation, Operation.SEARCH),
        ):
            search = self._listed if SkolonLack.FILTERS in self._target.lacks else self._search
            found = search.find(organisation, users)
            results = [result_of_one(found)] if len(users) == 1 else results_of_each(found, users)
            if results and all(isinstance(result, UnreadableUserError) for result in results):
                raise _NoUserReadableError(Dependency.SKOLON, "no user is readable")
        return results

    def capabilities(self, organisation: str) -> Capabilities:
        """Return what is known of the organisation's server."""
        return self._capabilities.get(organisation)

    def forget_capabilities(self, organisation: str, names: Collection[str] = ()) -> None:
        """Forget what is known of the organisation's server, or only `names` of it, in all processes."""
        self._capabilities.forget(organisation, names)

    def inspect(self, organisation: str) -> Inspection:
        """Look at the organisation's server for a check; raises also when it does not list users."""
        with self._breakers.guard(skolon_reading(organisation, self._host)):
            return self._inspection.inspect(organisation)

    def _read_description(self, organisation: str, path: str) -> requests.Response:
        return self._send("GET", organisation, path, stage=None, resource="")

    def read(self, organisation: str, user_id: str) -> SkolonUser | None:
        """Return one user as it is now, None when there is none."""
        with (
            self._breakers.guard(skolon_reading(organisation, self._host), user_id),
            self._unusable.watched(organisation, Operation.READ),
        ):
            found = self._read_document(organisation, user_id)
        return None if found is None else found[0]

    def _read_document(self, organisation: str, user_id: str) -> tuple[SkolonUser, dict[str, Any]] | None:
        """Return a user and its document; an update reads by it behind the breaker of updates."""
        response = self._send("GET", organisation, f"/{quote(user_id, safe='')}", stage=Stage.MATCH)
        if is_missing(response):
            return None
        try:
            self._check_found(response, organisation, user_id, Operation.READ)
        except UserNotFoundError:
            return None
        return user_of(response, user_id, Operation.READ, self._profile), json_object(response) or {}

    def update(
        self, organisation: str, user: SkolonUser, changes: Mapping[Attribute, str | None]
    ) -> SkolonUser | None:
        """Make the changes; return the user as Skolon shows it then, None if Skolon does not show it yet.

        A change that the user does not show was not made. Raises `VersionConflictError` when the user has
        changed since it was read, and `UserNotFoundError` when it no longer exists.
        """
        ensure_usable(user)
        if user.is_protected:
            detail = Detail(DetailKind.PROTECTED_USER_UNCHANGED)
            raise PermanentError(Reason.REJECTED_BY_SKOLON, Stage.UPDATE, detail)
        with (
            self._breakers.guard(skolon_updating(organisation, self._host), user.id),
            self._unusable.watched(organisation, Operation.UPDATE),
        ):
            after = self._updates.update(organisation, user, changes)
        if after is not None and after is not user:
            self._listed.note(organisation, after)
            self._ignored_updates.note(organisation, user, after, changes)
        if after is not user:
            with self._lock:
                self._updated.add(organisation)
        return after

    def _check_found(
        self, response: requests.Response, organisation: str, user_id: str, operation: Operation
    ) -> None:
        """Raise the error of an unsuccessful response to a request for one user.

        A 404 that is no error of SCIM's may come from a gateway whose server is away. It is about the user if
        a search for its id finds none.
        """
        is_odd_404 = response.status_code == HTTPStatus.NOT_FOUND and not is_missing(response)
        if is_odd_404 and self._search.is_gone(organisation, user_id):
            raise UserNotFoundError("the Skolon user is no longer there (HTTP 404)")
        self._check(response, organisation, operation)

    def _check(self, response: requests.Response, organisation: str, operation: Operation) -> None:
        if not succeeded(response):
            with self._lock:
                worked = organisation in self._updated
            raise response_error(response, operation, update_has_worked=worked)

    def _send(  # noqa: PLR0913 - what a request is made of
        self,
        method: str,
        organisation: str,
        rest: str = "",
        *,
        stage: Stage | None,
        resource: str = "/Users",
        headers: Mapping[str, str] | None = None,
        **kwargs: Any,
    ) -> requests.Response:
        """Send a request; a second time with a new token if Skolon refuses the first token.

        `stage` is the stage of the request if it concerns a single user.
        """
        url = self._url.replace(ORGANISATION, quote(organisation, safe="")) + resource + rest
        all_headers = {"Accept": _ACCEPT, **(headers or {})}
        token, refused = self._token.token(), None
        while True:
            all_headers["Authorization"] = f"Bearer {token}"
            response = self._session.try_request(method, url, headers=all_headers, **kwargs)
            if isinstance(response, TransportFailure):
                raise transport_error(response, stage)
            if response.status_code != HTTPStatus.UNAUTHORIZED or refused is not None:
                return response
            refused, token = token, self._token.token(refused=token)
            if token == refused:
                return response
