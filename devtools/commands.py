"""The product from outside: its commands as processes, and nothing of its code."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, TypeVar

from devtools.forking.client import CommandForks, CommandServers
from devtools.started_command import StartedCommand

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from devtools.forking.command import ForkedCommand
    from devtools.started_command import RunningCommand

T = TypeVar("T")

COMMAND = str(Path(sys.executable).parent / "update-sync")

#: Seconds: far more than anything here takes, so that only what hangs is cut off.
DEADLINE = 120.0


#: What forks commands in place of new processes, the last one; None has new processes started.
_FORKS: list[CommandForks | None] = [None]


@contextmanager
def forked_commands(find: Callable[[str], Path] | None = None) -> Iterator[None]:
    """Have commands forked from processes that have imported them, until the block ends.

    `find` gives the folder of the server of a kind. Without it the block has servers of its own.
    """
    with ExitStack() as stack:
        if find is None:
            folder = stack.enter_context(TemporaryDirectory(prefix="update-sync-commands-"))
            find = stack.enter_context(closing(CommandServers(Path(folder)))).start
        _FORKS.append(CommandForks(find))
        stack.callback(_FORKS.pop)
        yield


@contextmanager
def new_processes() -> Iterator[None]:
    """Have each command started as an operator does it, until the block ends."""
    _FORKS.append(None)
    try:
        yield
    finally:
        _FORKS.pop()


def _forks(command: Sequence[str], env: Mapping[str, str]) -> CommandForks | None:
    """Return what can fork a command, if anything does."""
    forks = _FORKS[-1]
    return forks if forks and command[0] == COMMAND and forks.can_run(command[1:], env) else None


def command_environment(**variables: str) -> dict[str, str]:
    """Return what a process needs of ours, without any setting of the sync but those given."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("UPDATE_SYNC_")}
    return {**kept, **variables}


def update_sync(
    *arguments: str, env: Mapping[str, str], stdin: str | None = None, command: str = COMMAND
) -> subprocess.CompletedProcess[str]:
    """Run a command to its end."""
    whole = [command, *arguments]
    if forks := _forks(whole, env):
        return forks.run(whole, env=env, stdin=stdin, timeout=DEADLINE)
    return subprocess.run(  # noqa: S603 - our own command
        whole,
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


def start(command: Sequence[str], *, env: Mapping[str, str], log: Path) -> RunningCommand:
    """Start a command in a session of its own; its output is appended to `log`."""
    forks = _forks(command, env)
    if forks is None:
        return StartedCommand(command, env=env, log=log)
    log.touch()
    return forks.start(command, env=env, output=str(log))


def start_on_terminal(
    command: Sequence[str], *, env: Mapping[str, str], terminal: int
) -> subprocess.Popen[bytes] | ForkedCommand:
    """Start a command in a session of its own, whose terminal is the one with this descriptor."""
    forks = _forks(command, env)
    if forks is not None:
        name = os.ttyname(terminal)
        return forks.start(command, env=env, input=name, output=name)
    return subprocess.Popen(  # noqa: S603 - our own command
        command,
        env=dict(env),
        stdin=terminal,
        stdout=terminal,
        stderr=terminal,
        preexec_fn=lambda: os.login_tty(terminal),  # noqa: PLW1509 - the test process has no other threads here
    )


@contextmanager
def running(
    *arguments: str, env: Mapping[str, str], log: Path, command: Sequence[str] = (COMMAND,)
) -> Iterator[RunningCommand]:
    """Keep a long-running command running until the block ends; its output goes to `log`."""
    process = start([*command, *arguments], env=env, log=log)
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


def kill_all(process: RunningCommand) -> None:
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
