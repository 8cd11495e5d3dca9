"""What a machine may lack (a disk that can be written to, room, a port), said by the real commands."""

from __future__ import annotations

import os
import shlex
import signal
import socket
import subprocess
from typing import TYPE_CHECKING

import pytest

from devtools.commands import COMMAND, DEADLINE, command_environment, running, update_sync, wait_for
from schemas.crypto.encryption import new_key
from tests.integration.cli.command_line import database_environment

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

#: A namespace of mounts of its own: what is mounted there is seen by nobody else, and gone with it.
UNSHARE = ("unshare", "--mount", "--propagation", "private")


def on_a_tmpfs(
    *arguments: str, folder: Path, options: str, env: Mapping[str, str]
) -> subprocess.CompletedProcess[str]:
    """Run a command while `folder` is a small file system in memory that nobody else sees."""
    if subprocess.run([*UNSHARE, "true"], capture_output=True, check=False).returncode:  # noqa: S603 - as below
        pytest.skip("no namespace of mounts can be made here")
    mount = shlex.join(["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)])
    return subprocess.run(  # noqa: S603 - our own command
        [*UNSHARE, "sh", "-c", f'{mount} && exec "$@"', "sh", COMMAND, *arguments],
        env=dict(env),
        capture_output=True,
        text=True,
        timeout=DEADLINE,
        check=False,
    )


def line_of(done: subprocess.CompletedProcess[str]) -> str:
    """Return the one line that a command which ended with 2 has said."""
    assert (done.returncode, done.stdout) == (2, ""), done.stderr
    (line,) = done.stderr.splitlines()
    return line


@pytest.mark.parametrize(
    ("options", "served", "stored"),
    [
        ("ro", "The file system is read-only: mount it so", "The database's file cannot be opened"),
        ("size=16k", "The disk is full: make room", "the disk of the database's file"),
    ],
)
def test_a_disk_that_takes_nothing_is_told(tmp_path: Path, options: str, served: str, stored: str) -> None:
    """That a file system is read-only or full is one line with what to do, wherever it is met."""
    env = command_environment(
        UPDATE_SYNC_DATABASE_URL=f"sqlite:///{tmp_path}/sync.sqlite", UPDATE_SYNC_SECRET_KEYS=new_key()
    )
    arguments = ("sandbox", "--serve", "--users", "1", "--directory", f"{tmp_path}/served")
    assert served in line_of(on_a_tmpfs(*arguments, folder=tmp_path, options=options, env=env))
    done = on_a_tmpfs("database", "upgrade", folder=tmp_path, options=options, env=env)
    assert done.returncode in (1, 2)
    (line,) = done.stderr.splitlines()
    assert stored in line


def test_output_that_goes_nowhere_is_told(tmp_path: Path) -> None:
    """A result that could not be written is not taken for one: the disk it goes to is full."""
    env = database_environment(tmp_path)
    with open("/dev/full", "w") as full:  # noqa: PTH123 - no file
        done = subprocess.run(  # noqa: S603 - our own command
            [COMMAND, "runs", "list", "--json"],
            env=env,
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert done.returncode == 2
    assert done.stderr.splitlines() == ["The disk is full: make room."]


@pytest.mark.parametrize("closed", [">&-", "2>&-", "<&- >&- 2>&-"])
def test_a_command_without_standard_streams_does_its_work(tmp_path: Path, closed: str) -> None:
    """A cron job that closes what it does not need gets the exit code of its command, and no traceback."""
    env = database_environment(tmp_path)
    for arguments in ("tenants list", "runs list --json", "--version"):
        line = f"{shlex.quote(COMMAND)} {arguments} {closed}"
        done = subprocess.run(  # noqa: S602 - our own command
            line, shell=True, env=env, capture_output=True, text=True, check=False
        )
        assert (done.returncode, done.stderr) == (0, ""), line


def test_a_file_that_is_no_database_is_told(tmp_path: Path) -> None:
    """One line says that the path is wrong, and nobody is advised to change the rights of that file."""
    (tmp_path / "notes.txt").write_text("Not a database at all, and others may read it.\n" * 100)
    (tmp_path / "notes.txt").chmod(0o644)
    env = command_environment(
        UPDATE_SYNC_DATABASE_URL=f"sqlite:///{tmp_path}/notes.txt", UPDATE_SYNC_SECRET_KEYS=new_key()
    )
    assert "is not SQLite's: correct the path" in line_of(update_sync("runs", "list", env=env))


def test_a_port_that_is_in_use_is_told(tmp_path: Path) -> None:
    """`sandbox --serve` on a port in use says so."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        arguments = ("--users", "1", "--directory", str(tmp_path), "--ports", port, "0")
        done = update_sync("sandbox", "--serve", *arguments, env=command_environment())
    assert "The port is in use: choose another one" in line_of(done)


def test_the_sandbox_ends_in_order(tmp_path: Path) -> None:
    """SIGTERM ends `sandbox --serve` with 0: it was to serve until then."""
    log = tmp_path / "log"
    arguments = ("--users", "1", "--directory", str(tmp_path / "served"))
    with running("sandbox", "--serve", *arguments, env=command_environment(), log=log) as process:
        wait_for(lambda: "update-sync all" in log.read_text(), "the servers")
        os.kill(process.pid, signal.SIGTERM)
        assert process.wait(DEADLINE) == 0
    assert "Traceback" not in log.read_text()
