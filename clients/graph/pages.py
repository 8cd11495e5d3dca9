"""What the pages of Graph's lists have in common."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from clients.graph.errors import unreadable
from clients.http.session import json_object

if TYPE_CHECKING:
    import requests

#: Users of a page at most. Asked for are 999, and a delta may bring some more.
MAX_USERS_PER_PAGE: Final = 2000


def read_list(response: requests.Response) -> tuple[dict[str, Any], list[Any]]:
    """Return the answer and the entities on it; raise `TransientError` when it is no list that can be."""
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
