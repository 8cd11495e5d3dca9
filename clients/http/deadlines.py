"""One deadline around a whole request, whatever the other side does to draw it out."""

from __future__ import annotations

import math
import socket
import threading
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator


class Deadline:
    """The end of one request; `expired` says that it was cut off there."""

    def __init__(self, seconds: float) -> None:
        """Begin now."""
        self.ends = time.monotonic() + seconds
        self.expired = False
        self._lock = threading.Lock()
        self._socket: socket.socket | None = None

    def remaining(self) -> float:
        """Return the seconds that are left, at least none."""
        return max(0.0, self.ends - time.monotonic())

    def watch(self, sock: Any) -> None:
        """Name the socket to be shut down at the end; None when there is none any more."""
        with self._lock:
            # With a proxy that speaks TLS itself it is TLS in TLS, which has a socket and is none.
            self._socket = getattr(sock, "socket", sock)
            if self.expired:
                self._shut_down()

    def expire(self) -> None:
        """Shut the socket down, which wakes a thread or greenlet that waits for it."""
        with self._lock:
            self.expired = True
            self._shut_down()

    def _shut_down(self) -> None:
        if self._socket is not None:
            with suppress(OSError):
                # As a plain socket: a TLS socket would drop its state while another thread reads.
                socket.socket.shutdown(self._socket, socket.SHUT_RDWR)


class _RequestOfThread(threading.local):
    """The state of each thread."""

    #: The deadline of the thread's request; None when there is none.
    deadline: Deadline | None = None
    #: When all requests of the thread have to have ended (`time.monotonic`).
    limit: float = math.inf


class Watchdog:
    """Ends the requests of a process at their deadlines, by one thread that sleeps until the next one.

    A timeout of a socket is no deadline: it begins anew with each byte, and Python's HTTP reads on for as
    long as bytes come (status lines, `100 Continue`, headers, chunk sizes, trailers).
    """

    def __init__(self) -> None:
        self._condition = threading.Condition()
        self._active: set[Deadline] = set()
        self._wakes = math.inf
        self._thread: threading.Thread | None = None
        self.current = _RequestOfThread()

    def begin(self, seconds: float) -> Deadline:
        """Give this thread's request a deadline; `end` has to follow, whatever becomes of the request."""
        deadline = Deadline(min(seconds, self.current.limit - time.monotonic()))
        self._add(deadline)
        self.current.deadline = deadline
        return deadline

    def end(self, deadline: Deadline) -> None:
        """Let go of a request that has ended."""
        self.current.deadline = None
        with self._condition:
            self._active.discard(deadline)
        # Its connection may be another request's by now.
        deadline.watch(None)

    def _add(self, deadline: Deadline) -> None:
        with self._condition:
            self._active.add(deadline)
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(target=self._watch, name="http-deadlines", daemon=True)
                self._thread.start()
            elif deadline.ends < self._wakes:
                self._condition.notify()

    def _watch(self) -> None:
        while True:
            for deadline in self._late():
                deadline.expire()

    def _late(self) -> list[Deadline]:
        """Return those whose time is over; if there are none, after a sleep."""
        with self._condition:
            now = time.monotonic()
            late = [deadline for deadline in self._active if deadline.ends <= now]
            self._active.difference_update(late)
            if not late:
                self._wakes = min((deadline.ends for deadline in self._active), default=math.inf)
                self._condition.wait(None if self._wakes == math.inf else self._wakes - now)
        return late


#: The one of this process; its thread begins with the first request.
WATCHDOG = Watchdog()


def time_left() -> float:
    """Return the seconds that `time_limit` leaves for this thread's requests; infinite without one."""
    return max(0.0, WATCHDOG.current.limit - time.monotonic())


@contextmanager
def time_limit(seconds: float) -> Iterator[None]:
    """Give all requests that this thread sends in the block so many seconds together.

    A request that has not ended by then fails as one without an answer; a later one is not sent.
    """
    before = WATCHDOG.current.limit
    WATCHDOG.current.limit = min(before, time.monotonic() + seconds)
    try:
        yield
    finally:
        WATCHDOG.current.limit = before
