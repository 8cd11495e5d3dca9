"""Finds users of servers without filters: lists all users once in a while, and keeps an index of them."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Protocol

from cachetools import TTLCache

from clients.skolon.search.filters import users_matching
from clients.skolon.search.pages import InconsistentPagesError, TooManyResultsError, iterate_resources
from clients.skolon.search.requests import FoundUser, RefusedSearchError, SearchRequests, UnreadableUser
from clients.turns import Turn
from schemas.details.detail import Detail
from schemas.details.kinds import DetailKind
from schemas.errors import HaltError
from schemas.outcomes import Cause, Stage
from schemas.users.attributes import Attribute, normalized_key

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from schemas.users.skolon_user import SkolonUser

#: Users of an organisation that are listed at most, and organisations of which a process keeps an index
#: (promise P10): with some 100 bytes for each value of a user, 100 MB.
MAX_LISTED: Final = 50_000
_MAX_INDEXES: Final = 4

#: Users of a list that may be unreadable.
_MAX_UNREADABLE: Final = 1000

#: Seconds after which an organisation is listed anew.
TTL: Final = 600.0


class ReadUser(Protocol):
    """Reads a user as it is now."""

    def __call__(self, organisation: str, user_id: str) -> SkolonUser | None:
        """Return the user, None when there is none."""


@dataclass
class _Index:
    """The ids of an organisation's users by hashes of their values; no value is kept (promise P6)."""

    ids: dict[int, tuple[str, ...]] = field(default_factory=dict)
    unreadable: list[UnreadableUser] = field(default_factory=list)

    def add(self, user: SkolonUser) -> None:
        for attribute, value in user.attributes.items():
            if value is not None:
                key = _key(attribute, value)
                known = self.ids.get(key, ())
                if user.id not in known:
                    self.ids[key] = (*known, user.id)


class ListedUsers:
    """Searches without filters; may be shared by threads.

    What the index finds is read again by its id, so that a user is as it is now. A user that is new, or has
    got a value from elsewhere, is found once the organisation is listed again.
    """

    def __init__(
        self, requests: SearchRequests, read: ReadUser, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._requests = requests
        self._read = read
        self._lock = threading.Lock()
        self._listing: dict[str, Turn] = {}
        self._indexes: TTLCache[str, _Index] = TTLCache(_MAX_INDEXES, ttl=TTL, timer=clock)

    def find(self, organisation: str, users: Sequence[Mapping[Attribute, str]]) -> list[FoundUser]:
        """Return the Skolon users that have a value of any of `users`.

        Raises `HaltError` (`skolon_search`) if the list does not add up or is too long, and what a list that
        is refused means.
        """
        index = self._index(organisation)
        keys = {_key(attribute, value) for keys in users for attribute, value in keys.items()}
        with self._lock:
            ids = {user_id: None for key in keys for user_id in index.ids.get(key, ())}
        found: list[FoundUser] = [each for each in index.unreadable if users_matching(each.resource, users)]
        for user_id in ids:
            user = self._read(organisation, user_id)
            # It may have changed since it was listed.
            if user is not None and any(_key(name, value or "") in keys for name, value in _values(user)):
                found.append(user)
        return found

    def note(self, organisation: str, user: SkolonUser) -> None:
        """Add the values that a user has got by an update to the index, if there is one."""
        with self._lock:
            index = self._indexes.get(organisation)
            if index is not None:
                index.add(user)

    def _index(self, organisation: str) -> _Index:
        with self._lock:
            listing = self._listing.setdefault(organisation, Turn())
        with listing.taken():
            with self._lock:
                index = self._indexes.get(organisation)
            if index is None:
                index = self._listed(organisation)
                with self._lock:
                    self._indexes[organisation] = index
            return index

    def _listed(self, organisation: str) -> _Index:
        index = _Index()
        try:
            for resource in iterate_resources(
                lambda page: self._requests.list_page(organisation, page), most=MAX_LISTED
            ):
                user = self._requests.read_user(resource)
                if not isinstance(user, UnreadableUser):
                    index.add(user)
                elif len(index.unreadable) < _MAX_UNREADABLE:
                    index.unreadable.append(user)
                else:
                    raise _unusable(Detail(DetailKind.MANY_UNREADABLE, limit=_MAX_UNREADABLE))
        except RefusedSearchError as refused:
            raise refused.error from None
        except InconsistentPagesError as error:
            raise _unusable(Detail(DetailKind.PAGES_DO_NOT_ADD_UP, seen=error.seen)) from None
        except TooManyResultsError:
            raise _unusable(Detail(DetailKind.LIST_TOO_LONG, limit=MAX_LISTED)) from None
        return index


def _key(attribute: Attribute, value: str) -> int:
    return hash((attribute, normalized_key(attribute, value)))


def _values(user: SkolonUser) -> Iterator[tuple[Attribute, str]]:
    return ((name, value) for name, value in user.attributes.items() if value is not None)


def _unusable(why: Detail) -> HaltError:
    return HaltError(Cause.SKOLON_SEARCH, Detail(DetailKind.LIST_UNUSABLE, why=why), stage=Stage.MATCH)
