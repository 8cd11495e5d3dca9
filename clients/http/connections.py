"""Connections whose every wait ends at the request's deadline, and whose headers are bounded."""

from __future__ import annotations

import ipaddress
import math
import queue
import select
import socket
import threading
from functools import partial
from http.client import HTTPException, HTTPResponse
from typing import TYPE_CHECKING, Any, Final

from gevent import monkey
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import ConnectTimeoutError, NameResolutionError, NewConnectionError

from clients.http.deadlines import WATCHDOG

if TYPE_CHECKING:
    from urllib3 import PoolManager

    from clients.http.deadlines import Deadline

#: Bytes of an answer's status line and headers, `100 Continue` and the like before it included.
MAX_HEADER_BYTES: Final = 64 * 1024

#: `select.poll` of Python itself: gevent's own, which the workers have in its place, goes once around its
#: event loop for a question that takes no time, at twenty times the cost.
_poll: Final = monkey.get_original("select", "poll")


class _Head:
    """What an answer's head is read from: not without end."""

    def __init__(self, source: Any) -> None:
        self._source = source
        self._left = MAX_HEADER_BYTES

    def readline(self, limit: int = -1) -> bytes:
        """Return a line; raise `HTTPException` when there were too many."""
        line: bytes = self._source.readline(limit)
        self._left -= len(line)
        if self._left < 0:
            raise HTTPException("the head is too large")
        return line

    def __getattr__(self, name: str) -> Any:
        """Be the source itself in all else."""
        return getattr(self._source, name)


class _BoundedResponse(HTTPResponse):
    """Python's answer, with an end to its head."""

    def begin(self) -> None:
        """Read status line and headers."""
        source = self.fp
        self.fp = _Head(source)  # type: ignore[assignment] # has what is read from
        try:
            super().begin()
        finally:
            if self.fp is not None:
                self.fp = source


class BoundedHTTPConnection(HTTPConnection):
    """A connection that looks up, connects and talks within the deadline of the present request."""

    response_class = _BoundedResponse  # type: ignore[mutable-override] # a kind of it
    #: The socket while it is connected: TLS takes the first one apart before it gives the second.
    _lever: socket.socket | None = None
    #: The head and the body of a request while they are collected: sent together, they cost one packet.
    _parts: list[bytes] | None = None

    @property
    def is_connected(self) -> bool:
        """Say whether a request can go out: the server has neither ended the connection nor sent anything."""
        if self.sock is None:
            return False
        poll = _poll()
        poll.register(self.sock, select.POLLIN)
        return not poll.poll(0)

    def connect(self) -> None:
        """Connect, through a proxy and with TLS if need be."""
        try:
            super().connect()
        finally:
            lever, self._lever = self._lever, None
            if (deadline := WATCHDOG.current.deadline) is not None:
                deadline.watch(self.sock)
            if lever is not None:
                lever.close()

    def request(self, *args: Any, **kwargs: Any) -> None:
        """Send a request; the socket is the deadline's from now on."""
        if (deadline := WATCHDOG.current.deadline) is not None:
            deadline.watch(self.sock)
        self._parts = []
        try:
            super().request(*args, **kwargs)
        finally:
            parts, self._parts = self._parts, None
        super().send(b"".join(parts))

    def send(self, data: Any) -> None:
        """Send bytes, or keep them until a whole request is there."""
        if self._parts is None:
            super().send(data)
        else:
            self._parts.append(bytes(data))

    def _new_conn(self) -> socket.socket:
        deadline = WATCHDOG.current.deadline
        if deadline is None:
            return super()._new_conn()
        host, timeout = self._dns_host, self.timeout
        failure: Exception = NewConnectionError(self, "the name has no address")
        try:
            for address in self._addresses(deadline):
                self._dns_host = address
                self.timeout = min(timeout or math.inf, deadline.remaining())
                try:
                    sock = super()._new_conn()
                except (NewConnectionError, ConnectTimeoutError) as error:
                    failure = error
                else:
                    self._lever = sock.dup()
                    deadline.watch(self._lever)
                    return sock
        finally:
            self._dns_host, self.timeout = host, timeout
        raise failure

    def _addresses(self, deadline: Deadline) -> list[str]:
        """Return the host's numeric addresses, looked up by a thread that is left alone when time is up.

        Nothing else ends a look-up: the system's resolver takes no timeout.
        """
        if _is_numeric(self._dns_host):
            return [self._dns_host]
        found: queue.SimpleQueue[list[str] | OSError] = queue.SimpleQueue()
        look_up = partial(_look_up, self._dns_host, self.port, found)
        threading.Thread(target=look_up, name="http-look-up", daemon=True).start()
        try:
            addresses = found.get(timeout=deadline.remaining())
        except queue.Empty:
            raise ConnectTimeoutError(self, "no address in time") from None
        if isinstance(addresses, list):
            return addresses
        if isinstance(addresses, socket.gaierror):
            raise NameResolutionError(self.host, self, addresses)
        raise NewConnectionError(self, "the name cannot be looked up")


class BoundedHTTPSConnection(BoundedHTTPConnection, HTTPSConnection):
    """The same with TLS."""


class _HttpPool(HTTPConnectionPool):
    ConnectionCls = BoundedHTTPConnection  # type: ignore[mutable-override] # a kind of it


class _HttpsPool(HTTPSConnectionPool):
    ConnectionCls = BoundedHTTPSConnection  # type: ignore[mutable-override] # a kind of it


def use_bounded_connections(manager: PoolManager) -> None:
    """Have a manager make connections of these kinds."""
    manager.pool_classes_by_scheme = {"http": _HttpPool, "https": _HttpsPool}


def _is_numeric(host: str) -> bool:
    try:
        ipaddress.ip_address(host.strip("[]").partition("%")[0])
    except ValueError:
        return False
    return True


def _look_up(host: str, port: int, found: queue.SimpleQueue[list[str] | OSError]) -> None:
    try:
        responses = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except UnicodeError:
        found.put(socket.gaierror("not a name"))
    except OSError as error:
        found.put(error)
    else:
        found.put(list(dict.fromkeys(str(address[0]) for *_, address in responses)))
