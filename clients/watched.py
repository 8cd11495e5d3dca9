"""Graph and Skolon behind their circuit breakers: each request goes through the passage to its service."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

from clients.skolon.errors import UnreadableUserError
from runtime.services import SEVERAL, SKOLON, graph_of, skolon_reading, skolon_updating
from schemas.errors import Dependency, TransientError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from clients.graph.birthday import Birthday
    from clients.graph.client import GraphClient, GraphPage
    from clients.graph.delta import DeltaPage
    from clients.skolon.client import SkolonClient
    from clients.skolon.search import SearchResult
    from clients.skolon.search_methods import SearchMethod
    from runtime.services import Passages
    from schemas.tenants.tenant import Credentials
    from schemas.users.attributes import Attribute
    from schemas.users.skolon_user import SkolonUser


class _NobodyReadableError(TransientError):
    """Of several users that Skolon has found none can be read: that is no single user's doing."""


class WatchedSkolon:
    """A Skolon directory whose methods raise `HeldBackError` and `StoppingError` beside their own errors."""

    def __init__(self, directory: SkolonClient, passages: Passages, *, one_host: bool = True) -> None:
        """Take whether all organisations are served by one host, so that it can be away for all of them."""
        self._directory = directory
        self._passages = passages
        self._host = SKOLON if one_host else None

    def search(self, organisation: str, keys: Mapping[Attribute, str]) -> list[SkolonUser]:
        """Return whoever has any of the values."""
        with self._passages.to(skolon_reading(organisation, self._host), _about(keys)):
            return self._directory.search(organisation, keys)

    def search_many(self, organisation: str, users: Sequence[Mapping[Attribute, str]]) -> list[SearchResult]:
        """Return for each of several people whoever has any of their values."""
        responses: list[SearchResult] = []
        about = _about(users[0]) if len(users) == 1 else SEVERAL
        with (
            suppress(_NobodyReadableError),
            self._passages.to(skolon_reading(organisation, self._host), about),
        ):
            responses = self._directory.search_many(organisation, users)
            if responses and all(isinstance(response, UnreadableUserError) for response in responses):
                raise _NobodyReadableError(Dependency.SKOLON, "no user is readable")
        return responses

    def search_method(self, organisation: str) -> SearchMethod | None:
        """Return how the organisation is searched, None while it is not known."""
        return self._directory.search_method(organisation)

    def read(self, organisation: str, user_id: str) -> SkolonUser | None:
        """Return one user as it is now, None when there is none."""
        with self._passages.to(skolon_reading(organisation, self._host), user_id):
            return self._directory.read(organisation, user_id)

    def update(
        self, organisation: str, user: SkolonUser, changes: Mapping[Attribute, str | None]
    ) -> str | None:
        """Make the changes and return the user's new version, if Skolon tells it."""
        with self._passages.to(skolon_updating(organisation, self._host), user.id):
            return self._directory.update(organisation, user, changes)

    def read_only(self) -> WatchedSkolon:
        """Return the same directory with no way to change anything."""
        return WatchedSkolon(self._directory.read_only(), self._passages, one_host=self._host is not None)


def _about(keys: Mapping[Attribute, str]) -> int:
    """Return what tells one person's searches from another's, and holds no value."""
    return hash(frozenset(keys.items()))


class WatchedGraph:
    """Graph as one directory sees it; raises `HeldBackError` and `StoppingError` beside Graph's errors."""

    def __init__(self, client: GraphClient, credentials: Credentials, passages: Passages) -> None:
        self._client = client
        self._service = graph_of(credentials.directory)
        self._passages = passages

    def page(self, link: str | None, select: Sequence[str]) -> GraphPage:
        """Return the first page of all users (no `link`), or the one that a `next_link` leads to."""
        with self._passages.to(self._service):
            return self._client.page(link, select)

    def delta_link(self, select: Sequence[str]) -> str | None:
        """Return the link of a delta that begins now; None when Graph does not come to give one."""
        with self._passages.to(self._service):
            return self._client.delta_link(select)

    def delta_page(self, link: str, *, is_delta_link: bool) -> DeltaPage:
        """Return a page of a delta link, or of a next link."""
        with self._passages.to(self._service):
            return self._client.delta_page(link, is_delta_link=is_delta_link)

    def user(self, user_id: str, select: Sequence[str]) -> dict[str, Any] | None:
        """Return one user as Graph gave it, None when there is no such user."""
        with self._passages.to(self._service):
            return self._client.user(user_id, select)

    def expect_birthday(self) -> None:
        """Say that the person in this thread's hand may need its birthday, so that others wait for it."""
        self._client.expect_birthday()

    def birthday(self, user_id: str) -> Birthday:
        """Return a user's birthday or why it is not known; asked for with others in one request."""
        with self._passages.to(self._service):
            return self._client.birthday(user_id)

    def count(self) -> int:
        """Return how many users the directory has."""
        with self._passages.to(self._service):
            return self._client.count()
