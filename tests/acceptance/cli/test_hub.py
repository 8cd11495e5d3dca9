"""The Data Hub as operators run it: over PostgreSQL, and in the sandbox."""

from __future__ import annotations

import re
import signal
from typing import TYPE_CHECKING

import pytest
import requests

from devtools.commands import command_environment, running, update_sync, wait_for
from sandbox.environment import TENANT_KEY
from tests.integration.hub.browser import DEADLINE, Browser

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.usefixtures("real_processes")

#: Seconds until a container that was asked to end is killed.
GRACE = 10.0

_ADDRESS = re.compile(r"The Data Hub is at (\S+)")
_LINK = re.compile(r"http://\S+\?link=\S+")


def printed(log: Path, pattern: re.Pattern[str]) -> str:
    """Wait for what a command prints."""

    def look() -> str | None:
        found = pattern.search(log.read_text(encoding="utf-8"))
        return found[found.re.groups] if found else None

    return wait_for(look, pattern.pattern)


def test_the_hub_serves_several_processes_and_ends_in_time(env: dict[str, str], tmp_path: Path) -> None:
    """A session holds in each process; SIGTERM ends them all in time, with a connection open."""
    log = tmp_path / "hub.log"
    with running("hub", "--processes", "2", env=env, log=log) as server:
        address = printed(log, _ADDRESS)
        browser = Browser(address)
        assert "Signed in as Operator" in browser.sign_in(printed(log, _LINK)).text
        for _ in range(10):
            # Another connection each time, so that both processes answer.
            page = requests.get(address, cookies=browser.cookies, timeout=DEADLINE)
            assert "Exempelkommun" in page.text
        browser.open("")

        server.send_signal(signal.SIGTERM)
        assert server.wait(GRACE) == 0
    assert "Traceback" not in log.read_text()
    with running("hub", env=env, log=tmp_path / "again.log"):
        address = printed(tmp_path / "again.log", _ADDRESS)
        # The session outlives the server, and an operator is known: there is no link any more.
        assert (
            "Signed in as Operator" in requests.get(address, cookies=browser.cookies, timeout=DEADLINE).text
        )
        assert _LINK.search((tmp_path / "again.log").read_text()) is None


def test_the_hub_names_a_port_that_is_taken(env: dict[str, str], tmp_path: Path) -> None:
    """It ends with exit code 2, and says what to do."""
    log = tmp_path / "hub.log"
    with running("hub", env=env, log=log):
        port = printed(log, _ADDRESS).rpartition(":")[2].strip("/")
        refused = update_sync("hub", env={**env, "UPDATE_SYNC_HUB_PORT": port})
    assert refused.returncode == 2
    assert "port is in use" in refused.stderr
    unknown = update_sync("hub", env={**env, "UPDATE_SYNC_HUB_HOST": "no such host"})
    assert (unknown.returncode, "UPDATE_SYNC_HUB_HOST" in unknown.stderr) == (2, True)


def test_the_sandbox_opens_the_hub_signed_in(tmp_path: Path) -> None:
    """`update-sync sandbox --hub` shows the made-up municipality's run without a sign-in, to its end."""
    log = tmp_path / "sandbox.log"
    env = command_environment(UPDATE_SYNC_HUB_PORT="0")
    with running("sandbox", "--hub", "--users", "60", env=env, log=log) as process:
        browser = Browser(printed(log, _ADDRESS), "sv")
        assert "Exempelkommun" in browser.open("").text

        def ended() -> bool:
            return "Klar" in browser.open(f"tenants/{TENANT_KEY}/runs/1").text

        wait_for(ended, "the end of the run")
        assert "60" in browser.open(f"tenants/{TENANT_KEY}/runs/1/progress").text
        process.send_signal(signal.SIGTERM)
        assert process.wait(GRACE) == 0
    assert "Traceback" not in log.read_text()
