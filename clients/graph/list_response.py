"""Reads a response that is a page of one of Graph's lists."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from clients.graph.errors import response_error, unreadable
from clients.http.session import json_object, succeeded
from schemas.details.detail import Detail
from schemas.details.kinds import DetailKind
from schemas.errors import TransientError

if TYPE_CHECKING:
    from clients.http.session import Response

#: A filter that Graph does not take, for the value or the directory's age, is no fault of the run.
_REFUSED_FILTERS: Final = frozenset({400, 404, 501})

#: The most users of a page. The client requests 999, and a delta may return some more.
MAX_USERS_PER_PAGE: Final = 2000


@dataclass(frozen=True, kw_only=True)
class GraphPage:
    """One page of users, as Graph gave them, and the next page's link; a page without users may have one."""

    users: tuple[Any, ...]
    next_link: str | None


def read_list(response: Response) -> tuple[dict[str, Any], list[Any]]:
    """Return the response's body and its entities; raise `TransientError` when it is not a valid list."""
    body = json_object(response)
    if body is None:
        raise unreadable(response, Detail(DetailKind.NO_JSON_OBJECT))
    entities = body.get("value")
    if not isinstance(entities, list):
        raise unreadable(response, Detail(DetailKind.NO_LIST, field="value"))
    if len(entities) > MAX_USERS_PER_PAGE:
        raise unreadable(
            response, Detail(DetailKind.PAGE_TOO_LARGE, users=len(entities), limit=MAX_USERS_PER_PAGE)
        )
    return body, entities


def found_users(item: Response | TransientError) -> list[Any]:
    """Return what a search in a batch has found; raise its error, unless Graph does not take the filter."""
    if isinstance(item, TransientError):
        raise item
    if item.status_code in _REFUSED_FILTERS:
        return []
    if not succeeded(item):
        raise response_error(item)
    return read_list(item)[1]
