"""``POST /$batch``: up to twenty requests in one, each with a status of its own.

Source: Microsoft's page on combining requests with JSON batching.
"""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Any

from sandbox.microsoft.http_messages import GraphError, Request, Response, json_response

if TYPE_CHECKING:
    from collections.abc import Callable

LARGEST_BATCH = 20


def run_batch(request: Request, run_one: Callable[[Request], Response]) -> Response:
    """Run each inner request and answer with all answers, in another order than they were asked.

    Graph promises no order, so this one is never the caller's. Raises GraphError 400 when
    the batch itself is wrong.
    """
    steps = _steps(request)
    answers = [_spell(step["id"], run_one(_inner(request, step))) for step in reversed(steps)]
    return json_response({"responses": answers})


def _steps(request: Request) -> list[dict[str, str]]:
    try:
        steps = json.loads(request.body)["requests"]
    except (ValueError, KeyError, TypeError):
        raise _bad("Invalid batch payload format.") from None
    if not isinstance(steps, list) or not steps:
        raise _bad("Invalid batch payload format.")
    if len(steps) > LARGEST_BATCH:
        raise _bad(f"Number of batch request steps exceeds the maximum value of {LARGEST_BATCH}.")
    for step in steps:
        if not isinstance(step, dict) or not all(
            isinstance(step.get(key), str) for key in ("id", "method", "url")
        ):
            raise _bad("Each batch request step needs an id, a method and a url.")
    if len({step["id"] for step in steps}) < len(steps):
        raise _bad("Request Id has to be unique in a batch.")
    return steps


def _inner(request: Request, step: dict[str, Any]) -> Request:
    path, _, query = step["url"].partition("?")
    given = step.get("headers")
    headers = (
        {str(name).lower(): str(value) for name, value in given.items()} if isinstance(given, dict) else {}
    )
    inherited = {"authorization": request.headers.get("authorization", "")}
    return Request(
        method=step["method"].upper(),
        path="/v1.0/" + path.lstrip("/"),
        raw_query=query,
        headers={**headers, **inherited},
        base_url=request.base_url,
    )


def _spell(step_id: str, response: Response) -> dict[str, Any]:
    spelled: dict[str, Any] = {"id": step_id, "status": response.status, "headers": dict(response.headers)}
    if response.headers.get("Content-Type", "").startswith("application/json"):
        try:
            return {**spelled, "body": json.loads(response.body)}
        except ValueError:
            pass
    return {**spelled, "body": base64.b64encode(response.body).decode()}


def _bad(message: str) -> GraphError:
    return GraphError(400, "BadRequest", message)
