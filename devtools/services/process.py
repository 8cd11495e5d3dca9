"""A server process under a watchdog, with its directory, its log and its ports."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

WATCHDOG = Path(__file__).with_name("watchdog.py")
#: Lines of a server's log that an error shows.
LOG_TAIL = 40
_FIRST_AND_LAST = Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()
#: The ports that the system gives to outgoing connections.
OUTGOING = range(int(_FIRST_AND_LAST[0]), int(_FIRST_AND_LAST[1]) + 1)
#: The first port that servers are given.
FIRST_PORT = 10_000


class Unavailable(Exception):  # noqa: N818 - a fact about this machine, not an error of the caller
    """A server can neither be found nor started here; the text says why and what would help."""


def free_port() -> int:
    """Find a TCP port on loopback that is free now, and that will be free when its server starts again.

    The system gives some ports to outgoing connections. While the server is down, such a port may be taken by
    any connection, even by a client that tries to reach this port and connects to itself.
    """
    others = [port for port in range(FIRST_PORT, 65_536) if port not in OUTGOING]
    while True:
        # 0 is any port: where outgoing connections may use all ports, there is nothing better.
        wanted = random.choice(others) if others else 0  # noqa: S311 - spreads servers, keeps no secret
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", wanted))
            except OSError:
                continue
            port: int = probe.getsockname()[1]
            return port


def server_environment(**extra: str) -> dict[str, str]:
    """Return the few variables that a server needs (paths and language), and the given ones."""
    kept = {name: os.environ[name] for name in ("PATH", "TMPDIR") if name in os.environ}
    kept.setdefault("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin")
    return {**kept, "LANG": "C.UTF-8", "LC_ALL": "C.UTF-8", **extra}


class ServerProcess:
    """One server and its temporary directory; both are gone after `close`, or when this process dies.

    `user` is the account that the server runs as, which then owns the directory; None is the present one.
    """

    def __init__(self, name: str, *, user: str | None = None) -> None:
        self.name = name
        self.user = user
        self.directory = Path(tempfile.mkdtemp(prefix=f"update-sync-{name}-"))
        if user is not None:
            shutil.chown(self.directory, user, user)
        self.log = self.directory / "server.log"
        self._watchdog = subprocess.Popen(  # noqa: S603 - our own script, no shell
            [sys.executable, "-I", str(WATCHDOG), str(self.directory)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )

    def _send(self, **order: Any) -> dict[str, Any]:
        stdin, stdout = self._watchdog.stdin, self._watchdog.stdout
        if stdin is None or stdout is None or stdin.closed:
            raise RuntimeError(f"{self.name} is closed")
        stdin.write(json.dumps(order).encode() + b"\n")
        stdin.flush()
        line = stdout.readline()
        if not line:
            raise RuntimeError(f"the watchdog of {self.name} is gone")
        answer: dict[str, Any] = json.loads(line)
        if "error" in answer:
            raise Unavailable(f"{self.name} cannot be run: {answer['error']}")
        return answer

    def start(self, command: Sequence[str], env: Mapping[str, str]) -> None:
        """Start the server; its output goes to the log."""
        self._send(
            do="start", command=list(command), environment=dict(env), user=self.user, log=str(self.log)
        )

    def wait_until(self, ready: Callable[[], bool], *, seconds: float) -> None:
        """Wait until `ready` says so; raises Unavailable with the log's end if it ends or takes longer."""
        until = time.monotonic() + seconds
        while not ready():
            code = self._send(do="status")["exit"]
            if code is not None:
                raise Unavailable(f"{self.name} ended with {code} while starting\n{self.log_tail()}")
            if time.monotonic() > until:
                raise Unavailable(f"{self.name} was not ready after {seconds:.0f} s\n{self.log_tail()}")
            time.sleep(0.05)

    def stop(self, ask_with: signal.Signals, *, seconds: float = 30) -> None:
        """Ask the server to end; what is left after `seconds` is killed. The data stay."""
        self._send(do="stop", signal=int(ask_with), seconds=seconds)

    def kill(self) -> None:
        """End the server with SIGKILL, as a power cut would. The data stay."""
        self._send(do="stop", signal=int(signal.SIGKILL), seconds=10)

    def close(self) -> None:
        """End the server and remove its data."""
        if self._watchdog.stdin is not None and not self._watchdog.stdin.closed:
            self._watchdog.stdin.close()
            self._watchdog.wait(30)
            if self._watchdog.stdout is not None:
                self._watchdog.stdout.close()

    def log_tail(self) -> str:
        """Return the last lines that the server wrote."""
        try:
            lines = self.log.read_text(errors="replace").splitlines()
        except OSError:
            return "(no log)"
        return "\n".join(lines[-LOG_TAIL:])
