"""Reads a page of Graph's delta: changed users, removed users, and the next link.

Source: Microsoft's reference of `user: delta` and its overview of delta queries.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from clients.graph.errors import unreadable
from clients.graph.list_response import read_list
from schemas.details.detail import Detail
from schemas.details.kinds import DetailKind
from schemas.users.graph_user import is_entra_id

if TYPE_CHECKING:
    from collections.abc import Mapping

    import requests

#: Not `return=minimal`, with which a user has what changed alone: what is left out is then never known.
DELTA_HEADERS: Final[Mapping[str, str]] = MappingProxyType({"Prefer": "odata.maxpagesize=999"})

_REMOVED: Final = "@removed"


@dataclass(frozen=True, kw_only=True)
class DeltaPage:
    """One page of a delta. Of the two links exactly one is there: `delta_link` at the end.

    `users` are as Graph gave them, `removed` ids of users who are no longer there. A user may be in both
    and several times: Graph promises no order.
    """

    users: tuple[Any, ...]
    removed: tuple[str, ...]
    next_link: str | None
    delta_link: str | None


def read_delta_page(response: requests.Response) -> DeltaPage:
    """Read an answer of success; raise `TransientError` when it is none of a delta."""
    body, entities = read_list(response)
    links = body.get("@odata.nextLink"), body.get("@odata.deltaLink")
    if [type(link) for link in links] not in ([str, type(None)], [type(None), str]):
        raise unreadable(response, Detail(DetailKind.NO_NEXT_LINK))
    removed = {entity["id"]: None for entity in entities if _is_removed(entity)}
    return DeltaPage(
        users=tuple(entity for entity in entities if not _is_removed(entity)),
        removed=tuple(removed),
        next_link=links[0],
        delta_link=links[1],
    )


def _is_removed(entity: object) -> bool:
    return isinstance(entity, dict) and _REMOVED in entity and is_entra_id(entity.get("id"))
