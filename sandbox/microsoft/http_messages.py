"""A request as the stand-in sees it, the answer that it gives, and Graph's way to say no."""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, unquote

from sandbox.serving import CutConnectionError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from wsgiref.types import WSGIEnvironment

#: The media type of Graph's answers, as the real one spells it.
GRAPH_JSON = (
    "application/json;odata.metadata=minimal;odata.streaming=true;IEEE754Compatible=false;charset=utf-8"
)

#: What stays as it is in the path of an address that we give out.
_PATH_SAFE = "/$@'()"


class Kind(StrEnum):
    """What a request asks for: the unit in which requests are counted and faults are aimed."""

    DISCOVERY = "discovery"
    TOKEN = "token"  # noqa: S105 - a name, no password
    USERS = "users"
    COUNT = "count"
    USER = "user"
    BIRTHDAY = "birthday"
    DELTA = "delta"
    BATCH = "batch"
    OTHER = "other"


@dataclass(frozen=True, kw_only=True)
class Request:
    """One HTTP request. Header names are in lower case, the path is decoded."""

    method: str
    path: str
    raw_query: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    base_url: str
    request_id: str = field(default_factory=lambda: str(uuid.uuid4()))

    @property
    def query(self) -> dict[str, str]:
        """The query's options, percent-decoded. A ``+`` stays one: Graph's tokens may hold it."""
        pairs = (part.partition("=") for part in self.raw_query.split("&") if part)
        return {unquote(name): unquote(value) for name, _, value in pairs}

    @property
    def url(self) -> str:
        """The address that was asked for, absolute."""
        query = f"?{self.raw_query}" if self.raw_query else ""
        return self.base_url + quote(self.path, safe=_PATH_SAFE) + query

    @property
    def client_request_id(self) -> str:
        """The caller's id for this request, else our own, as Graph does."""
        return self.headers.get("client-request-id", self.request_id)


@dataclass(frozen=True, kw_only=True)
class Response:
    """One HTTP answer. ``cut_after`` is the number of bytes after which the connection ends."""

    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    cut_after: int | None = None

    def chunks(self) -> Iterator[bytes]:
        """Yield the body; raises CutConnectionError where it is to be cut."""
        yield self.body[: self.cut_after]
        if self.cut_after is not None:
            raise CutConnectionError


class GraphError(Exception):
    """Anything that Graph refuses, with the status, code and headers of its answer."""

    def __init__(
        self, status: int, code: str, message: str, *, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.headers = headers or {}

    def response(self, request: Request, moment: float) -> Response:
        """Spell the refusal as Graph does; ``moment`` is in seconds since 1970."""
        inner = {
            "date": datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%dT%H:%M:%S"),
            "request-id": request.request_id,
            "client-request-id": request.client_request_id,
        }
        error = {"code": self.code, "message": self.message, "innerError": inner}
        return json_response({"error": error}, status=self.status, headers=self.headers)


def json_response(
    value: Any,
    *,
    status: int = 200,
    headers: Mapping[str, str] | None = None,
    media_type: str = "application/json",
) -> Response:
    """Answer with ``value`` as JSON in UTF-8."""
    body = json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
    return Response(status=status, body=body, headers={"Content-Type": media_type, **(headers or {})})


def read_request(environ: WSGIEnvironment) -> Request:
    """Read a WSGI request wholly, its body too, so that the connection can be used again."""
    headers = {
        name[5:].replace("_", "-").lower(): value
        for name, value in environ.items()
        if name.startswith("HTTP_")
    }
    stream = environ["wsgi.input"]
    if environ.get("wsgi.input_terminated"):
        body = stream.read()
    else:
        length = int(environ.get("CONTENT_LENGTH") or 0)
        body = stream.read(length) if length else b""
    host = headers.get("host") or f"127.0.0.1:{environ['SERVER_PORT']}"
    return Request(
        method=environ["REQUEST_METHOD"],
        # PEP 3333: text out of a WSGI server is bytes in Latin-1 disguise.
        path=environ["PATH_INFO"].encode("latin-1").decode("utf-8", "replace"),
        raw_query=environ.get("QUERY_STRING", ""),
        headers=headers,
        body=body,
        base_url=f"{environ['wsgi.url_scheme']}://{host}",
    )
