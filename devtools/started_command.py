"""A long-running process that was started here, and the error for one that has ended before its time."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Final, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

#: Lines of a log that an error shows.
LOG_TAIL: Final = 20


class CommandEndedError(Exception):
    """A process that is waited for has ended; the text has its command, its exit code and its last lines."""


class RunningCommand(Protocol):
    """A process that was started, as `subprocess.Popen` has it; its output is appended to `log`."""

    pid: int
    log: Path

    @property
    def returncode(self) -> int | None: ...

    def poll(self) -> int | None: ...

    def wait(self, timeout: float | None = None) -> int: ...

    def send_signal(self, sig: int) -> None: ...

    def terminate(self) -> None: ...

    def kill(self) -> None: ...

    def check_running(self) -> None:
        """Raise CommandEndedError when the process has ended."""


class StartedCommand(subprocess.Popen[bytes]):
    """A process in a session of its own, whose output is appended to `log`."""

    def __init__(self, command: Sequence[str], *, env: Mapping[str, str], log: Path) -> None:
        self.log = log
        with log.open("ab") as output:
            super().__init__(
                list(command), env=dict(env), stdout=output, stderr=subprocess.STDOUT, start_new_session=True
            )

    def check_running(self) -> None:
        """Raise CommandEndedError when the process has ended."""
        code = self.poll()
        if code is not None:
            raise CommandEndedError(describe_end(_name(self.args), code, log_tail(self.log)))


def describe_end(name: str, code: int, last_lines: str) -> str:
    """Say how a process ended; a negative `code` is the signal that killed it, as subprocess has it."""
    how = f"was killed by signal {-code}" if code < 0 else f"ended with exit code {code}"
    return f"`{name}` {how}; its last lines:\n{last_lines or '(none)'}"


def log_tail(log: Path) -> str:
    """Return the last lines of a log."""
    try:
        return "\n".join(log.read_text(encoding="utf-8", errors="replace").splitlines()[-LOG_TAIL:])
    except OSError:
        return ""


def _name(arguments: object) -> str:
    words = list(map(str, arguments)) if isinstance(arguments, list) else [str(arguments)]
    return " ".join([Path(words[0]).name, *words[1:]])
