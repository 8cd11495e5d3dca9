"""Searches Skolon's users by POST, so that no value stands in a URL (promise P6), or else by GET."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Final, TypeAlias

from clients.skolon.errors import UnreadableUserError
from clients.skolon.scim import search_filter
from clients.skolon.search.filters import (
    MAX_BODY_FILTER_LENGTH,
    MAX_URL_FILTER_LENGTH,
    batch_filters,
    results_per_user,
    url_encoded_length,
    users_matching,
)
from clients.skolon.search.key_proof import KeyProof
from clients.skolon.search.pages import InconsistentPagesError, TooManyResultsError
from clients.skolon.search.probes import (
    MAYBE_NO_OR,
    MAYBE_TOO_MANY_TERMS,
    SearchProbes,
    filter_ignored,
    needing_or,
)
from clients.skolon.search.requests import (
    CheckResponse,
    FoundUser,
    RefusedSearchError,
    SearchRequests,
    SendRequest,
    UnreadableUser,
)
from clients.skolon.server.capabilities import SEARCH_CAPABILITIES, Capabilities, SearchMethod
from schemas.dead_letter_reasons import Reason
from schemas.details.detail import Detail
from schemas.details.kinds import DetailKind
from schemas.errors import HaltError, PermanentError, UpdateSyncError
from schemas.outcomes import Cause, Stage
from schemas.users.skolon_user import SkolonUser

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from clients.skolon.profiles import Profile
    from clients.skolon.server.capability_cache import CapabilityCache
    from schemas.users.attributes import Attribute

#: The Skolon users that match one user, or the error that one of them is unreadable.
SearchResult: TypeAlias = list[SkolonUser] | UnreadableUserError

#: Statuses of servers that cannot do `or`, or not with so many terms.
_MAYBE_NO_OR: Final = MAYBE_NO_OR | MAYBE_TOO_MANY_TERMS


class ScimSearch:
    """Searches users, and finds out for each organisation what its server takes.

    A refusal may mean that POST is not supported, that the organisation is unknown, that the server restarts,
    or that it rejects the filter. So searches without personal values decide (`probes`).

    A filter for several values is believed once `or` has found a user by another term than the first and the
    last. Until then these two find no user, and if the rest find none either, each value is searched alone.
    The same is done when the pages of a search do not add up. That no user has a key is believed once a
    listed user was found by it (`key_proof`).
    """

    def __init__(
        self, send: SendRequest, check: CheckResponse, capabilities: CapabilityCache, profile: Profile
    ) -> None:
        self._profile = profile
        self.requests = SearchRequests(send, check, capabilities, profile)
        self._capabilities = capabilities
        self._probes = SearchProbes(self.requests, capabilities)
        self._key_proof = KeyProof(self.requests, capabilities)

    def find(self, organisation: str, users: Sequence[Mapping[Attribute, str]]) -> list[FoundUser]:
        """Return the Skolon users that have a value of any of `users`; some may come twice.

        Raises `HaltError` (`skolon_search`) if the server's answers contradict themselves, if it refuses a
        search whatever it is for, or does not find users by one of the attributes.
        """
        profile = self.requests.search_profile(organisation)
        found = self._find(organisation, users)
        self._key_proof.check(organisation, users, found)
        if self.requests.search_profile(organisation) is not profile:
            found = self._find(organisation, users)
        return found

    def _find(self, organisation: str, users: Sequence[Mapping[Attribute, str]]) -> list[FoundUser]:
        known = self._capabilities.get(organisation)
        method = known.method or SearchMethod.POST
        try:
            return self._search(method, organisation, users)
        except RefusedSearchError as error:
            refused = error
        if refused.status == HTTPStatus.METHOD_NOT_ALLOWED:
            # The method does not exist any more (RFC 9110 section 15.5.6). No other answer says so.
            self._capabilities.forget(organisation, SEARCH_CAPABILITIES)
        if self._probes.finds_nothing_oddly(organisation, refused):
            return self._find(organisation, users)
        if method is SearchMethod.POST and self._probes.is_without_post(organisation, refused):
            method = SearchMethod.GET
            try:
                return self._search(method, organisation, users)
            except RefusedSearchError as error:
                refused = error
        is_read_otherwise = _reading(self._capabilities.get(organisation)) != _reading(known)
        terms = sum(map(len, users))
        sent_terms = min(terms, known.max_terms or terms)
        if is_read_otherwise or self._takes_less(organisation, method, sent_terms, refused):
            return self._find(organisation, users)
        # What was known when it was sent counts: another thread may have found it out since.
        if terms > 1 and known.takes_or is None and refused.status in _MAYBE_NO_OR:
            try:
                found = self._search_each(method, organisation, users)
            except RefusedSearchError:
                pass
            else:
                self._probes.takes_or(organisation, method, found)
                return found
        attributes = {attribute for keys in users for attribute in keys}
        raise self._probes.error_of(refused, method, organisation, attributes)

    def is_gone(self, organisation: str, user_id: str) -> bool:
        """Say whether the server answers a search for the id of a user, and finds none."""
        return self._probes.is_gone(organisation, user_id)

    def _takes_less(
        self, organisation: str, method: SearchMethod, sent_terms: int, refused: RefusedSearchError
    ) -> bool:
        """Find out whether a server that takes `or` refuses so many terms, or `or` itself from now on."""
        takes_or = self._capabilities.get(organisation).takes_or
        return takes_or is True and self._probes.finds_limit(organisation, method, sent_terms, refused)

    def _needs_proof(self, organisation: str, users: Sequence[Mapping[Attribute, str]]) -> bool:
        """Say whether the filter for these users has an `or` of which nothing is known."""
        return sum(map(len, users)) > 1 and self._capabilities.get(organisation).takes_or is None

    def _search(
        self, method: SearchMethod, organisation: str, users: Sequence[Mapping[Attribute, str]]
    ) -> list[FoundUser]:
        known = self._capabilities.get(organisation)
        has_too_many_keys = known.max_terms is not None and max(map(len, users), default=0) > known.max_terms
        if known.takes_or is False or has_too_many_keys:
            return self._search_each(method, organisation, users)
        needs_proof = self._needs_proof(organisation, users)
        try:
            found = self._search_together(method, organisation, users, is_proof=needs_proof)
        except (InconsistentPagesError, TooManyResultsError):
            # A server that does not know this method may not look at what is asked.
            return self._search_each(self._probes.working_method(organisation), organisation, users)
        self._capabilities.record(organisation, method=method)
        if not needs_proof:
            return found
        if found:
            self._capabilities.record(organisation, takes_or=True)
        elif not self._probes.takes_or(organisation, method):
            found = self._search_each(method, organisation, users)
            self._probes.takes_or(organisation, method, found)
        return found

    def _search_together(
        self,
        method: SearchMethod,
        organisation: str,
        users: Sequence[Mapping[Attribute, str]],
        *,
        is_proof: bool,
    ) -> list[FoundUser]:
        """Search for all values with as few filters as possible; as a proof, of a kind that takes `or`."""
        # A response to several users, or its absence, may be due to any one of them.
        stage = Stage.MATCH if len(users) == 1 else None
        max_terms = self._capabilities.get(organisation).max_terms
        profile = self.requests.search_profile(organisation)
        if method is SearchMethod.POST:
            filters = batch_filters(users, MAX_BODY_FILTER_LENGTH, len, max_terms, profile=profile)
        else:
            filters = batch_filters(
                users, MAX_URL_FILTER_LENGTH, url_encoded_length, max_terms, profile=profile
            )
        return [
            user
            for each in filters
            for user in self.requests.read_all(
                method, organisation, needing_or(each) if is_proof else each, stage
            )
        ]

    def _search_each(
        self, method: SearchMethod, organisation: str, users: Sequence[Mapping[Attribute, str]]
    ) -> list[FoundUser]:
        """Search for one value at a time, which is the least that a server can do."""
        found: list[FoundUser] = []
        for key in ({attribute: value} for keys in users for attribute, value in keys.items()):
            try:
                scim_filter = search_filter(key, profile=self.requests.search_profile(organisation))
                found += self.requests.read_all(method, organisation, scim_filter, Stage.MATCH)
            except InconsistentPagesError as error:
                raise HaltError(
                    Cause.SKOLON_SEARCH,
                    Detail(DetailKind.SEARCH_DOES_NOT_ADD_UP, seen=error.seen),
                    stage=Stage.MATCH,
                ) from None
            except TooManyResultsError as error:
                raise _too_many(error, key) from None
        self._capabilities.record(organisation, method=method)
        return found


def result_of_one(found: Sequence[FoundUser]) -> list[SkolonUser]:
    """Return what a search for one user has found, each once; raises its error if one is unreadable."""
    users: dict[str, SkolonUser] = {}
    for user in found:
        if isinstance(user, UnreadableUser):
            raise user.error
        users[user.id] = user
    return list(users.values())


def results_of_each(
    found: Sequence[FoundUser], users: Sequence[Mapping[Attribute, str]]
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


def _reading(known: Capabilities) -> tuple[bool, bool]:
    """Return what decides how an answer is read."""
    return known.has_odd_empty_answer, known.pages_by_cursor


def _too_many(error: TooManyResultsError, key: Mapping[Attribute, str]) -> UpdateSyncError:
    """Return the error of a value that too many users share, or of a server that ignores filters."""
    if all(users_matching(resource, [key]) for resource in error.resources):
        return PermanentError(Reason.REJECTED_BY_SKOLON, Stage.MATCH, error.detail)
    return filter_ignored()
