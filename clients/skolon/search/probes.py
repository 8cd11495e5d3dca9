"""Finds out what a server's search can do, by searches without the values of anyone who is looked for."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Final

from clients.skolon.scim import id_filter, search_filter
from clients.skolon.search.pages import InconsistentPagesError, PageRequest, TooManyResultsError
from clients.skolon.search.requests import FoundUser, RefusedSearchError, SearchRequests, id_of
from clients.skolon.server.capabilities import SearchMethod
from schemas.details.detail import Detail
from schemas.details.kinds import DetailKind
from schemas.errors import HaltError, PermanentError, UpdateSyncError
from schemas.outcomes import Cause
from schemas.users.attributes import Attribute
from schemas.users.skolon_user import SkolonUser

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from clients.skolon.server.capability_cache import CapabilityCache

#: A value that no user has, and one for attributes whose values look like addresses.
_NO_VALUE: Final = "update-sync-probe-that-finds-no-user"
_NO_ADDRESS: Final = f"{_NO_VALUE}@update-sync.invalid"
_ADDRESSES: Final = (Attribute.EMAIL, Attribute.EPPN, Attribute.USER_NAME)

#: A filter that finds no user.
EMPTY_FILTER: Final = search_filter({Attribute.EXTERNAL_ID: _NO_VALUE})

#: Statuses of servers and proxies for an unknown path or method. 401, 403, 408, 429 and the other 5xx say
#: nothing about that.
_MAYBE_UNSUPPORTED: Final = frozenset(
    {200, *range(300, 400), 400, 404, 405, 406, 410, 411, 413, 414, 415, 422, 501}
)

#: Statuses of servers that take filters, and not such long ones.
MAYBE_TOO_MANY_TERMS: Final = frozenset({400, 413, 414, 422, 431})

#: Statuses of servers that cannot do `or`. Some say so by a 500, and some by an answer that is unreadable.
MAYBE_NO_OR: Final = frozenset({200, 500, 501})

_SEVERAL: Final = 2

#: Attributes by which a user that is known can be found, the likeliest first.
_KEYS: Final = (Attribute.USER_NAME, Attribute.EXTERNAL_ID, Attribute.EPPN, Attribute.EMAIL)

#: Users that are listed to have one that is known.
_LISTED: Final = 5

_NO_ANSWER: Final = (RefusedSearchError, InconsistentPagesError, TooManyResultsError)


class SearchProbes:
    """Probes each organisation's server once at a time, and records what it can do."""

    def __init__(self, requests: SearchRequests, capabilities: CapabilityCache) -> None:
        self._requests = requests
        self._capabilities = capabilities

    def is_without_post(self, organisation: str, refused: RefusedSearchError) -> bool:
        """Find out whether a refusal means that the server does not take POST.

        Raises an error of ours that concerns GET as well.
        """
        is_unsupported = refused.status in _MAYBE_UNSUPPORTED
        return is_unsupported and self.working_method(organisation) is SearchMethod.GET

    def working_method(self, organisation: str) -> SearchMethod:
        """Return how the organisation is searched, and find it out if it is not known.

        Raises `HaltError` (`skolon_search`) if the server ignores filters, and what a search by GET raises.
        """
        with self._capabilities.probe_turn(organisation):
            method = self._capabilities.get(organisation).method or self._find_method(organisation)
            self._capabilities.record(organisation, method=method)
            return method

    def _find_method(self, organisation: str) -> SearchMethod:
        try:
            if self._finds_nothing(SearchMethod.POST, organisation):
                return SearchMethod.POST
        except RefusedSearchError as refused:
            if refused.status not in _MAYBE_UNSUPPORTED:
                raise refused.error from None
        try:
            if self._finds_nothing(SearchMethod.GET, organisation):
                return SearchMethod.GET
        except RefusedSearchError as refused:
            found = self._method_that_finds(organisation, *SearchMethod) if refused.maybe_empty else None
            if found is None:
                raise _error_for_all(refused) from None
            return found
        raise filter_ignored()

    def _finds_nothing(
        self, method: SearchMethod, organisation: str, scim_filter: str = EMPTY_FILTER
    ) -> bool:
        page = self._requests.read_page(method, organisation, scim_filter, PageRequest())
        return not page.total and not page.resources

    def takes_or(
        self, organisation: str, method: SearchMethod, known: Iterable[FoundUser] | None = None
    ) -> bool | None:
        """Find out whether a middle term of a filter finds a user, a `known` one or one that is listed.

        None is not found out: the organisation may have no user that is readable.
        """
        with self._capabilities.probe_turn(organisation):
            takes_or = self._capabilities.get(organisation).takes_or
            if takes_or is not None:
                return takes_or
            with suppress(*_NO_ANSWER):
                if known is None:
                    page = self._requests.list_page(organisation, PageRequest(count=_LISTED))
                    known = [self._requests.read_user(resource) for resource in page.resources]
                for user_id, scim_filter in self._filters_that_find(known):
                    takes_or = user_id in self._ids(method, organisation, needing_or(scim_filter))
                    if takes_or or user_id in self._ids(method, organisation, scim_filter):
                        self._capabilities.record(organisation, takes_or=takes_or)
                        return takes_or
        return None

    def finds_limit(
        self, organisation: str, method: SearchMethod, terms: int, refused: RefusedSearchError
    ) -> bool:
        """Find out whether a filter was refused because it has so many terms, by filters that find no user.

        Record how many it may have: each next filter has half of them. If it may not have two, forget that
        the server takes `or`.
        """
        is_maybe_long = refused.status in MAYBE_TOO_MANY_TERMS
        if terms < _SEVERAL or not (is_maybe_long or refused.status in MAYBE_NO_OR):
            return False
        with self._capabilities.probe_turn(organisation):
            known = self._capabilities.get(organisation)
            if known.takes_or is None or (known.max_terms is not None and known.max_terms < terms):
                return True  # another thread has found it out
            fewer = terms if is_maybe_long else _SEVERAL
            while fewer >= _SEVERAL:
                no_user = " or ".join([EMPTY_FILTER] * fewer)
                if self._refused_again(refused, method, organisation, no_user) is None:
                    break
                fewer //= 2
            if fewer >= _SEVERAL:
                if is_maybe_long and fewer < terms:
                    self._capabilities.record(organisation, max_terms=fewer)
                return is_maybe_long and fewer < terms
            if self._refused_again(refused, method, organisation, EMPTY_FILTER) is not None:
                return False
            self._capabilities.forget(organisation, {"takes_or", "max_terms"})
            return True

    def _ids(self, method: SearchMethod, organisation: str, scim_filter: str) -> set[str | None]:
        try:
            found = self._requests.read_all(method, organisation, scim_filter)
        except _NO_ANSWER:
            return set()
        return set(map(id_of, found))

    def finds_nothing_oddly(self, organisation: str, refused: RefusedSearchError) -> bool:
        """Find out whether an odd answer means that nothing was found.

        A listed user is found then, and what finds no user is answered oddly again.
        """
        method = self._capabilities.get(organisation).method
        if not refused.maybe_empty or method is None:
            return False
        with self._capabilities.probe_turn(organisation):
            self._method_that_finds(organisation, method)
            return self._capabilities.get(organisation).has_odd_empty_answer

    def _method_that_finds(self, organisation: str, *methods: SearchMethod) -> SearchMethod | None:
        """Return the first method that finds a listed user, and record how it answers where it finds none."""
        with suppress(RefusedSearchError):
            page = self._requests.list_page(organisation, PageRequest(count=_LISTED))
            users = map(self._requests.read_user, page.resources)
            for user_id, scim_filter in self._filters_that_find(users):
                for method in methods:
                    if user_id in self._ids(method, organisation, scim_filter):
                        is_odd = self._is_odd_when_empty(organisation, method)
                        self._capabilities.record(organisation, method=method, has_odd_empty_answer=is_odd)
                        return method
        return None

    def _is_odd_when_empty(self, organisation: str, method: SearchMethod) -> bool:
        try:
            self._finds_nothing(method, organisation)
        except RefusedSearchError as refused:
            return refused.maybe_empty
        return False

    def is_gone(self, organisation: str, user_id: str) -> bool:
        """Say whether the server answers a search for the id of a user, and finds none."""
        method = self._capabilities.get(organisation).method or SearchMethod.POST
        try:
            return self._finds_nothing(method, organisation, id_filter(user_id))
        except (RefusedSearchError, UpdateSyncError):
            return False

    def error_of(
        self,
        refused: RefusedSearchError,
        method: SearchMethod,
        organisation: str,
        attributes: Iterable[Attribute],
    ) -> UpdateSyncError:
        """Return the error of a refused search for values of `attributes`.

        It halts the run if the server refuses a search without personal values too: any, or each by one of
        the attributes.
        """
        if isinstance(refused.error, PermanentError):
            again = self._refused_again(refused, method, organisation, EMPTY_FILTER)
            if again is not None:
                return _error_for_all(again)
            for attribute in sorted(attributes):
                no_user = {attribute: _NO_ADDRESS if attribute in _ADDRESSES else _NO_VALUE}
                again = self._refused_again(refused, method, organisation, self._filter(no_user))
                if again is not None:
                    return _error_for_all(again, attribute)
        return refused.error

    def _refused_again(
        self, refused: RefusedSearchError, method: SearchMethod, organisation: str, scim_filter: str
    ) -> RefusedSearchError | None:
        try:
            self._requests.read_page(method, organisation, scim_filter, PageRequest())
        except RefusedSearchError as error:
            return error if error.status == refused.status else None
        return None

    def _filter(self, key: Mapping[Attribute, str]) -> str:
        return search_filter(key, profile=self._requests.profile)

    def _filters_that_find(self, users: Iterable[FoundUser]) -> Iterable[tuple[str, str]]:
        for user in users:
            if isinstance(user, SkolonUser):
                for attribute in _KEYS:
                    value = user.attributes.get(attribute)
                    if value is not None:
                        yield user.id, self._filter({attribute: value})
                        break


def _error_for_all(refused: RefusedSearchError, attribute: Attribute | None = None) -> UpdateSyncError:
    """Return the error of a search that was refused whatever it is for, or by one attribute.

    It has no stage, since it is no matter of one user, whatever becomes of others meanwhile.
    """
    if not isinstance(refused.error, PermanentError):
        return refused.error
    answer = refused.error.detail
    detail = (
        Detail(DetailKind.EVERY_SEARCH_REFUSED, answer=answer)
        if attribute is None
        else Detail(DetailKind.SEARCH_BY_KEY_REFUSED, attribute=attribute, answer=answer)
    )
    return HaltError(Cause.SKOLON_SEARCH, detail, status=refused.status)


def needing_or(scim_filter: str) -> str:
    """Return a filter that finds the same, unless a server looks at its first or last term alone."""
    return f"{EMPTY_FILTER} or {scim_filter} or {EMPTY_FILTER}"


def filter_ignored() -> HaltError:
    """Return the error of a server that does not look at the filter of a search."""
    return HaltError(Cause.SKOLON_SEARCH, Detail(DetailKind.FILTER_IGNORED))
