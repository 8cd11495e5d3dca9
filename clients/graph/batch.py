"""Reads up to twenty users in one request: `POST /$batch`, with a response for each.

Source: Microsoft's page on combining requests with JSON batching.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final

import requests
from requests.structures import CaseInsensitiveDict

from clients.graph.errors import unreadable
from clients.graph.user_paths import COUNT
from clients.http.session import is_client_error, json_object
from schemas.details.detail import Detail
from schemas.details.kinds import DetailKind
from schemas.errors import Dependency, FailureKind, TransientError, UpdateSyncError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from clients.http.session import Response

#: Graph's limit for one batch.
MAX_BATCH_SIZE: Final = 20

#: The paths that a batch may hold: one user, or those that a filter finds, and properties of them.
_READING: Final = re.compile(
    r"/users(/(?!\.{1,2}\?)[^/?#]+\?|\?(\$count=true&)?\$filter=[A-Za-z0-9%._~-]+&)"
    r"\$select=[A-Za-z]+(,[A-Za-z]+)*\Z",
    re.ASCII,
)

_ADVANCED: Final = {"headers": {"ConsistencyLevel": "eventual"}}

#: Refusals that do not concern batches.
_UNRELATED_STATUSES: Final = frozenset({401, 408, 425, 429})
_STATUSES: Final = range(100, 600)


class BatchRefusedError(UpdateSyncError):
    """Graph, or a proxy before it, refuses batches: users have to be requested one by one."""


@dataclass(frozen=True, kw_only=True)
class BatchItemResponse:
    """One answer out of a batch; see `clients.http.session.Response`."""

    status_code: int
    headers: Mapping[str, str]
    content: bytes


def batch_body(readings: Sequence[str]) -> bytes:
    """Return the body of a batch of GETs; each reading is an address below `/v1.0`, with its query."""
    steps = [
        {"id": str(place), "method": "GET", "url": reading, **(_ADVANCED if COUNT in reading else {})}
        for place, reading in enumerate(readings)
    ]
    return json.dumps({"requests": steps}, separators=(",", ":")).encode()


def read_only_batches(address: str) -> Callable[[requests.PreparedRequest], bool]:
    """Return what tells a gate whether a request is a batch to `address` that can do nothing but read.

    A batch could change anything: so it counts only when it is to the letter what `batch_body` makes of
    readings of users.
    """
    spelled = requests.Request("POST", address).prepare().url

    def is_one(request: requests.PreparedRequest) -> bool:
        return request.method == "POST" and request.url == spelled and _only_reads(request.body)

    return is_one


def refuses_batches(response: Response) -> bool:
    """Say whether an answer means that no batch will ever be taken."""
    status = response.status_code
    return status == HTTPStatus.NOT_IMPLEMENTED or (
        is_client_error(status) and status not in _UNRELATED_STATUSES
    )


def read_batch(response: Response, count: int) -> list[BatchItemResponse | TransientError]:
    """Return the answers of a batch of `count` in the order in which they were asked; Graph's is any.

    One that is missing, or none that can be read, is a `TransientError`. Raises one when the whole is none.
    """
    responses = (json_object(response) or {}).get("responses")
    if not isinstance(responses, list):
        raise unreadable(response, Detail(DetailKind.NO_LIST, field="responses"))
    found = {str(each.get("id")): _inner(each) for each in responses if isinstance(each, dict)}
    return [found.get(str(place)) or _lost() for place in range(count)]


def _only_reads(body: object) -> bool:
    try:
        readings = [operation["url"] for operation in json.loads(body)["requests"]]  # type: ignore[arg-type] # anything may be sent
        return (
            0 < len(readings) <= MAX_BATCH_SIZE
            and all(map(_READING.match, readings))
            and body == batch_body(readings)
        )
    except (ValueError, TypeError, LookupError, RecursionError):
        return False


def _inner(response: dict[str, Any]) -> BatchItemResponse | None:
    status, headers = response.get("status"), response.get("headers")
    if type(status) is not int or status not in _STATUSES:
        return None
    texts = headers.items() if isinstance(headers, dict) else ()
    return BatchItemResponse(
        status_code=status,
        headers=CaseInsensitiveDict({name: text for name, text in texts if isinstance(text, str)}),
        # What was no JSON comes as text, in base64, and is no JSON object here either.
        content=json.dumps(response.get("body")).encode(),
    )


def _lost() -> TransientError:
    return TransientError(
        Dependency.GRAPH,
        Detail(DetailKind.HTTP_STATUS_BUT, status=200, why=Detail(DetailKind.MISSING_IN_BATCH)),
        status=200,
        kind=FailureKind.UNREADABLE,
    )
