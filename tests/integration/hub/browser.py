"""A browser without scripts, and the Data Hub's server, for the tests of the pages."""

from __future__ import annotations

import re
import socket
from contextlib import contextmanager
from html import unescape
from typing import TYPE_CHECKING, Any

import requests

from devtools.commands import json_output, start, wait_for
from tests.integration.cli.command_line import COMMAND

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from devtools.started_command import RunningCommand

#: Seconds for the server to start and to end on a busy machine.
DEADLINE = 60.0

_FIELD = re.compile(r'<input type="hidden" name="(\w+)" value="([^"]*)"')


class Browser(requests.Session):
    """Keeps cookies, follows redirects, and fills in a form's hidden fields."""

    def __init__(self, address: str, language: str = "en") -> None:
        super().__init__()
        self.address = address
        self.headers["Accept-Language"] = language

    def open(self, path: str, **options: Any) -> requests.Response:
        return self.get(self.address + path.removeprefix("/"), timeout=DEADLINE, **options)

    def submit(
        self, path: str, page: requests.Response | None = None, **fields: str | Sequence[str]
    ) -> requests.Response:
        """Send the form of a page, or one with that page's token, with some fields set."""
        page = page if page is not None else self.open("sign-in")
        hidden = {name: unescape(value) for name, value in _FIELD.findall(page.text)}
        return self.post(self.address + path.removeprefix("/"), data={**hidden, **fields}, timeout=DEADLINE)

    def sign_in(self, link: str) -> requests.Response:
        """Follow a link and press the button."""
        page = self.get(link, timeout=DEADLINE)
        return self.submit("sign-in", page, link=link.partition("link=")[2])


class Hub:
    """A server that runs, and the environment of commands that work with its database."""

    def __init__(self, address: str, env: Mapping[str, str], log: Path, process: RunningCommand) -> None:
        self.address = address
        self.env = env
        self.log = log
        self.process = process

    def invite(self, name: str, role: str, *tenants: str) -> str:
        """Return a link for a member, from the command."""
        options = [each for key in tenants for each in ("--tenant", key)]
        link: str = json_output("hub", "invite", name, "--role", role, "--yes", *options, env=self.env)[
            "link"
        ]
        return link

    def signed_in(self, name: str, role: str, *tenants: str, language: str = "en") -> Browser:
        browser = Browser(self.address, language)
        answer = browser.sign_in(self.invite(name, role, *tenants))
        assert answer.status_code == 200, answer.text
        return browser


@contextmanager
def running_hub(env: Mapping[str, str], folder: Path) -> Iterator[Hub]:
    """Run `update-sync hub` until the block ends, and give it when it answers."""
    env = {**env, "UPDATE_SYNC_HUB_PORT": str(_free_port()), "UPDATE_SYNC_LOG_FORMAT": "json"}
    address = f"http://127.0.0.1:{env['UPDATE_SYNC_HUB_PORT']}/"
    env["UPDATE_SYNC_HUB_URL"] = address
    log = folder / "hub.log"
    process = start([COMMAND, "hub"], env=env, log=log)
    try:
        _wait_until_it_answers(address, process)
        yield Hub(address, env, log, process)
    finally:
        process.terminate()
        process.wait(DEADLINE)


def _wait_until_it_answers(address: str, process: RunningCommand) -> None:
    def answers() -> bool:
        process.check_running()
        try:
            return requests.get(f"{address}sign-in", timeout=DEADLINE).ok
        except requests.ConnectionError:
            return False

    wait_for(answers, "a page of the Data Hub")


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])
