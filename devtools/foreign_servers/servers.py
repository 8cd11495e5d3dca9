"""Starts SCIM servers that others wrote, each in a process of its own with given users."""

from __future__ import annotations

import dataclasses
import json
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import requests

from devtools.services import npm
from devtools.services.process import ServerProcess, free_port, server_environment

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

TOKEN: Final = "made-up"  # noqa: S105 - worth nothing outside
#: Seconds for a server to be there.
_START: Final = 60.0
_FOLDER: Final = Path(__file__).parent
_REPOSITORY: Final = _FOLDER.parents[1]


@dataclasses.dataclass(frozen=True, kw_only=True)
class ForeignServer:
    """A server that runs; `base_url` is its SCIM address, with a place for the organisation."""

    url: str

    @property
    def base_url(self) -> str:
        return f"{self.url}/{{organisation}}/scim/v2"

    def users(self) -> dict[str, dict[str, Any]]:
        """Return all users as the server has them now, by their ids."""
        found = requests.get(f"{self.url}/users.json", timeout=30)
        found.raise_for_status()
        return {user["id"]: user for user in found.json()}


@contextmanager
def scimmy(
    users: Iterable[dict[str, Any]], *, searches_lists: bool = True, searches_extensions: bool = True
) -> Iterator[ForeignServer]:
    """Serve the users with SCIMMY, on Node.js. Raises Unavailable.

    Its own filter searches neither a list that some user is without, nor an extension's attributes, unless
    the users are handed to it in another form.
    """
    installed = npm.install(_FOLDER / "scimmy")
    command = [str(npm.node()), str(installed / "server.mjs")]
    forms = {"LISTS": "yes" * searches_lists, "EXTENSIONS": "yes" * searches_extensions}
    with _serve("scimmy", users, command, **forms) as server:
        yield server


@contextmanager
def django_scim2(users: Iterable[dict[str, Any]]) -> Iterator[ForeignServer]:
    """Serve the users with django-scim2, in SQLite. Raises Unavailable."""
    module = "devtools.foreign_servers.django_scim2"
    with _serve("django-scim2", users, [sys.executable, "-m", module]) as server:
        yield server


@contextmanager
def _serve(
    name: str, users: Iterable[dict[str, Any]], command: Sequence[str], **variables: str
) -> Iterator[ForeignServer]:
    port = free_port()
    process = ServerProcess(name)
    try:
        file = process.directory / "users.json"
        file.write_text(json.dumps(list(users)), encoding="utf-8")
        env = server_environment(
            PORT=str(port),
            TOKEN=TOKEN,
            USERS=str(file),
            DATABASE=str(process.directory / "users.sqlite"),
            PYTHONPATH=str(_REPOSITORY),
            **variables,
        )
        process.start(command, env)
        url = f"http://127.0.0.1:{port}"
        process.wait_until(lambda: _answers(url), seconds=_START)
        yield ForeignServer(url=url)
    finally:
        process.close()


def _answers(url: str) -> bool:
    try:
        return requests.get(f"{url}/users.json", timeout=5).ok
    except requests.RequestException:
        return False
