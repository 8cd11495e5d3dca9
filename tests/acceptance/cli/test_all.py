"""`update-sync all`: it outlives the processes that it started, and leaves none behind."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from devtools.commands import command_environment, running, update_sync, wait_for
from sandbox.environment import TENANT_KEY
from schemas.crypto.encryption import new_key
from tests.acceptance.cli.test_stopping import children

if TYPE_CHECKING:
    from devtools.started_command import RunningCommand

pytestmark = pytest.mark.usefixtures("real_processes")

#: Seconds until a container that was asked to end is killed.
GRACE = 10.0


def command_of(process: int) -> str:
    """Return the command that a process runs: `producer`, `worker` or `scheduler`; empty once it is gone."""
    try:
        words = Path(f"/proc/{process}/cmdline").read_bytes().split(b"\0")
    except OSError:
        return ""
    return next((word.decode() for word in words if word in (b"producer", b"worker", b"scheduler")), "")


def started(supervisor: RunningCommand) -> dict[str, int]:
    """Wait until all three run; return their process ids."""

    def look() -> dict[str, int] | None:
        supervisor.check_running()
        found = {command_of(child): child for child in children(supervisor.pid)}
        found.pop("", None)
        return found if len(found) == 3 else None

    return wait_for(look, "three processes")


def sync(env: dict[str, str]) -> None:
    done = update_sync("trigger", TENANT_KEY, "--wait", "--timeout", "100", env=env)
    assert "completed" in done.stdout, done.stderr


def test_all_in_one_command(env: dict[str, str], tmp_path: Path) -> None:
    """P2: it syncs, starts again what was killed, and ends in time with all that it started."""
    log = tmp_path / "all.log"
    with running("all", env=env, log=log) as supervisor:
        before = started(supervisor)
        sync(env)
        os.kill(before["worker"], signal.SIGKILL)
        wait_for(lambda: command_of(before["worker"]) == "", "the end of the worker")
        after = started(supervisor)
        assert after["worker"] != before["worker"]
        assert (after["producer"], after["scheduler"]) == (before["producer"], before["scheduler"])
        sync(env)
        supervisor.send_signal(signal.SIGTERM)
        assert supervisor.wait(GRACE) == 0
        assert [command_of(process) for process in after.values()] == ["", "", ""]
    assert '"event": "process_ended"' in log.read_text()


def test_none_is_left_when_it_is_killed(env: dict[str, str], tmp_path: Path) -> None:
    """The kernel asks its children to end."""
    with running("all", env=env, log=tmp_path / "all.log") as supervisor:
        before = started(supervisor)
        supervisor.kill()
        wait_for(lambda: not any(map(command_of, before.values())), "the end of all processes")


def test_what_has_to_be_mended_first_is_said_once(database_url: str, amqp_url: str) -> None:
    """Without tables nothing is started, and the message says what to do."""
    env = command_environment(
        UPDATE_SYNC_AMQP_URL=amqp_url,
        UPDATE_SYNC_DATABASE_URL=database_url,
        UPDATE_SYNC_SECRET_KEYS=new_key(),
        UPDATE_SYNC_SKOLON_SCIM_URL="https://skolon.example/{organisation}",
        UPDATE_SYNC_SKOLON_TOKEN="made-up",  # noqa: S106 - made up, opens nothing
    )
    done = update_sync("all", env=env)
    assert done.returncode == 2
    assert done.stderr.count("database upgrade") == 1
