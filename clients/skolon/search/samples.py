"""Reads a few users of an organisation by pages that are small on purpose, to see whether pages add up."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from clients.skolon.search.pages import PageRequest, identity

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from clients.skolon.search.pages import SearchPage

#: Users that are read, and users of one page.
SAMPLE_SIZE: Final = 6
PAGE_SIZE: Final = 2


def read_sample(read: Callable[[PageRequest], SearchPage]) -> tuple[list[Any], bool | None]:
    """Return the first users of a list, each once, and whether their pages add up.

    They do if no user comes twice, none is missing by the server's count, and one large page has the same
    users as several small ones. None is not known: all users are on one page.
    """
    found: dict[str, Any] = {}
    request, pages = PageRequest(count=PAGE_SIZE), 0
    while len(found) < SAMPLE_SIZE:
        page = read(request)
        pages += 1
        known = len(found)
        for resource in page.resources:
            found.setdefault(identity(resource, len(found)), resource)
        if len(found) < known + len(page.resources):
            return list(found.values()), False
        if page.next_cursor is not None and page.resources:
            request = PageRequest(cursor=page.next_cursor, count=PAGE_SIZE)
        elif page.total is None or len(found) == page.total:
            break
        elif not page.resources or len(found) > page.total:
            return list(found.values()), False
        else:
            request = PageRequest(start_index=request.start_index + len(page.resources), count=PAGE_SIZE)
    if pages <= 1:
        return list(found.values()), None
    return list(found.values()), _is_prefix(read(PageRequest(count=SAMPLE_SIZE)).resources, list(found))


def _is_prefix(resources: Sequence[Any], found: Sequence[str]) -> bool:
    """Say whether a page has the same users as the pages before it, as far as both go."""
    seen = [identity(resource, place) for place, resource in enumerate(resources)]
    return all(one == other for one, other in zip(seen, found, strict=False))
