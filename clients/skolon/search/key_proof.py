"""Proves that a server finds users by each key: some find no user by what they do not search."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Final

from clients.skolon.scim import search_filter
from clients.skolon.search.pages import InconsistentPagesError, PageRequest, TooManyResultsError
from clients.skolon.search.requests import RefusedSearchError, SearchRequests, id_of
from clients.skolon.server.capabilities import SearchMethod
from schemas.details.detail import Detail
from schemas.details.kinds import DetailKind
from schemas.errors import HaltError
from schemas.outcomes import Cause
from schemas.users.attributes import Attribute, normalized_key
from schemas.users.skolon_user import SkolonUser

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from clients.skolon.search.requests import FoundUser
    from clients.skolon.server.capabilities import Capabilities
    from clients.skolon.server.capability_cache import CapabilityCache

#: Users that are listed, so that some have each key.
_LISTED: Final = 50
#: Users that a search by a key is tried for: one of them may just have been changed.
_TRIED: Final = 3

_NO_ANSWER: Final = (RefusedSearchError, InconsistentPagesError, TooManyResultsError)


class KeyProof:
    """Proves each key of an organisation once, and only when a search did not find a user by it."""

    def __init__(self, requests: SearchRequests, capabilities: CapabilityCache) -> None:
        self._requests = requests
        self._capabilities = capabilities

    def check(
        self, organisation: str, users: Sequence[Mapping[Attribute, str]], found: Iterable[FoundUser]
    ) -> None:
        """Make sure that a user who was not found by a key is not there.

        Raises `HaltError` (`skolon_search`) if the server does not find listed users by one of the keys that
        they have. What no listed user has cannot be tried, and is believed.
        """
        tried_keys = self._capabilities.get(organisation).tried_keys
        if (
            all(tried_keys.issuperset(keys) for keys in users)
            or not unmatched_keys(users, found) - tried_keys
        ):
            return
        with self._capabilities.probe_turn(organisation):
            known = self._capabilities.get(organisation)
            # All keys at once: another user will be without another one.
            keys = {attribute for keys in users for attribute in keys} - known.tried_keys
            if keys and known.method is not None and self._try(organisation, known, keys):
                self._capabilities.record(organisation, tried_keys=known.tried_keys | keys)

    def _try(self, organisation: str, known: Capabilities, keys: Iterable[Attribute]) -> bool:
        """Try the keys; return False if that has to be done again: no listed user can be read now."""
        try:
            page = self._requests.list_page(organisation, PageRequest(count=_LISTED))
        except _NO_ANSWER:
            return True
        listed = [
            user for user in map(self._requests.read_user, page.resources) if isinstance(user, SkolonUser)
        ]
        holders = {
            key: [user for user in listed if user.attributes.get(key) is not None] for key in sorted(keys)
        }
        holders = {key: users for key, users in holders.items() if users}
        proven = self._found_together(organisation, known, holders) if known.takes_or else frozenset()
        for key in holders.keys() - proven:
            tried = holders[key][:_TRIED]
            if any(self._is_found(organisation, known, {key: user}) for user in tried):
                continue
            if self._finds_otherwise(organisation, known, key, tried):
                self._capabilities.record(organisation, dotted_extensions=not known.dotted_extensions)
            else:
                raise HaltError(
                    Cause.SKOLON_SEARCH,
                    Detail(DetailKind.KEY_FINDS_NO_USER, attribute=key, users=len(tried)),
                )
        return bool(listed) or not page.resources

    def _finds_otherwise(
        self, organisation: str, known: Capabilities, key: Attribute, users: Iterable[SkolonUser]
    ) -> bool:
        """Say whether one of the users is found by the other way to write an extension's attribute."""
        profile = self._requests.profile if known.dotted_extensions else self._requests.profile.dotted
        if profile.paths[key].extension is None:
            return False
        for user in users:
            scim_filter = search_filter({key: user.attributes[key] or ""}, profile=profile)
            with suppress(*_NO_ANSWER):
                found = self._requests.read_all(known.method or SearchMethod.POST, organisation, scim_filter)
                if any(id_of(each) == user.id for each in found):
                    return True
        return False

    def _found_together(
        self, organisation: str, known: Capabilities, holders: Mapping[Attribute, Sequence[SkolonUser]]
    ) -> frozenset[Attribute]:
        """Return the keys by which one search for several users has found each its own user."""
        chosen: dict[Attribute, SkolonUser] = {}
        for key, users in holders.items():
            alone = next((user for user in users if not _shares_a_value(user, key, chosen)), None)
            if alone is not None:
                chosen[key] = alone
        is_proof = len(chosen) > 1 and self._is_found(organisation, known, chosen)
        return frozenset(chosen) if is_proof else frozenset()

    def _is_found(
        self, organisation: str, known: Capabilities, holders: Mapping[Attribute, SkolonUser]
    ) -> bool:
        """Say whether one search finds each of these users by its key.

        A refusal of one key says nothing, and no more does an answer with a user that has no valid id.
        """
        scim_filter = search_filter(
            *({key: user.attributes[key] or ""} for key, user in holders.items()),
            profile=self._requests.search_profile(organisation),
        )
        try:
            found = self._requests.read_all(known.method or SearchMethod.POST, organisation, scim_filter)
        except _NO_ANSWER:
            return len(holders) == 1
        ids = set(map(id_of, found))
        return {user.id for user in holders.values()} <= ids or (len(holders) == 1 and None in ids)


def _shares_a_value(user: SkolonUser, key: Attribute, chosen: Mapping[Attribute, SkolonUser]) -> bool:
    """Say whether a search for `chosen`, and for `user` by `key`, finds one of them by another's value."""
    terms = [(user, own, other.attributes[own]) for own, other in chosen.items()]
    terms += [(other, key, user.attributes[key]) for other in chosen.values()]
    return any(_key(one, own) == normalized_key(own, value or "") for one, own, value in terms)


def _key(user: SkolonUser, attribute: Attribute) -> str | None:
    value = user.attributes.get(attribute)
    return None if value is None else normalized_key(attribute, value)


def unmatched_keys(
    users: Sequence[Mapping[Attribute, str]], found: Iterable[FoundUser]
) -> frozenset[Attribute]:
    """Return the keys of which some user's value is held by no user that was found."""
    wanted = {attribute for keys in users for attribute in keys}
    held = {
        (attribute, normalized_key(attribute, value))
        for user in found
        if isinstance(user, SkolonUser)
        for attribute in wanted
        if (value := user.attributes.get(attribute)) is not None
    }
    return frozenset(
        attribute
        for keys in users
        for attribute, value in keys.items()
        if (attribute, normalized_key(attribute, value)) not in held
    )
