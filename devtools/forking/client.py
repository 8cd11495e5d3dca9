"""The servers that commands are forked from: who starts and ends them, and who asks them for a command."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Final

from devtools.forking.command import ForkedCommand

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

#: The kinds of servers: see `devtools.forking.server`.
KINDS: Final = ("threads", "greenlets")
#: The commands that run on greenlets. `hub` has further commands, which do not.
_ON_GREENLETS: Final = ("producer", "worker", "hub")
#: It brings servers of its own, whose imports no other command needs.
_NOT_IMPORTED: Final = "sandbox"
#: Variables that Python, a library or the C library reads when a process starts.
_READ_AT_START: Final = ("PYTHON", "GEVENT", "LC_", "LANG", "LD_", "MALLOC_")
#: Seconds until a server is there, and between two looks.
_START_TIMEOUT: Final = 120.0
_POLL_INTERVAL: Final = 0.02


class CommandServers:
    """The owner of the servers in a folder: starts each when it is first asked for; `close` ends all."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._servers: list[subprocess.Popen[bytes]] = []
        self._lock = Lock()

    def start(self, kind: str) -> Path:
        """Return the folder of the server of a kind; start it first, where that has not been done."""
        server = self._folder / kind
        with self._lock:
            if not server.exists():
                server.mkdir()
                self._servers.append(
                    subprocess.Popen(  # noqa: S603 - our own module
                        [sys.executable, "-m", "devtools.forking.server", str(server), kind],
                        stdin=subprocess.PIPE,
                        start_new_session=True,
                    )
                )
        return server

    def close(self) -> None:
        """End the servers."""
        for server in self._servers:
            # They end when their standard input does.
            server.communicate()


class CommandForks:
    """Runs commands as forks; `find` gives the folder of the server of a kind, once it has been started."""

    def __init__(self, find: Callable[[str], Path]) -> None:
        self._find = find

    def can_run(self, arguments: Sequence[str], env: Mapping[str, str]) -> bool:
        """Whether a fork is the same as a new process for this command."""
        if not arguments or arguments[0] == _NOT_IMPORTED:
            return False
        return _start_variables(env) == _start_variables(os.environ)

    def start(
        self,
        command: Sequence[str],
        *,
        env: Mapping[str, str],
        input: str = os.devnull,  # noqa: A002 - as subprocess has it
        output: str,
    ) -> ForkedCommand:
        """Start a command in a session of its own; `input` and `output` are files, or the same terminal."""
        return ForkedCommand(
            self._server(command[1:]), command, env=env, input=input, output=output, errors=output
        )

    def run(
        self, command: Sequence[str], *, env: Mapping[str, str], stdin: str | None, timeout: float
    ) -> subprocess.CompletedProcess[str]:
        """Run a command to its end, as `subprocess.run` does. Raises subprocess.TimeoutExpired."""
        with tempfile.TemporaryDirectory(prefix="update-sync-streams-") as folder:
            given, output, errors = (Path(folder, name) for name in ("input", "output", "errors"))
            given.write_text(stdin or "", encoding="utf-8")
            output.touch()
            errors.touch()
            process = ForkedCommand(
                self._server(command[1:]),
                command,
                env=env,
                input=str(given),
                output=str(output),
                errors=str(errors),
                session=False,
            )
            try:
                code = process.wait(timeout)
            except BaseException:
                # As subprocess.run does when it is interrupted.
                with suppress(ProcessLookupError):
                    process.kill()
                raise
            texts = [each.read_bytes().decode().replace("\r\n", "\n") for each in (output, errors)]
        return subprocess.CompletedProcess(list(command), code, *texts)

    def _server(self, arguments: Sequence[str]) -> Path:
        # `cli.entrypoint` decides alike; an option of `hub` may be followed by its value.
        names = [each for each in arguments[1:] if not (each.startswith("-") or each.isdigit())]
        on_greenlets = arguments[0] in _ON_GREENLETS and not (arguments[0] == "hub" and names)
        server = self._find("greenlets" if on_greenlets else "threads")
        end = time.monotonic() + _START_TIMEOUT
        while not (server / "orders").exists():
            if time.monotonic() > end:
                raise RuntimeError(f"the server of commands in {server} did not start")
            time.sleep(_POLL_INTERVAL)
        return server


def _start_variables(env: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in env.items() if name.startswith(_READ_AT_START)}
