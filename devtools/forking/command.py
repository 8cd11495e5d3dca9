"""A command that was forked from a process that had imported it, seen from the process that asked for it."""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import time
from pathlib import Path
from tempfile import mkdtemp
from typing import TYPE_CHECKING, Final

from devtools.started_command import CommandEndedError, describe_end, log_tail

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

#: Seconds until a forked process has its number: far more than that takes on any machine.
_START_TIMEOUT: Final = 60.0


class ForkedCommand:
    """A running process, with those parts of `subprocess.Popen` that are used here.

    `input`, `output` and `errors` are files, or a terminal. With `session` it is in a session of its own, and
    the terminal is that session's. `log` is the file that an error shows the end of.
    """

    def __init__(  # noqa: PLR0913 - as subprocess.Popen has them, by name
        self,
        server: Path,
        command: Sequence[str],
        *,
        env: Mapping[str, str],
        input: str = os.devnull,  # noqa: A002 - as subprocess has it
        output: str,
        errors: str,
        session: bool = True,
    ) -> None:
        self.args = list(command)
        self.log = Path(output)
        self.returncode: int | None = None
        self._read = b""
        folder = Path(mkdtemp(dir=server))
        answers, order = folder / "answers", folder / "order.json"
        os.mkfifo(answers)
        self._answers: int | None = os.open(answers, os.O_RDONLY | os.O_NONBLOCK)
        self._watch = select.poll()
        self._watch.register(self._answers, select.POLLIN)
        order.write_text(
            json.dumps(
                {
                    "command": command[0],
                    "arguments": list(command[1:]),
                    "env": dict(env),
                    "folder": str(Path.cwd()),
                    "input": input,
                    "output": output,
                    "errors": errors,
                    "session": session,
                    "answers": str(answers),
                }
            )
        )
        with (server / "orders").open("wb", buffering=0) as orders:
            # Shorter than what the system writes in one piece, whoever else writes.
            orders.write(os.fsencode(order) + b"\n")
        number = self._answer(_START_TIMEOUT)
        for path in (answers, order):
            path.unlink()
        folder.rmdir()
        if number is None:
            raise RuntimeError("the server of commands did not start one")
        self.pid = number

    def poll(self) -> int | None:
        """Return the exit code, negative for a signal, or None while the process runs."""
        if self.returncode is None:
            self._take_code(0.0)
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """Return the exit code once the process has ended. Raises subprocess.TimeoutExpired."""
        if self.returncode is None:
            self._take_code(timeout)
        if self.returncode is None:
            raise subprocess.TimeoutExpired(self.args, timeout or 0.0)
        return self.returncode

    def send_signal(self, sig: int) -> None:
        """Send a signal to a process that has not ended."""
        if self.poll() is None:
            os.kill(self.pid, sig)

    def terminate(self) -> None:
        """Send SIGTERM."""
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """Send SIGKILL."""
        self.send_signal(signal.SIGKILL)

    def check_running(self) -> None:
        """Raise CommandEndedError when the process has ended."""
        code = self.poll()
        if code is not None:
            name = " ".join([Path(self.args[0]).name, *self.args[1:]])
            raise CommandEndedError(describe_end(name, code, log_tail(self.log)))

    def _take_code(self, timeout: float | None) -> None:
        self.returncode = self._answer(timeout)
        if self.returncode is not None and self._answers is not None:
            os.close(self._answers)
            self._answers = None

    def _answer(self, timeout: float | None) -> int | None:
        """Return the number on the next line that the server sends, None when none comes in time."""
        if self._answers is None:
            raise RuntimeError("this command has ended")
        ends = None if timeout is None else time.monotonic() + timeout
        while b"\n" not in self._read:
            if not self._watch.poll(None if ends is None else max(0.0, ends - time.monotonic()) * 1000):
                return None
            received = os.read(self._answers, 100)
            if not received:
                raise RuntimeError(f"how {self.args} ended is not known")
            self._read += received
        line, _, self._read = self._read.partition(b"\n")
        return int(line)
