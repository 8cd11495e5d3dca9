"""How a route of an action is described: its address, body, key and answer, and its problems."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from flask import g, request

from hub.api import action_schemas
from hub.api.problems import CONTENT_TYPE, ProblemSchema, refuse
from schemas.hub.action import ActionRefusal, ActionRefusedError, Actor, Submission

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import NoReturn

    from flask_smorest import Blueprint
    from marshmallow import Schema

_READS: Final = (401, 404, 503)
_ACTS: Final = (400, 401, 403, 404, 409, 413, 422, 503)


def refuse_unreadable_json() -> None:
    """Refuse JSON that no parser takes: broken, nested too deeply, or with a number of too many digits."""
    if request.is_json and request.get_data():
        try:
            json.loads(request.get_data())
        except (ValueError, RecursionError):
            refuse(400)


def get_route(
    blueprint: Blueprint,
    path: str,
    answer: type[Schema],
    *,
    query: type[Schema] | None = None,
    statuses: tuple[int, ...] = _READS,
) -> Callable[[Callable[..., dict[str, Any]]], Any]:
    """Return the decorator of a resource that tells what an action would do."""

    def decorate(function: Any) -> Any:
        function = blueprint.response(200, answer)(function)
        if query is not None:
            function = _arguments(blueprint, function, query, "query")
        return _described(blueprint, path, "GET", function, list(statuses))

    return decorate


def post_route(  # noqa: PLR0913 - what a route is made of
    blueprint: Blueprint,
    path: str,
    answer: type[Schema],
    *,
    body: type[Schema] | None = None,
    status: int = 200,
    headers: type[Schema] = action_schemas.KeyHeader,
    further: tuple[int, ...] = (),
) -> Callable[[Callable[..., Any]], Any]:
    """Return the decorator of an action; `further` are problems of its own."""

    def decorate(function: Any) -> Any:
        function = blueprint.response(status, answer)(function)
        if body is not None:
            function = _arguments(blueprint, function, body, "json")
        function = _arguments(blueprint, function, headers, "headers")
        return _described(blueprint, path, "POST", function, [*_ACTS, *further])

    return decorate


def submission_of(headers: Mapping[str, str]) -> Submission:
    """Return what a program has sent, with its own key."""
    return Submission(actor=Actor(token=g.api_token.id), key=headers["key"])


def refuse_action(error: ActionRefusedError) -> NoReturn:
    """End the request because of an action that was refused: 412 if it was meant for another state."""
    refuse(412 if error.why is ActionRefusal.CHANGED_MEANWHILE else 409, action=error.why)


def _arguments(blueprint: Blueprint, function: Any, schema: type[Schema], location: str) -> Any:
    function = blueprint.arguments(schema, location=location)(function)
    # The library describes an answer of its own for it, which is not ours.
    function._apidoc["arguments"]["responses"].clear()  # noqa: SLF001 - it has no other place for that
    return function


def _described(blueprint: Blueprint, path: str, method: str, function: Any, statuses: list[int]) -> Any:
    for status in statuses:
        function = blueprint.alt_response(status, schema=ProblemSchema, content_type=CONTENT_TYPE)(function)
    return blueprint.route(path, methods=[method])(function)
