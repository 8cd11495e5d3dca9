"""A minimal HTTP/1.1 server for requests: whole requests, known lengths, keep-alive."""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Final, Protocol

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable

_LENGTH: Final = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_END: Final = b"\r\n\r\n"

_WORDS: Final = {
    200: "OK",
    204: "No Content",
    400: "Bad Request",
    404: "Not Found",
    412: "Precondition Failed",
    501: "Not Implemented",
    503: "Service Unavailable",
}


@dataclass(frozen=True, slots=True)
class Request:
    """One request; `head` are all lines before the body."""

    method: str
    path: str
    query: str
    head: bytes
    body: bytes


class Application(Protocol):
    """An application: one call for each request, which must not block."""

    #: Seconds by which each response is delayed, independently of the others.
    latency: float
    #: While this is a list, responses wait in it until the bench sends them.
    held: list[Callable[[], None]] | None

    def answer(self, request: Request) -> bytes:
        """Return the whole response, as `answered` makes it."""


def answered(
    status: int, body: bytes = b"", *, kind: str = "application/json", etag: str | None = None
) -> bytes:
    """Return the encoded response."""
    tag = f"ETag: {etag}\r\n" if etag is not None else ""
    line = f"HTTP/1.1 {status} {_WORDS[status]}"
    return f"{line}\r\nContent-Type: {kind}\r\n{tag}Content-Length: {len(body)}\r\n\r\n".encode() + body


class Connection(asyncio.Protocol):
    """One connection, kept alive until the client closes it."""

    def __init__(self, application: Application) -> None:
        self._application = application
        self._received = b""
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Store the transport for responses."""
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 - TCP has no other kind
        self._transport = transport

    def connection_lost(self, exc: Exception | None) -> None:
        """Drop the transport."""
        del exc
        self._transport = None

    def data_received(self, data: bytes) -> None:
        """Answer every complete request."""
        self._received += data
        while (end := self._received.find(_END)) >= 0:
            head = self._received[:end]
            length = 0 if head.startswith(b"GET ") else _length(head)
            total = end + len(_END) + length
            if len(self._received) < total:
                return
            body = self._received[total - length : total]
            self._received = self._received[total:]
            self._answer(head, body)

    def _answer(self, head: bytes, body: bytes) -> None:
        line, _, _ = head.partition(b"\r\n")
        method, target, _ = line.decode("latin-1").split(" ")
        path, _, query = target.partition("?")
        answer = self._application.answer(Request(method, path, query, head, body))
        if path.startswith(CONTROL):
            self._send(answer)
        elif self._application.held is not None:
            self._application.held.append(partial(self._send, answer))
        elif self._application.latency:
            asyncio.get_running_loop().call_later(self._application.latency, self._send, answer)
        else:
            self._send(answer)

    def _send(self, answer: bytes) -> None:
        if self._transport is not None:
            self._transport.write(answer)


def _length(head: bytes) -> int:
    match = _LENGTH.search(head)
    return int(match[1]) if match else 0


#: The path of the bench's orders, which are neither delayed nor counted.
CONTROL: Final = "/bench/"


async def listen(application: Application, context: ssl.SSLContext | None = None) -> int:
    """Serve on a free port of loopback and return it."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(
        lambda: Connection(application), "127.0.0.1", 0, ssl=context, backlog=512
    )
    port: int = server.sockets[0].getsockname()[1]
    return port


class Counts:
    """Counts requests of each kind since the last reading."""

    def __init__(self) -> None:
        self._counter: Counter[str] = Counter()

    def add(self, kind: str) -> None:
        """Count one request."""
        self._counter[kind] += 1

    def take(self) -> dict[str, int]:
        """Return the counts and reset them."""
        taken = dict(self._counter)
        self._counter.clear()
        return taken
