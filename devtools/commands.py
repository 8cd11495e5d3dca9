"""The product from outside: its commands as processes, and nothing of its code."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from devtools.command_server import CommandServer
from devtools.started_command import StartedCommand

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

T = TypeVar("T")

COMMAND = str(Path(sys.executable).parent / "update-sync")

#: Seconds: far more than anything here takes, so that only what hangs is cut off.
DEADLINE = 120.0


#: What starts short commands in place of new processes, where that was asked for.
_SERVERS: list[CommandServer] = []


@contextmanager
def command_server() -> Iterator[None]:
    """Have `update_sync` fork short commands from one process, until the block ends."""
    server = CommandServer()
    _SERVERS.append(server)
    try:
        yield
    finally:
        _SERVERS.remove(server)
        server.close()


def command_environment(**variables: str) -> dict[str, str]:
    """Return what a process needs of ours, without any setting of the sync but those given."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("UPDATE_SYNC_")}
    return {**kept, **variables}


def update_sync(
    *arguments: str, env: Mapping[str, str], stdin: str | None = None, command: str = COMMAND
) -> subprocess.CompletedProcess[str]:
    """Run a command to its end."""
    if _SERVERS and command == COMMAND and _SERVERS[-1].can_run(arguments, env):
        return _SERVERS[-1].run(arguments, env=env, stdin=stdin, timeout=DEADLINE)
    return subprocess.run(  # noqa: S603 - our own command
        [command, *arguments],
        env=dict(env),
        input=stdin,
        capture_output=True,
        text=True,
        timeout=DEADLINE,
        check=False,
    )


def json_output(*arguments: str, env: Mapping[str, str]) -> Any:
    """Run a command that prints JSON and has to succeed, and return what it printed."""
    done = update_sync(*arguments, "--json", env=env)
    if done.returncode != 0:
        raise AssertionError(done.stderr)
    return json.loads(done.stdout)


@contextmanager
def running(
    *arguments: str, env: Mapping[str, str], log: Path, command: Sequence[str] = (COMMAND,)
) -> Iterator[StartedCommand]:
    """Keep a long-running command running until the block ends; its output goes to `log`."""
    process = StartedCommand([*command, *arguments], env=env, log=log)
    try:
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(DEADLINE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise


def kill_all(process: subprocess.Popen[bytes]) -> None:
    """Kill a command that `running` keeps, and the processes that it made, as a crash of their host would."""
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def wait_for(condition: Callable[[], T | None], what: str) -> T:
    """Return what `condition` finds, as soon as it finds something."""
    end = time.monotonic() + DEADLINE
    while time.monotonic() < end:
        found = condition()
        if found:
            return found
        time.sleep(0.2)
    raise AssertionError(f"{what} did not happen within {DEADLINE:.0f} s")
