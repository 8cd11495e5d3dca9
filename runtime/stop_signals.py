"""Ends a process that is asked to stop: in order if it can, and in any case soon.

Imports nothing that takes time, so that a process can call it first, and binds Python's own threads and
waits before gevent replaces them.
"""

from __future__ import annotations

import _thread
import os
import select
import signal
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Collection
    from types import FrameType

#: The signals that ask a process to stop: a supervisor's, and Ctrl-C.
STOP_SIGNALS: Final = (signal.SIGTERM, signal.SIGINT)

#: Seconds between two checks whether the parent process still runs.
_POLL_INTERVAL: Final = 1.0

_start_thread = _thread.start_new_thread
_poll = select.poll
_clock = time.monotonic


class SignalPipe:
    """Signals as something to wait for, also on a thread of the operating system."""

    def __init__(self) -> None:
        self._reader, self._writer = os.pipe()
        os.set_blocking(self._writer, False)
        self._watch = _poll()
        self._watch.register(self._reader, select.POLLIN)

    def install(self) -> None:
        """Make each signal readable here, whichever thread the kernel gives it to."""
        # Python writes each signal's number there at once, even while its main thread waits in C.
        signal.set_wakeup_fd(self._writer, warn_on_full_buffer=False)

    def forward(self, numbers: list[int]) -> None:
        """Make signals readable that another pipe has caught."""
        with suppress(BlockingIOError):
            os.write(self._writer, bytes(numbers))

    def wait(self, seconds: float | None) -> list[int]:
        """Return the numbers of the signals that came, in order; none after `seconds`."""
        ready = self._watch.poll(None if seconds is None else max(0.0, seconds) * 1000)
        return list(os.read(self._reader, 1024)) if ready else []


def handle_stop_signals(  # noqa: PLR0913 - each by name
    stop: Callable[[int], object],
    *,
    exit_code: int,
    deadline: float,
    parent: int | None = None,
    children: Collection[int] = (),
    relay: SignalPipe | None = None,
    kill_on_repeat: bool = True,
) -> None:
    """Call `stop` with each stop signal, and end the process with `exit_code` in any case.

    `stop` is called where the main thread happens to be, and may raise. A thread of the operating system ends
    the process `deadline` seconds after SIGTERM, whatever waits for what then, and with `kill_on_repeat` at a
    second SIGTERM. That thread depends on no other: it alone reads the signals, and forwards them to `relay`.
    It also kills the `children` that exist then. The end of the process `parent` counts as SIGTERM. Ctrl-C is
    left to `stop`: its user can press it again.

    Handlers are installed, so that the kernel also delivers the signals to process 1. A process that ignores
    Ctrl-C from its start (nohup) goes on to do so.
    """
    signal.pthread_sigmask(signal.SIG_BLOCK, STOP_SIGNALS)

    def handle(number: int, _frame: FrameType | None) -> None:
        stop(number)

    for number in STOP_SIGNALS:
        if number == signal.SIGTERM or signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, handle)
    signals = SignalPipe()
    signals.install()

    def received(seconds: float | None) -> int:
        numbers = signals.wait(seconds)
        if relay is not None and numbers:
            relay.forward(numbers)
        return numbers.count(signal.SIGTERM)

    def end() -> None:
        for child in tuple(children):
            with suppress(ProcessLookupError):
                os.kill(child, signal.SIGKILL)
        os._exit(exit_code)

    # The thread inherits the blocked signals, so that it gets none itself.
    _start_thread(_end_in_time, (received, end, deadline, parent, kill_on_repeat))
    signal.pthread_sigmask(signal.SIG_UNBLOCK, STOP_SIGNALS)


def _end_in_time(
    received: Callable[[float | None], int],
    end: Callable[[], object],
    deadline: float,
    parent: int | None,
    kill_on_repeat: bool,  # noqa: FBT001 - a thread takes no keywords
) -> None:
    """End the process at the deadline after its first SIGTERM, or at a repeated one."""
    count = 0
    while not count:
        count = received(None if parent is None else _POLL_INTERVAL)
        if not count and parent is not None and os.getppid() != parent:
            os.kill(os.getpid(), signal.SIGTERM)
            parent = None
    ends = _clock() + deadline
    while (left := ends - _clock()) > 0 and not (kill_on_repeat and count > 1):
        count += received(left)
    end()
