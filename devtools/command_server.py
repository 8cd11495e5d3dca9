"""Starts `update-sync` commands in processes that are forked from one that has imported them already.

Each command is a process of its own, with its own environment, input and output, and ends as the installed
command ends. Only Python's start and the imports are done once for many of them, which saves most of a short
command's time. What makes a process something else than a fork can be (variables that Python reads when it
starts, long-running commands with their greenlets) is started anew, as an operator does it.

Run as a module, this is the server: `python -m devtools.command_server SOCKET`. A client connects, sends its
three standard streams and one JSON object {"arguments", "env", "folder"}, and receives two lines: the number
of the process, and its exit code (negative for a signal).
"""

from __future__ import annotations

import array
import gc
import importlib
import json
import os
import pkgutil
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

#: Commands that go on until they are ended: their processes are what operators have.
_LONG_RUNNING: Final = frozenset({"producer", "worker", "scheduler", "hub", "sandbox"})
#: Variables that Python, or the C library, reads when a process starts.
_READ_AT_START: Final = ("PYTHON", "LC_", "LANG", "LD_", "MALLOC_")
#: Seconds until the server is there, and between two looks whether its owner still is.
_START_TIMEOUT: Final = 60.0
_OWNER_CHECK: Final = 1.0
_STREAMS: Final = 3


class CommandServer:
    """The client: starts the server when it is first needed, and ends it at `close`."""

    def __init__(self) -> None:
        self._folder: Path | None = None
        self._server: subprocess.Popen[bytes] | None = None

    def can_run(self, arguments: Sequence[str], env: Mapping[str, str]) -> bool:
        """Whether a fork is the same as a new process for this command."""
        if not arguments or arguments[0] in _LONG_RUNNING:
            return False
        return _start_variables(env) == _start_variables(os.environ)

    def run(
        self, arguments: Sequence[str], *, env: Mapping[str, str], stdin: str | None, timeout: float
    ) -> subprocess.CompletedProcess[str]:
        """Run a command to its end, as `subprocess.run` does. Raises subprocess.TimeoutExpired."""
        with (
            tempfile.TemporaryFile() as given,
            tempfile.TemporaryFile() as out,
            tempfile.TemporaryFile() as err,
        ):
            given.write((stdin or "").encode())
            given.seek(0)
            order = {"arguments": list(arguments), "env": dict(env), "folder": str(Path.cwd())}
            with socket.socket(socket.AF_UNIX) as connection:
                connection.connect(str(self._address()))
                descriptors = array.array("i", [each.fileno() for each in (given, out, err)])
                connection.sendmsg([b"\0"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, descriptors)])
                with connection.makefile("rwb") as lines:
                    lines.write(json.dumps(order).encode() + b"\n")
                    lines.flush()
                    process = int(lines.readline())
                    connection.settimeout(timeout)
                    try:
                        code = int(lines.readline())
                    except TimeoutError:
                        raise subprocess.TimeoutExpired(list(arguments), timeout) from None
                    except BaseException:
                        # As subprocess.run does when it is interrupted.
                        with suppress(ProcessLookupError):
                            os.kill(process, signal.SIGKILL)
                        raise
            texts = []
            for output in (out, err):
                output.seek(0)
                texts.append(output.read().decode().replace("\r\n", "\n"))
        return subprocess.CompletedProcess(["update-sync", *arguments], code, *texts)

    def _address(self) -> Path:
        if self._folder is None:
            self._folder = Path(tempfile.mkdtemp(prefix="update-sync-commands-"))
            address = self._folder / "socket"
            self._server = subprocess.Popen(  # noqa: S603 - our own module
                [sys.executable, "-m", "devtools.command_server", str(address)],
                stdin=subprocess.DEVNULL,
                start_new_session=True,
            )
            end = time.monotonic() + _START_TIMEOUT
            while not address.exists():
                if self._server.poll() is not None or time.monotonic() > end:
                    raise RuntimeError("the server of commands did not start")
                time.sleep(0.02)
        return self._folder / "socket"

    def close(self) -> None:
        """End the server."""
        if self._server is not None:
            self._server.kill()
            self._server.wait()
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)
        self._server = self._folder = None


def _start_variables(env: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in env.items() if name.startswith(_READ_AT_START)}


def _import_commands() -> None:
    """Import every module of the command line, as its commands would when they are used."""
    for module in pkgutil.walk_packages(importlib.import_module("cli").__path__, "cli."):
        if not module.name.startswith("cli.sandbox"):
            importlib.import_module(module.name)


def _serve(address: str) -> None:
    """Fork a process for each order; return only in such a process, ready to be the command."""
    owner = os.getppid()
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(address + ".new")
    listener.listen(64)
    listener.settimeout(_OWNER_CHECK)
    Path(address + ".new").rename(address)
    # The exit codes of processes that only wait for commands are not needed.
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    while os.getppid() == owner:
        try:
            connection = listener.accept()[0]
        except TimeoutError:
            continue
        if os.fork() == 0:
            listener.close()
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            _start(connection)
            return
        connection.close()
    os._exit(0)


def _start(connection: socket.socket) -> None:
    """Fork the command, return in it, and tell the client how it ended from the process that is left."""
    _, ancillary, _, _ = connection.recvmsg(1, socket.CMSG_SPACE(_STREAMS * array.array("i").itemsize))
    descriptors = array.array("i")
    descriptors.frombytes(ancillary[0][2])
    lines = connection.makefile("rwb")
    order = json.loads(lines.readline())
    command = os.fork()
    if command:
        # Those that hold the output keep it open.
        for descriptor in descriptors:
            os.close(descriptor)
        with suppress(BrokenPipeError):
            lines.write(b"%d\n" % command)
            lines.flush()
            code = os.waitstatus_to_exitcode(os.waitpid(command, 0)[1])
            lines.write(b"%d\n" % code)
            lines.flush()
        os._exit(0)
    lines.close()
    connection.close()
    for number, descriptor in enumerate(descriptors):
        os.dup2(descriptor, number)
        os.close(descriptor)
    os.environ.clear()
    os.environ.update(order["env"])
    time.tzset()
    os.chdir(order["folder"])
    sys.argv = ["update-sync", *order["arguments"]]
    # A new process begins with a secret of its own wherever numbers are drawn.
    import random  # noqa: PLC0415 - only here

    random.seed()


def main(address: str) -> None:
    """Serve until the owner is gone; in each forked process, run its command."""
    _import_commands()
    # What is there now is in use in every process: no collection need look at it, or copy its pages.
    gc.freeze()
    _serve(address)
    # As the installed script does; devtools know the product from outside.
    importlib.import_module("cli.entrypoint").main()


if __name__ == "__main__":
    main(sys.argv[1])
