"""Reads all pages of a search, and checks that they add up to what the server says it has found."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from schemas.details.detail import Detail
from schemas.details.kinds import DetailKind

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

#: Users on a page, which a server may lower (RFC 7644 section 3.4.2.4), and users of one search at most: more
#: cannot share the keys of one user.
MAX_SEARCH_RESULTS: Final = 200


@dataclass(frozen=True, kw_only=True)
class PageRequest:
    """Which page is asked for, by the index of its first user, which counts from 1, or by a cursor."""

    start_index: int = 1
    cursor: str | None = None
    count: int = MAX_SEARCH_RESULTS


@dataclass(frozen=True, kw_only=True)
class SearchPage:
    """A page as the server gave it. `total` may be missing where there is a cursor (RFC 9865)."""

    total: int | None
    resources: list[Any]
    next_cursor: str | None = None


class InconsistentPagesError(Exception):
    """The pages of a search do not add up; `seen` says how, in numbers."""

    def __init__(self, seen: Detail) -> None:
        super().__init__(seen)
        self.seen = seen


class TooManyResultsError(Exception):
    """A search has found more than `MAX_SEARCH_RESULTS`; `resources` are those of its first page."""

    def __init__(self, resources: list[Any]) -> None:
        self.detail = Detail(DetailKind.TOO_MANY_FOUND, limit=MAX_SEARCH_RESULTS)
        super().__init__(self.detail)
        self.resources = resources


def read_pages(read: Callable[[PageRequest], SearchPage]) -> list[Any]:
    """Return the resources of all pages of a search, each user once; raises as `iterate_resources` does."""
    return list(iterate_resources(read, most=MAX_SEARCH_RESULTS))


def iterate_resources(read: Callable[[PageRequest], SearchPage], *, most: int) -> Iterator[Any]:
    """Yield the resources of all pages, each user once.

    Raises `InconsistentPagesError` unless there are as many different users as the server counts, and
    `TooManyResultsError` if there are more than `most`.
    """
    found: set[str] = set()
    request = PageRequest()
    while True:
        page = read(request)
        if max(page.total or 0, len(page.resources), len(found)) > most:
            raise TooManyResultsError(page.resources)
        known = len(found)
        for resource in page.resources:
            name = identity(resource, len(found))
            if name not in found:
                found.add(name)
                yield resource
        is_stuck = len(found) == known
        if page.next_cursor is not None:
            request = PageRequest(cursor=page.next_cursor)
        elif page.total is None or len(found) == page.total:
            return
        else:
            is_stuck = is_stuck or len(found) > page.total
            request = PageRequest(start_index=request.start_index + len(page.resources))
        if is_stuck:
            raise InconsistentPagesError(
                Detail(DetailKind.PAGES_SEEN, found=len(found), counted=page.total or 0)
            )


def identity(resource: Any, place: int) -> str:
    """Return what makes a resource a different one; one without an id is like no other."""
    user_id = resource.get("id") if isinstance(resource, dict) else None
    return f"place {place}" if user_id is None else f"id {user_id}"
