"""Keeps commands running as child processes: starts again what ends, and ends all together."""

from __future__ import annotations

import ctypes
import signal
import subprocess
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import structlog

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

#: Seconds until a command that has ended is started again: the first time, and at most.
FIRST_PAUSE: Final = 1.0
LONGEST_PAUSE: Final = 30.0

#: A command that has run for so many seconds begins with the first pause again.
_STEADY: Final = 60.0

#: Seconds between two looks at the commands.
_POLL_INTERVAL: Final = 0.2

#: Seconds after SIGTERM for the commands to end; then they are killed.
_GRACE_PERIOD: Final = 7.5

#: Linux: the signal that a process gets when its parent ends (prctl(2)).
_PR_SET_PDEATHSIG: Final = 1

_log = structlog.get_logger(__name__)


@dataclass(kw_only=True)
class _Command:
    """A command: its process while it runs, and when it is to be started (by the monotonic clock)."""

    arguments: Sequence[str]
    process: subprocess.Popen[bytes] | None = None
    started: float = 0.0
    due: float = 0.0
    pause: float = FIRST_PAUSE


class Supervisor:
    """Keeps commands running until it is interrupted, or one ends with the code that forbids to go on."""

    def __init__(self, commands: Mapping[str, Sequence[str]], *, final_code: int) -> None:
        """Take each command's arguments by its name, and the exit code after which none is started again."""
        self._commands = {name: _Command(arguments=arguments) for name, arguments in commands.items()}
        self._final_code = final_code

    def run(self) -> int:
        """Run the commands until one ends with the final code, and return that code.

        Whatever ends the call, such as `SystemExit` by a signal, ends the commands too.
        """
        try:
            while True:
                for name, command in self._commands.items():
                    code = self._look_after(name, command)
                    if code == self._final_code:
                        return code
                time.sleep(_POLL_INTERVAL)
        finally:
            self._end_all()

    def _look_after(self, name: str, command: _Command) -> int | None:
        """Start a command that is due; return the exit code of one that has just ended."""
        now = time.monotonic()
        if command.process is None:
            if now >= command.due:
                command.process, command.started = _start(command.arguments), now
            return None
        code = command.process.poll()
        if code is None:
            return None
        command.process = None
        if code == self._final_code:
            _log.error("process_ended", process=name, code=code)
            return code
        if now - command.started >= _STEADY:
            command.pause = FIRST_PAUSE
        command.due = now + command.pause
        _log.warning("process_ended", process=name, code=code, started_again_in_seconds=command.pause)
        command.pause = min(2 * command.pause, LONGEST_PAUSE)
        return code

    def _end_all(self) -> None:
        running = [each.process for each in self._commands.values() if each.process is not None]
        for process in running:
            process.terminate()
        ends = time.monotonic() + _GRACE_PERIOD
        for process in running:
            try:
                process.wait(max(0.0, ends - time.monotonic()))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _start(arguments: Sequence[str]) -> subprocess.Popen[bytes]:
    # In a group of its own: Ctrl-C comes to the supervisor alone, which passes it on once.
    return subprocess.Popen(  # noqa: S603 - commands of ours
        list(arguments),
        stdin=subprocess.DEVNULL,
        process_group=0,
        preexec_fn=_end_with_parent,  # noqa: PLW1509 - it takes no lock
    )


#: Loaded before any fork.
_LIBC: Final = ctypes.CDLL(None)


def _end_with_parent() -> None:
    """Have the kernel ask this process to end when its parent is gone, however that was killed."""
    _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
