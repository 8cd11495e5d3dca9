"""Commands that are forked: the same processes as new ones, seen by those who started them."""

from __future__ import annotations

import os
import signal
import subprocess
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from devtools.commands import COMMAND, DEADLINE, command_environment, wait_for
from devtools.forking.client import CommandForks, CommandServers
from devtools.started_command import CommandEndedError
from tests.integration.cli.command_line import database_environment

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def served(folder: Path) -> Iterator[CommandForks]:
    with closing(CommandServers(folder)) as servers:
        yield CommandForks(servers.start)


@pytest.fixture(scope="module")
def forks(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CommandForks]:
    with served(tmp_path_factory.mktemp("servers")) as forks:
        yield forks


def run(forks: CommandForks, *arguments: str, **env: str) -> subprocess.CompletedProcess[str]:
    return forks.run([COMMAND, *arguments], env=command_environment(**env), stdin=None, timeout=DEADLINE)


def test_a_fork_says_and_ends_as_a_new_process(forks: CommandForks) -> None:
    """Output, errors and exit codes are those of the installed command, with the given variables."""
    for arguments in (("--version",), ("nonsense",), ("tenants", "list")):
        new = subprocess.run(  # noqa: S603 - our own command
            [COMMAND, *arguments], env=command_environment(), capture_output=True, text=True, check=False
        )
        forked = run(forks, *arguments)
        assert (forked.returncode, forked.stdout, forked.stderr) == (new.returncode, new.stdout, new.stderr)
    odd = run(forks, "tenants", "list", UPDATE_SYNC_DATABASE_URL="odd://")
    assert "Not a URL that starts with postgresql:// or sqlite://" in odd.stderr


def test_two_forks_share_no_random_numbers(forks: CommandForks) -> None:
    """Each process draws a secret of its own."""
    assert len({run(forks, "new-key").stdout for _ in range(3)}) == 3


@pytest.mark.parametrize("command", ["scheduler", "hub"])
def test_a_fork_that_is_killed_is_known_to_be(forks: CommandForks, tmp_path: Path, command: str) -> None:
    """A long-running process is in a session of its own, and how it ended is told, with what it said last."""
    env = {**database_environment(tmp_path), "UPDATE_SYNC_HUB_PORT": "0"}
    env |= {"UPDATE_SYNC_AMQP_URL": "amqp://127.0.0.1:1"}
    log = tmp_path / "log"
    log.touch()
    process = forks.start([COMMAND, command], env=env, output=str(log))
    wait_for(log.read_text, "a line of its log")
    process.check_running()
    assert process.poll() is None
    assert os.getsid(process.pid) == process.pid != os.getsid(0)
    with pytest.raises(subprocess.TimeoutExpired):
        process.wait(0.0)
    process.kill()
    assert process.wait(DEADLINE) == -signal.SIGKILL
    with pytest.raises(CommandEndedError, match=f"`update-sync {command}` was killed by signal 9"):
        process.check_running()
    # Its number may be another's by now.
    process.send_signal(signal.SIGKILL)


def test_a_fork_is_in_its_session_when_its_number_is_known(forks: CommandForks, tmp_path: Path) -> None:
    """Who starts a process can end its whole session at once, as with a new process."""
    log = tmp_path / "log"
    log.touch()
    for _ in range(20):
        process = forks.start([COMMAND, "--version"], env=command_environment(), output=str(log))
        with suppress(ProcessLookupError):  # it may have ended already
            assert os.getsid(process.pid) == process.pid
        assert process.wait(DEADLINE) == 0


def test_python_that_is_to_start_otherwise_is_not_forked(forks: CommandForks) -> None:
    """Variables that Python reads when it starts have to be those that the server started with."""
    assert forks.can_run(["new-key"], command_environment())
    assert not forks.can_run(["new-key"], command_environment(PYTHONWARNINGS="error"))
    assert not forks.can_run(["sandbox"], command_environment())


def test_a_server_ends_with_its_owner(tmp_path: Path) -> None:
    """What was started to fork commands is gone when its owner closes it."""
    with served(tmp_path) as forks:
        assert run(forks, "new-key").returncode == 0
        children = Path(f"/proc/{os.getpid()}/task/{os.getpid()}/children").read_text().split()
        command_lines = {pid: Path(f"/proc/{pid}/cmdline").read_bytes() for pid in children}
        (server,) = (pid for pid, line in command_lines.items() if bytes(tmp_path) in line)
    assert not Path(f"/proc/{server}").exists()
