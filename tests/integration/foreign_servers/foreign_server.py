"""SCIM servers that others wrote, each in a process of its own with a municipality's Skolon users."""

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
    from collections.abc import Iterator, Sequence

    from sandbox.environment import Environment

TOKEN: Final = "made-up"  # noqa: S105 - worth nothing outside
#: Seconds for a server to be there.
_START: Final = 60.0
_FOLDER: Final = Path(__file__).parent
_REPOSITORY: Final = _FOLDER.parents[2]


@dataclasses.dataclass(frozen=True, kw_only=True)
class ForeignServer:
    """A server that runs, and an environment that has it in Skolon's place."""

    url: str
    environment: Environment

    def users(self) -> dict[str, dict[str, Any]]:
        """Return all users as the server has them now, by their ids."""
        found = requests.get(f"{self.url}/users.json", timeout=30)
        found.raise_for_status()
        return {user["id"]: user for user in found.json()}


@contextmanager
def scimmy(
    made_up: Environment, *, searches_lists: bool = True, searches_extensions: bool = True
) -> Iterator[ForeignServer]:
    """Serve the users with SCIMMY, on Node.js. Raises Unavailable.

    Its own filter searches neither a list that some user is without, nor an extension's attributes, unless
    the users are handed to it in another form.
    """
    installed = npm.install(_FOLDER / "scimmy")
    command = [str(npm.node()), str(installed / "server.mjs")]
    forms = {"LISTS": "yes" * searches_lists, "EXTENSIONS": "yes" * searches_extensions}
    with _serve("scimmy", made_up, command, **forms) as server:
        yield server


@contextmanager
def django_scim2(made_up: Environment) -> Iterator[ForeignServer]:
    """Serve the users with django-scim2, in SQLite. Raises Unavailable."""
    module = "tests.integration.foreign_servers.django_scim2"
    with _serve("django-scim2", made_up, [sys.executable, "-m", module]) as server:
        yield server


@contextmanager
def _serve(
    name: str, made_up: Environment, command: Sequence[str], **variables: str
) -> Iterator[ForeignServer]:
    port = free_port()
    process = ServerProcess(name)
    try:
        users = process.directory / "users.json"
        users.write_text(json.dumps(list(made_up.municipality.skolon_users())), encoding="utf-8")
        env = server_environment(
            PORT=str(port),
            TOKEN=TOKEN,
            USERS=str(users),
            DATABASE=str(process.directory / "users.sqlite"),
            PYTHONPATH=str(_REPOSITORY),
            **variables,
        )
        process.start(command, env)
        url = f"http://127.0.0.1:{port}"
        server = ForeignServer(url=url, environment=_in_place_of_skolon(made_up, url))
        process.wait_until(lambda: _answers(url), seconds=_START)
        yield server
    finally:
        process.close()


def _answers(url: str) -> bool:
    try:
        return requests.get(f"{url}/users.json", timeout=5).ok
    except requests.RequestException:
        return False


def _in_place_of_skolon(made_up: Environment, url: str) -> Environment:
    kept = {name: value for name, value in made_up.variables.items() if "_SKOLON_" not in name}
    variables = {
        **kept,
        "UPDATE_SYNC_SKOLON_SCIM_URL": f"{url}/{{organisation}}/scim/v2",
        "UPDATE_SYNC_SKOLON_TOKEN": TOKEN,
    }
    return dataclasses.replace(made_up, variables=variables)
