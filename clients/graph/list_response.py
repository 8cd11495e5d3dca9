"""Reads a response that is a page of one of Graph's lists."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from clients.graph.errors import unreadable
from clients.http.session import json_object

if TYPE_CHECKING:
    import requests

#: The most users of a page. The client requests 999, and a delta may return some more.
MAX_USERS_PER_PAGE: Final = 2000


def read_list(response: requests.Response) -> tuple[dict[str, Any], list[Any]]:
    """Return the response's body and its entities; raise `TransientError` when it is not a valid list."""
    body = json_object(response)
    if body is None:
        raise unreadable(response, "no JSON object")
    entities = body.get("value")
    if not isinstance(entities, list):
        raise unreadable(response, "`value` is no list")
    if len(entities) > MAX_USERS_PER_PAGE:
        raise unreadable(
            response, f"its page holds {len(entities)} users, and {MAX_USERS_PER_PAGE} are the most"
        )
    return body, entities
