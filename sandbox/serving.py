"""Serve a WSGI application on loopback, in threads of this process.

Both stand-ins use it: :func:`serve` starts one and returns a :class:`Server` with a
``url``; leaving its ``with`` block, or ``close()``, ends every thread and socket.
"""

from __future__ import annotations

import errno
import logging
import ssl
import threading
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

from cheroot.server import HTTPConnection
from cheroot.ssl.builtin import BuiltinSSLAdapter
from cheroot.wsgi import Server as CherootServer

if TYPE_CHECKING:
    import socket
    from types import TracebackType
    from wsgiref.types import WSGIApplication

    from sandbox.certificates import Certificate

HOST = "127.0.0.1"
#: Requests that can be under way at once.
DEFAULT_THREADS = 32
#: Seconds that an idle connection is kept for its client's next request.
KEEP_ALIVE_SECONDS = 120
#: Seconds that close() waits for requests under way.
SHUTDOWN_SECONDS = 2

logger = logging.getLogger(__name__)


class CutConnectionError(ConnectionResetError):
    """Raised by an application (or its body) to have its connection cut on the spot.

    What has been sent so far stays sent: raised at once, the client gets no answer
    at all; raised in the middle of a body, it gets a truncated one.
    """

    def __init__(self) -> None:
        super().__init__(errno.ECONNRESET, "cut on purpose")


class _Adapter(BuiltinSSLAdapter):
    """TLS whose handshake is left to the worker thread: one slow client delays no other."""

    def wrap(self, sock: socket.socket) -> tuple[ssl.SSLSocket, dict[str, str]]:
        context: ssl.SSLContext = self.context
        wrapped = context.wrap_socket(sock, server_side=True, do_handshake_on_connect=False)
        return wrapped, {"wsgi.url_scheme": "https", "HTTPS": "on"}


class _Connection(HTTPConnection):
    """A connection that shakes hands, when it is TLS, before its first request."""

    _shaken = False

    def communicate(self) -> bool:
        if not self._shaken and isinstance(self.socket, ssl.SSLSocket):
            try:
                self.socket.do_handshake()
            except (OSError, ValueError) as error:
                logger.debug("TLS handshake failed: %s", error)
                return False
        self._shaken = True
        return bool(super().communicate())  # type: ignore[no-untyped-call]

    def close(self) -> None:
        """Close the socket, and the file that writes to it.

        cheroot leaves that file to the garbage collector, which then closes it: it tries to send what a
        cut connection left unsent, and fails where no one can catch it (an error since Python 3.13).
        """
        super().close()
        with suppress(OSError, ValueError):  # the client is gone
            self.wfile.close()


class _LoopbackServer(CherootServer):
    """cheroot that keeps as many connections as there are clients, and logs instead of printing."""

    keep_alive_conn_limit = 10_000
    ConnectionClass = _Connection
    #: cheroot looks for idle connections, and for its own end, this often (seconds).
    expiration_interval = 0.02
    #: Why it could not listen: cheroot raises an error that tells it in words only.
    refused: OSError | None = None

    def bind(self, family: int, type: int, proto: int = 0) -> Any:  # noqa: A002 - cheroot's own signature
        try:
            return super().bind(family, type, proto)
        except OSError as error:
            self.refused = error
            raise

    def error_log(self, msg: str = "", level: int = logging.INFO, traceback: bool = False) -> None:  # noqa: FBT001, FBT002 - cheroot's own signature
        logger.log(level, "%s", msg, exc_info=traceback)


@dataclass(frozen=True, kw_only=True)
class Server:
    """A running server. ``url`` has no slash at its end."""

    url: str
    port: int
    _cheroot: Any
    _thread: threading.Thread

    def close(self) -> None:
        """Stop serving; returns when every thread has ended. May be called twice."""
        self._cheroot.stop()
        self._thread.join()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def serve(
    app: WSGIApplication,
    *,
    host: str = HOST,
    port: int = 0,
    certificate: Certificate | None = None,
    threads: int = DEFAULT_THREADS,
) -> Server:
    """Serve ``app`` on loopback, or the address ``host``, and return when it accepts connections.

    ``port`` 0 is a free one. With a ``certificate`` it speaks TLS, without one plain
    HTTP. Raises OSError when the port is taken.
    """
    server = _LoopbackServer(
        (host, port),
        app,
        numthreads=threads,
        request_queue_size=128,
        timeout=KEEP_ALIVE_SECONDS,
        shutdown_timeout=SHUTDOWN_SECONDS,
    )
    if certificate is not None:
        # The chain as authority too: without one, all of the system's are loaded, and no client shows a
        # certificate that they would be asked about.
        server.ssl_adapter = _Adapter(str(certificate.chain), str(certificate.key), str(certificate.chain))
    try:
        server.prepare()
    except OSError as error:
        raise server.refused or error from None
    thread = threading.Thread(target=server.serve, name=f"serve-{server.bind_addr[1]}", daemon=True)
    thread.start()
    scheme = "http" if certificate is None else "https"
    chosen: int = server.bind_addr[1]
    return Server(url=f"{scheme}://{HOST}:{chosen}", port=chosen, _cheroot=server, _thread=thread)
