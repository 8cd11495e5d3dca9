"""Batches concurrent searches of one organisation into one SCIM request."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from clients.skolon.errors import NoResponseError
from runtime.coalescer import Coalescer
from runtime.pacing import RequestPacer
from runtime.services import CircuitOpenError, ShutdownError
from schemas.errors import HaltError, TransientError, UnreachableError
from schemas.users.attributes import Attribute
from schemas.users.skolon_user import SkolonUser

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from clients.skolon.search.scim_search import SearchResult

#: Users of one search at most. With keys of up to 50 characters the filter fits into one URL. More users
#: would mean two searches in a row, and each user would wait for both.
MAX_USERS_PER_SEARCH: Final = 16

#: Seconds between two searches of an organisation while a response is awaited. Long enough for other searches
#: to join, short beside the latency of a server elsewhere.
MIN_GAP: Final = 0.005

#: Searches of one organisation that a process has in flight at a time.
MAX_IN_FLIGHT: Final = 16


class _RetryIndividuallyError(Exception):
    """The response to several users may concern one of them."""


class SearchBatcher(Coalescer[str, Mapping[Attribute, str], list[SkolonUser]]):
    """Sends one search for all users that threads look up at the same moment.

    `call(organisation, keys)` returns the users that have any of the keys. The keys decide which result
    belongs to which caller. A refused or unreadable response to several users is asked for again, one user
    at a time (promise P7).
    """

    def __init__(
        self,
        search_many: Callable[[str, Sequence[Mapping[Attribute, str]]], list[SearchResult]],
        *,
        at_once: int = MAX_IN_FLIGHT,
        gap: float = MIN_GAP,
    ) -> None:
        """Take the function that sends a search, and the bounds of this organisation's searches."""
        self._search_many = search_many
        self._pacer = RequestPacer(gap)
        super().__init__(
            self._send_batch,
            max_batch=MAX_USERS_PER_SEARCH,
            max_in_flight=at_once,
            before_send=self._wait_for_gap,
            shared_errors=(TransientError, HaltError, ShutdownError),
        )

    def _wait_for_gap(self, organisation: str, users: Sequence[Mapping[Attribute, str]]) -> None:
        self._pacer.wait(organisation, lambda: len(users) >= MAX_USERS_PER_SEARCH)

    def _send_batch(self, organisation: str, users: Sequence[Mapping[Attribute, str]]) -> list[SearchResult]:
        try:
            with self._pacer.in_flight(organisation):
                return self._search_many(organisation, users)
        except (NoResponseError, UnreachableError, CircuitOpenError):
            raise
        except (TransientError, HaltError) as error:
            # A requested pause concerns all users. An error with a stage may concern one of them.
            if error.stage is None or len(users) == 1:
                raise
        raise _RetryIndividuallyError
