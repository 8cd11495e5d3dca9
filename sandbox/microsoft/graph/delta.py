"""``/users/delta``: all users once, and from then on what has changed.

Source: Microsoft's reference of ``user: delta`` and its overview of delta queries.
"""

from __future__ import annotations

import re
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from sandbox.microsoft.faults import Effect
from sandbox.microsoft.graph.properties import DEFAULT, SINGLE_USER_ONLY, parse_select
from sandbox.microsoft.graph.tokens import decode_token, encode_token
from sandbox.microsoft.graph.users import link
from sandbox.microsoft.http_messages import GraphError, Response
from sandbox.microsoft.request_context import RequestContext, expired_page_token

if TYPE_CHECKING:
    from sandbox.microsoft.directory import Entity

PATH = "/v1.0/users/delta"

#: Entities on a page; users report that Graph gives no more, whatever the caller prefers.
LARGEST_PAGE = 200

#: Seconds that a delta link lives: seven days.
LINK_SECONDS = 7 * 24 * 3600


def read_delta(context: RequestContext) -> Response:
    """``GET /users/delta``: one page, with a nextLink or, at the end, a deltaLink."""
    context.allow_options(("$select", "$skiptoken", "$deltatoken"))
    state = _state(context)
    if fault := context.has_fault(Effect.EXPIRED_PAGE_TOKEN):
        raise expired_page_token(fault.code)
    if context.has_fault(Effect.GROWING_ROUND):
        state["end"] = context.directory.log_end()
    entities, following = _read(context, state)
    selected = state["selected"]
    value = [_spell(context, entity, selected) for entity in entities]
    if value and context.has_fault(Effect.REPEATED_ENTITY):
        value.append(value[0])
    body: dict[str, Any] = {}
    if context.has_fault(Effect.REPEATED_LINK):
        body["@odata.nextLink"] = context.request.url
    elif following is not None:
        token = encode_token({**state, "position": following, "page": state["page"] + 1})
        body["@odata.nextLink"] = link(context, PATH, [("$skiptoken", token)])
    elif not context.has_fault(Effect.CUT_SHORT):
        body["@odata.deltaLink"] = link(context, PATH, [("$deltatoken", _delta_token(context, state))])
    body["value"] = value
    odata_context = f"users({','.join(selected)})" if selected else "users"
    return context.respond(f"{odata_context}/$delta", body)


def _state(context: RequestContext) -> dict[str, Any]:
    """Return where this round of the delta stands.

    ``position`` is in the directory while ``all`` is set, else in its log, up to ``end``,
    which is also where the next round will begin.
    """
    tenant = context.app.tenant
    if token := context.query.get("$skiptoken"):
        return _checked(decode_token(token, tenant=tenant))
    token = context.query.get("$deltatoken")
    end = context.directory.log_end()
    fresh = {"tenant": tenant, "end": end, "page": 1}
    if token is None or token == "latest":  # noqa: S105 - a word of Graph's, no password
        selected = _selected(context)
        reads_all = token is None
        return {**fresh, "all": reads_all, "position": 0 if reads_all else end, "selected": selected}
    values = decode_token(token, tenant=tenant)
    _refuse_expired(context, values)
    return _checked(
        {**fresh, "all": False, "position": values.get("end"), "selected": values.get("selected")}
    )


def _checked(values: dict[str, Any]) -> dict[str, Any]:
    if not all(isinstance(values.get(name), int) for name in ("position", "end", "page")):
        raise GraphError(400, "Request_BadRequest", "Badly formed token.")
    return values


def _selected(context: RequestContext) -> list[str] | None:
    selected = parse_select(context.query.get("$select"))
    refused = [name for name in selected or () if name in SINGLE_USER_ONLY]
    if refused:
        raise GraphError(
            400,
            "BadRequest",
            "Invalid request for delta query: for this entity set, $expand/$select is not supported for "
            f"the following properties: {', '.join(refused)}",
        )
    return list(selected) if selected else None


def _refuse_expired(context: RequestContext, values: dict[str, Any]) -> None:
    fault = context.has_fault(Effect.EXPIRED_DELTA)
    issued = values.get("issued")
    if not fault and isinstance(issued, int | float) and context.now - issued <= LINK_SECONDS:
        return
    status = (fault.status if fault else None) or 410
    if status == HTTPStatus.GONE:
        raise GraphError(
            410,
            "resyncRequired",
            "Resync required. Any local changes should be merged with the server's.",
            headers={"Location": f"{context.request.base_url}{PATH}?$deltatoken="},
        )
    if status == HTTPStatus.BAD_REQUEST:
        raise GraphError(400, "Request_UnsupportedQuery", "DeltaLink older than 30 days is not supported.")
    raise GraphError(status, "syncStateNotFound", "The sync state generation is not found.")


def _read(context: RequestContext, state: dict[str, Any]) -> tuple[list[Entity], int | None]:
    position = state["position"]
    if context.has_fault(Effect.EMPTY_PAGE):
        return [], position
    size = _page_size(context)
    if state["all"]:
        users, following = context.directory.page(position, size)
        return [context.directory.entity(user) for user in users], following
    selected = state["selected"]
    wanted = frozenset(selected) if selected else None
    return context.directory.changes(position, state["end"], size=size, selected=wanted)


def _page_size(context: RequestContext) -> int:
    match = re.search(r"odata\.maxpagesize=(\d{1,6})", context.request.headers.get("prefer", ""))
    return min(max(int(match[1]), 1), LARGEST_PAGE) if match else LARGEST_PAGE


def _spell(context: RequestContext, entity: Entity, selected: list[str] | None) -> dict[str, Any]:
    """Spell one entity; what was never set is left out, what was cleared is null."""
    if entity.user is None:
        return {"id": entity.user_id, "@removed": {"reason": entity.removed}}
    names = list(selected or DEFAULT)
    if "return=minimal" in context.request.headers.get("prefer", "") and entity.changed is not None:
        names = [name for name in names if name in entity.changed]
    spelled = {
        name: entity.user.get(name)
        for name in names
        if entity.user.get(name) is not None or name in entity.cleared
    }
    return {**spelled, "id": entity.user_id}


def _delta_token(context: RequestContext, state: dict[str, Any]) -> str:
    return encode_token(
        {
            "tenant": context.app.tenant,
            "end": state["end"],
            "selected": state["selected"],
            "issued": int(context.now),
        }
    )
