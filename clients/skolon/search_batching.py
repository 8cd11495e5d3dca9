"""Skolon, of which threads that search at the same moment ask together."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from clients.skolon.errors import NoResponseError
from runtime.coalescer import Coalescer
from runtime.pacing import Departures
from runtime.services import HeldBackError, StoppingError
from schemas.errors import HaltError, TransientError, UnreachableError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from clients.skolon.client import SkolonClient
    from clients.skolon.search import SearchResult
    from clients.skolon.search_methods import SearchMethod
    from schemas.users.attributes import Attribute
    from schemas.users.skolon_user import SkolonUser

#: People of one search at most. With keys of up to 50 characters one address can hold their filter; more of
#: them would be two searches, one after the other, and everybody would wait for both.
MAX_USERS_PER_SEARCH: Final = 16

#: Seconds from one search of an organisation to the next, while an answer is awaited: long enough for company
#: to come, short beside the latency of whatever is not next door.
MIN_GAP: Final = 0.005

#: Searches of one organisation that a process has under way at a time, however slow the answers are.
MAX_IN_FLIGHT: Final = 16


class _RetryIndividuallyError(Exception):
    """What Skolon said of several may be about one of them."""


class BatchingSkolonClient:
    """A Skolon directory that is asked once for several people; everything else is as it was.

    Who is found for whom is decided by the values that were asked for, so nobody gets another's. What
    is refused, or answered with nonsense, over several people is asked again one by one (promise P7).
    """

    def __init__(self, client: SkolonClient, *, at_once: int = MAX_IN_FLIGHT, gap: float = MIN_GAP) -> None:
        self._client = client
        self._at_once = at_once
        self._gap = gap
        self._departures = Departures(gap)
        self._searches: Coalescer[str, Mapping[Attribute, str], list[SkolonUser]] = Coalescer(
            self._find_together,
            most=MAX_USERS_PER_SEARCH,
            at_once=at_once,
            linger=self._wait_for_company,
            for_all=(TransientError, HaltError, StoppingError),
        )

    def search(self, organisation: str, keys: Mapping[Attribute, str]) -> list[SkolonUser]:
        """Return whoever has any of the values."""
        return self._searches.call(organisation, keys)

    def search_many(self, organisation: str, users: Sequence[Mapping[Attribute, str]]) -> list[SearchResult]:
        """Return for each of several people whoever has any of their values."""
        return self._client.search_many(organisation, users)

    def search_method(self, organisation: str) -> SearchMethod | None:
        """Return how the organisation is searched, None while it is not known."""
        return self._client.search_method(organisation)

    def read(self, organisation: str, user_id: str) -> SkolonUser | None:
        """Return one user as it is now, None when there is none."""
        return self._client.read(organisation, user_id)

    def update(
        self, organisation: str, user: SkolonUser, changes: Mapping[Attribute, str | None]
    ) -> str | None:
        """Make the changes and return the user's new version, if Skolon tells it."""
        return self._client.update(organisation, user, changes)

    def read_only(self) -> BatchingSkolonClient:
        """Return the same directory with no way to change anything."""
        return BatchingSkolonClient(self._client.read_only(), at_once=self._at_once, gap=self._gap)

    def _wait_for_company(self, organisation: str, users: Sequence[Mapping[Attribute, str]]) -> None:
        self._departures.wait(organisation, lambda: len(users) >= MAX_USERS_PER_SEARCH)

    def _find_together(
        self, organisation: str, users: Sequence[Mapping[Attribute, str]]
    ) -> list[SearchResult]:
        try:
            with self._departures.under_way(organisation):
                return self._client.search_many(organisation, users)
        except (NoResponseError, UnreachableError, HeldBackError):
            raise
        except (TransientError, HaltError) as error:
            # A pause that is asked for is everybody's. What says where it was met may be one person's doing.
            if error.stage is None or len(users) == 1:
                raise
        raise _RetryIndividuallyError
