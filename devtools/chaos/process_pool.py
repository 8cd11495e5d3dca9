"""The product's long-running commands under a supervisor, which starts again what ended, as systemd would."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

from devtools.commands import COMMAND
from devtools.started_command import CommandEndedError, StartedCommand, describe_end, log_tail

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

#: Seconds between the end of a command and its next start; systemd waits a tenth by default.
RESTART_AFTER: Final = 0.2
#: Seconds for a command to end by itself when it is asked to.
SHUTDOWN: Final = 90.0
#: Seconds that a command has to live to have been of use.
SHORT_LIFE: Final = 5.0
#: Seconds of nothing but short lives after which the command is broken: longer than any outage of a schedule.
SHORT_LIVES: Final = 120.0


class Pool:
    """One command of the product's that is kept running, `update-sync worker --processes 2` for instance.

    Its standard output and error go to `log`, of all its lives one after the other.
    """

    def __init__(
        self, *arguments: str, env: Mapping[str, str], log: Path, command: Sequence[str] = (COMMAND,)
    ) -> None:
        self.arguments = arguments
        self._command = command
        self.log = log
        self._env = dict(env)
        self._lock = threading.Lock()
        self._ending = threading.Event()
        self._process: StartedCommand | None = None
        #: Since when (monotonic) every life was short; None when the last one was not.
        self._useless_since: float | None = None
        self._last_code = 0
        self._supervisor = threading.Thread(target=self._supervise, name=f"supervisor of {log.stem}")
        #: How often the command was started.
        self.starts = 0

    def start(self) -> None:
        """Start it for the first time."""
        self._supervisor.start()

    def check_running(self) -> None:
        """Raise CommandEndedError when the command ends soon after each start: nothing will come of it."""
        since = self._useless_since
        if since is not None and time.monotonic() - since > SHORT_LIVES:
            name = " ".join(["update-sync", *self.arguments])
            raise CommandEndedError(
                f"for {SHORT_LIVES:.0f} s, soon after each start: "
                + describe_end(name, self._last_code, log_tail(self.log))
            )

    def kill(self) -> bool:
        """Kill the command with every process that it made; False when it is not running just now."""
        process = self._process
        if process is None or process.poll() is not None:
            return False
        try:
            os.killpg(process.pid, signal.SIGKILL)
        except ProcessLookupError:
            return False
        return True

    def kill_one(self, place: float) -> bool:
        """Kill one of the processes that the command made; `place`, from 0 to 1, says which."""
        process = self._process
        children = [] if process is None else _children(process.pid)
        if not children:
            return False
        try:
            os.kill(children[int(place * len(children)) % len(children)], signal.SIGKILL)
        except ProcessLookupError:
            return False
        return True

    def limit_files(self) -> dict[int, tuple[int, int]]:
        """Let the processes that the command made open nothing new; return the limits that they had."""
        process = self._process
        before: dict[int, tuple[int, int]] = {}
        for child in [] if process is None else _children(process.pid):
            with suppress(OSError):
                _, hard = resource.prlimit(child, resource.RLIMIT_NOFILE)
                open_now = len(list(Path(f"/proc/{child}/fd").iterdir()))
                before[child] = resource.prlimit(child, resource.RLIMIT_NOFILE, (open_now, hard))
        return before

    def lift_limits(self, before: Mapping[int, tuple[int, int]]) -> None:
        """Give them back the limits that they had."""
        for child, limits in before.items():
            with suppress(OSError):
                resource.prlimit(child, resource.RLIMIT_NOFILE, limits)

    def ask_to_end(self) -> None:
        """Ask it to end, and start it no more."""
        if self._ending.is_set():
            return
        self._ending.set()
        with self._lock:
            if self._process is not None:
                self._process.send_signal(signal.SIGTERM)

    def end(self) -> bool:
        """Ask it to end, and wait; False when it had to be killed for it."""
        self.ask_to_end()
        process = self._process
        in_order = True
        if process is not None:
            try:
                process.wait(SHUTDOWN)
            except subprocess.TimeoutExpired:
                in_order = False
                self.kill()
        self._supervisor.join()
        return in_order

    def _supervise(self) -> None:
        while not self._ending.is_set():
            with self._lock:
                if self._ending.is_set():
                    return
                self._process = process = StartedCommand(
                    [*self._command, *self.arguments], env=self._env, log=self.log
                )
                self.starts += 1
            began = time.monotonic()
            # As soon as one lives long enough, whatever came before it is forgotten.
            with suppress(subprocess.TimeoutExpired):
                process.wait(SHORT_LIFE)
            if process.returncode is None:
                self._useless_since = None
            code = process.wait()
            if code < 0:
                # A fault of the schedule killed it, as often as that wants.
                self._useless_since = None
            elif time.monotonic() - began < SHORT_LIFE:
                self._last_code = code
                self._useless_since = self._useless_since or began
            self._ending.wait(RESTART_AFTER)


def _children(pid: int) -> list[int]:
    try:
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []
