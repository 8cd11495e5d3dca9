"""The Data Hub as operators run it: over PostgreSQL, and in the sandbox."""

from __future__ import annotations

import os
import re
import signal
import subprocess
from typing import TYPE_CHECKING

import pytest
import requests

from devtools.commands import COMMAND, command_environment, json_output, running, update_sync, wait_for
from sandbox.environment import TENANT_KEY
from tests.integration.hub.browser import DEADLINE, Browser
from tests.integration.notifications.receivers import MailServer

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
        # The output is a file, as under a supervisor: it says how to get a link, and has none.
        assert "hub invite NAME --role operator" in log.read_text()
        assert _LINK.search(log.read_text()) is None
        public = {**env, "UPDATE_SYNC_HUB_URL": address}
        invitation = json_output("hub", "invite", "Operator", "--role", "operator", env=public)
        browser = Browser(address)
        assert "Signed in as Operator" in browser.sign_in(invitation["link"]).text
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


def test_a_terminal_gets_the_first_operators_link(env: dict[str, str]) -> None:
    """While no operator has signed in, who starts the Data Hub at a terminal can sign in at once."""
    ours, its_own = os.openpty()
    with subprocess.Popen([COMMAND, "hub"], env=env, stdout=its_own, start_new_session=True) as process:  # noqa: S603 - our own command
        os.close(its_own)
        shown = ""

        def link() -> str | None:
            nonlocal shown
            shown += os.read(ours, 4096).decode()
            found = _LINK.search(shown)
            return found[0] if found and "The Data Hub is at" in shown else None

        try:
            signs_in = wait_for(link, "the link")
            page = Browser(signs_in.partition("sign-in")[0]).sign_in(signs_in)
            assert "Signed in as Operator" in page.text
        finally:
            process.terminate()
            process.wait(GRACE)
            os.close(ours)


def test_a_removed_tenant_names_the_members_that_it_leaves_without_one(env: dict[str, str]) -> None:
    """By number, before the question and in JSON; operators, who see all tenants, are not named."""
    update_sync("hub", "invite", "Lena Läsare", "--role", "reader", "--tenant", TENANT_KEY, env=env)
    update_sync("hub", "invite", "Oda Operatör", "--role", "operator", env=env)
    asked = update_sync("tenants", "remove", TENANT_KEY, env=env)
    assert asked.returncode == 2
    assert "no other tenant, and will see none: 1. " in asked.stderr
    assert json_output("tenants", "remove", TENANT_KEY, "--yes", env=env)["members_without_tenant"] == ["1"]


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


def test_the_sandbox_sends_tests_of_notifications(tmp_path: Path) -> None:
    """By the mail server that the environment names."""
    log, page = tmp_path / "sandbox.log", f"tenants/{TENANT_KEY}/notifications/"
    with MailServer() as mail:
        env = command_environment(UPDATE_SYNC_HUB_PORT="0", **mail.variables)
        with running("sandbox", "--hub", "--users", "60", env=env, log=log) as process:
            browser = Browser(printed(log, _ADDRESS), "en")
            form = {"recipients": "it@exempel.example", "most_failed": "3", "language": "en"}
            assert browser.submit(page, browser.open(page), **form).status_code == 200
            assert "have set up no mail server" not in browser.open(page).text
            assert "(code 250)" in browser.submit(f"{page}test", browser.open(page), channel="mail").text
            process.send_signal(signal.SIGTERM)
            assert process.wait(GRACE) == 0
        assert [recipient for recipient, _ in mail.mails] == ["it@exempel.example"]


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
        # Who signs out stays so, and may sign in as somebody else by the stand-in for Entra.
        signed_out = browser.submit("sign-out", browser.open(""))
        assert "Logga in med Microsoft Entra" in signed_out.text
        assert "Logga in med Microsoft Entra" in browser.open("").text
        began = browser.open("sign-in/entra", allow_redirects=False)
        assert "/organizations/oauth2/v2.0/authorize?" in began.headers["Location"]
        process.send_signal(signal.SIGTERM)
        assert process.wait(GRACE) == 0
    assert "Traceback" not in log.read_text()
