"""How a process ends when it is asked to: in order if it can, and in any case soon.

Imports nothing that takes time, so that it can be had in a process's first moment; and takes hold of
Python's own threads and waits before anything replaces them with greenlets.
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

#: The signals that ask a process to end: a supervisor's, and Ctrl-C.
STOP_SIGNALS: Final = (signal.SIGTERM, signal.SIGINT)

#: Seconds between two looks whether the process that made this one is still there.
_LOOK_AGAIN: Final = 1.0

_start_thread = _thread.start_new_thread
_poll = select.poll
_clock = time.monotonic


class SignalPipe:
    """Signals as something to wait for, on a thread of the system's own too."""

    def __init__(self) -> None:
        self._reader, self._writer = os.pipe()
        os.set_blocking(self._writer, False)
        self._watch = _poll()
        self._watch.register(self._reader, select.POLLIN)

    def install(self) -> None:
        """Have each signal become readable, whichever thread the kernel gives it to."""
        # Python writes each signal's number there at once, even while its main thread waits in C.
        signal.set_wakeup_fd(self._writer, warn_on_full_buffer=False)

    def forward(self, numbers: list[int]) -> None:
        """Have signals that somebody else has caught become readable."""
        with suppress(BlockingIOError):
            os.write(self._writer, bytes(numbers))

    def wait(self, seconds: float | None) -> list[int]:
        """Return the numbers of the signals that came, in order; none when time is up."""
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
    """Call `stop` with each signal of `STOP_SIGNALS`, and end the process with `exit_code` in any case.

    `stop` is called where the main thread happens to be, and may raise. A thread of the system's own ends
    the process `deadline` seconds after SIGTERM, whatever waits then for whom, and with `kill_on_repeat` at
    once when a second one comes. It needs nobody: it alone reads what the kernel sends, and hands it on to
    `relay`, and with itself it ends the `children` that there are then. With `parent`, that this process ends
    counts as a SIGTERM. Ctrl-C is left to `stop`: a person is there, who can insist by themselves.

    Handlers are installed, so that the kernel lets the signals through to a process 1 too. Whoever ignores
    Ctrl-C from the beginning (nohup) goes on to do so.
    """
    signal.pthread_sigmask(signal.SIG_BLOCK, STOP_SIGNALS)

    def handle(number: int, _frame: FrameType | None) -> None:
        stop(number)

    for number in STOP_SIGNALS:
        if number == signal.SIGTERM or signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, handle)
    signals = SignalPipe()
    signals.install()

    def came(seconds: float | None) -> int:
        numbers = signals.wait(seconds)
        if relay is not None and numbers:
            relay.forward(numbers)
        return numbers.count(signal.SIGTERM)

    def end() -> None:
        for child in tuple(children):
            with suppress(ProcessLookupError):
                os.kill(child, signal.SIGKILL)
        os._exit(exit_code)

    # The thread is to get no signal itself: it inherits what is blocked here.
    _start_thread(_end_in_time, (came, end, deadline, parent, kill_on_repeat))
    signal.pthread_sigmask(signal.SIG_UNBLOCK, STOP_SIGNALS)


def _end_in_time(
    came: Callable[[float | None], int],
    end: Callable[[], object],
    deadline: float,
    parent: int | None,
    kill_on_repeat: bool,  # noqa: FBT001 - a thread takes no keywords
) -> None:
    """End the process when it has been asked to and time is up, or when it is asked once more."""
    asked = 0
    while not asked:
        asked = came(None if parent is None else _LOOK_AGAIN)
        if not asked and parent is not None and os.getppid() != parent:
            os.kill(os.getpid(), signal.SIGTERM)
            parent = None
    ends = _clock() + deadline
    while (left := ends - _clock()) > 0 and not (kill_on_repeat and asked > 1):
        asked += came(left)
    end()
