"""``/users``, ``/users/$count`` and ``/users/{id}``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from sandbox.microsoft.faults import Effect
from sandbox.microsoft.graph.filters import parse_filter
from sandbox.microsoft.graph.properties import DEFAULT, SINGLE_USER_ONLY, parse_select, project
from sandbox.microsoft.graph.tokens import decode_token, encode_token
from sandbox.microsoft.http_messages import GraphError, Response
from sandbox.microsoft.request_context import RequestContext, expired_page_token

if TYPE_CHECKING:
    from collections.abc import Iterable

LARGEST_PAGE = 999
DEFAULT_PAGE = 100


def list_users(context: RequestContext) -> Response:
    """``GET /users``: one page, and the address of the next."""
    context.allow_options(("$select", "$top", "$count", "$skiptoken", "$filter"))
    selected = parse_select(context.query.get("$select"))
    _refuse_single_user_properties(context, selected or ())
    if (text := context.query.get("$filter")) is not None:
        return _find_users(context, text, selected)
    size = _page_size(context.query.get("$top"))
    position, page = _where(context)
    if fault := context.has_fault(Effect.EXPIRED_PAGE_TOKEN):
        raise expired_page_token(fault.code)
    users, following = context.directory.page(position, size)
    if context.has_fault(Effect.EMPTY_PAGE):
        users, following = [], position
    body: dict[str, Any] = {}
    if page == 1 and context.query.get("$count") == "true" and _eventual(context):
        body["@odata.count"] = len(context.directory)
    if context.has_fault(Effect.REPEATED_LINK):
        body["@odata.nextLink"] = context.request.url
    elif following is not None and not context.has_fault(Effect.CUT_SHORT):
        body["@odata.nextLink"] = _next_link(context, following, page + 1)
    names = selected or DEFAULT
    body["value"] = [project(user, names) for user in users]
    return context.respond(_context(selected), body)


def _find_users(context: RequestContext, text: str, selected: tuple[str, ...] | None) -> Response:
    """Answer a filter on one page; the users that a sync searches for are few."""
    condition = parse_filter(text, advanced=_eventual(context) and context.query.get("$count") == "true")
    found = [project(user, selected or DEFAULT) for user in context.directory.find(condition)]
    return context.respond(_context(selected), {"value": found})


def count_users(context: RequestContext) -> Response:
    """``GET /users/$count``: the number, as text."""
    if not _eventual(context):
        raise GraphError(400, "Request_BadRequest", "$count is not currently supported.")
    return Response(body=str(len(context.directory)).encode(), headers={"Content-Type": "text/plain"})


def get_user(context: RequestContext, id_or_name: str) -> Response:
    """``GET /users/{id}``: one user, birthday and all."""
    context.allow_options(("$select",))
    selected = parse_select(context.query.get("$select"))
    user = context.directory.get(id_or_name)
    if user is None:
        raise GraphError(
            404,
            "Request_ResourceNotFound",
            f"Resource '{id_or_name}' does not exist or one of its queried reference-property objects are "
            "not present.",
        )
    return context.respond(_context(selected) + "/$entity", project(user, selected or DEFAULT))


def page_number(query: dict[str, str], *, tenant: str) -> int:
    """Return which page of a list or delta a request asks for, counted from 1; 1 when in doubt."""
    try:
        return int(decode_token(query.get("$skiptoken", ""), tenant=tenant).get("page", 1))
    except (GraphError, ValueError, TypeError):
        return 1


def _where(context: RequestContext) -> tuple[int, int]:
    token = context.query.get("$skiptoken")
    if token is None:
        return 0, 1
    values = decode_token(token, tenant=context.app.tenant)
    position, page = values.get("position"), values.get("page")
    if not isinstance(position, int) or not isinstance(page, int):
        raise GraphError(400, "Request_BadRequest", "Badly formed token.")
    return position, page


def _next_link(context: RequestContext, position: int, page: int) -> str:
    token = encode_token({"tenant": context.app.tenant, "position": position, "page": page})
    options = {name: value for name, value in context.query.items() if name != "$skiptoken"}
    return link(context, "/v1.0/users", {**options, "$skiptoken": token}.items())


def link(context: RequestContext, path: str, options: Iterable[tuple[str, str]]) -> str:
    """Return an absolute address, or a relative one if a fault says so.

    A ``+`` in a value stays one, and so does a ``$`` in a name.
    """
    base = "" if context.has_fault(Effect.RELATIVE_LINK) else context.request.base_url
    query = "&".join(f"{quote(name, safe='$')}={quote(value, safe='+')}" for name, value in options)
    return f"{base}{path}?{query}"


def _page_size(top: str | None) -> int:
    if top is None:
        return DEFAULT_PAGE
    if not (top.isascii() and top.isdigit() and 1 <= int(top) <= LARGEST_PAGE):
        raise GraphError(
            400,
            "Request_UnsupportedQuery",
            f"Invalid page size specified: '{top}'. Must be between 1 and {LARGEST_PAGE} inclusive.",
        )
    return int(top)


def _refuse_single_user_properties(context: RequestContext, names: Iterable[str]) -> None:
    refused = [name for name in names if name in SINGLE_USER_ONLY]
    if not refused:
        return
    if context.has_fault(Effect.SHAREPOINT_REFUSAL):
        raise GraphError(
            400,
            "-1, Microsoft.SharePoint.Client.InvalidClientQueryException",
            'The expression "id in (…)" is not valid.',
        )
    raise GraphError(501, "NotImplemented", "This operation target is not yet supported.")


def _eventual(context: RequestContext) -> bool:
    return context.request.headers.get("consistencylevel", "").lower() == "eventual"


def _context(selected: tuple[str, ...] | None) -> str:
    return f"users({','.join(selected)})" if selected else "users"
