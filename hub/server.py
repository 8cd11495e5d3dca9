"""The server of the pages: gunicorn, whose workers serve each request on a greenlet."""

from __future__ import annotations

import re
import socket
from typing import TYPE_CHECKING, Any, Final

import structlog
from gunicorn.app.base import BaseApplication
from gunicorn.glogging import Logger

from schemas.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from wsgiref.types import WSGIApplication

#: What a message begins with, up to the first sign that may be of what a browser sent.
_FIRST_WORDS: Final = re.compile(r"[A-Za-z ]*")

#: Seconds after SIGTERM for pages that are being served; then the workers are killed.
_GRACE_PERIOD: Final = 5

#: Connections that wait to be accepted.
_BACKLOG: Final = 256

#: Seconds without a sign of life after which a worker is replaced.
_WORKER_TIMEOUT: Final = 30

_log = structlog.get_logger(__name__)


def listen(host: str, port: int) -> socket.socket:
    """Return a socket that listens at an address; port 0 is a free one.

    Raises `UsageError` for a host that cannot be resolved, and `OSError` for what cannot be listened at.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        socket.getaddrinfo(host, port, family)
    except (socket.gaierror, UnicodeError):
        raise UsageError("UPDATE_SYNC_HUB_HOST: No address, and no name that can be resolved.") from None
    return socket.create_server((host, port), family=family, backlog=_BACKLOG)


def serve(
    build: Callable[[], WSGIApplication], *, listener: socket.socket, workers: int, proxies: Sequence[str]
) -> None:
    """Serve the app that `build` makes in each worker process, until a signal ends it.

    The `proxies`, which are networks, are believed when they say that a browser asked by TLS.
    """
    _Server(
        build,
        {
            "bind": f"fd://{listener.fileno()}",
            "workers": workers,
            "worker_class": "gevent",
            "worker_connections": 200,
            "graceful_timeout": _GRACE_PERIOD,
            "timeout": _WORKER_TIMEOUT,
            "keepalive": 5,
            "logger_class": _ServerLog,
            "accesslog": None,
            # It would be one more door, in a home directory that a container does not have.
            "control_socket_disable": True,
            "forwarded_allow_ips": ",".join(proxies),
            "proc_name": "update-sync hub",
            # Memory that a library loses is given back now and then.
            "max_requests": 20_000,
            "max_requests_jitter": 2_000,
        },
    ).run()


class _Server(BaseApplication):  # type: ignore[misc] # gunicorn ships no types
    """Gunicorn with our settings, and none of a file or of the command line."""

    def __init__(self, build: Callable[[], WSGIApplication], options: dict[str, Any]) -> None:
        self._build = build
        self._options = options
        super().__init__()

    def load_config(self) -> None:
        """Set the options."""
        for name, value in self._options.items():
            self.cfg.set(name, value)

    def load(self) -> WSGIApplication:
        """Make the app, in a worker process."""
        return self._build()


class _ServerLog(Logger):  # type: ignore[misc] # gunicorn ships no types
    """Gunicorn's warnings and errors as events of ours, without what a browser has sent (P6)."""

    def setup(self, cfg: Any) -> None:
        """Set up nothing: the process's log is there."""

    def reopen_files(self) -> None:
        """Reopen nothing: the log goes to standard error."""

    def close_on_exec(self) -> None:
        """Do nothing: there is no file."""

    def access(self, resp: Any, req: Any, environ: Any, request_time: Any) -> None:
        """Log nothing: `request_log` does."""

    def critical(self, msg: Any, *args: Any, **_: Any) -> None:
        """Log an error."""
        _log.error("hub_server", message=_without_texts(msg, args))

    error = critical
    exception = critical

    def warning(self, msg: Any, *args: Any, **_: Any) -> None:
        """Log a warning."""
        _log.warning("hub_server", message=_without_texts(msg, args))

    def info(self, msg: Any, *args: Any, **_: Any) -> None:
        """Log nothing: that processes start and end is said elsewhere."""

    debug = info

    def log(self, _level: Any, msg: Any, *args: Any, **_: Any) -> None:
        """Log a warning."""
        self.warning(msg, *args)


def _without_texts(msg: object, args: tuple[Any, ...]) -> str:
    """Return a message with its numbers alone: a text may be what a browser sent.

    Without arguments the message is filled in already, maybe with an address or a header: its first words
    stay, which are gunicorn's own.
    """
    if not args:
        return _FIRST_WORDS.match(str(msg))[0].rstrip()  # type: ignore[index] # it matches any text
    try:
        return str(msg) % tuple(each if isinstance(each, int) else "…" for each in args)
    except (TypeError, ValueError):
        return _FIRST_WORDS.match(str(msg))[0].rstrip()  # type: ignore[index] # as above
