"""Servers that one process starts when they are needed and others use: the workers of a parallel test run.

Those that commands are forked from (`devtools.forking`) are among them.

The process that owns them watches a directory. Another process asks for a server by a file in it, and reads
the server's address from the file that follows. So a server is started once, only when a test needs it, and
by the process that outlives all others.
"""

from __future__ import annotations

import json
import shutil
import tempfile
import threading
import time
from contextlib import ExitStack, closing
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeVar

from devtools.forking.client import KINDS, CommandServers
from devtools.services import chromium, postgresql, rabbitmq
from devtools.services.postgresql import PostgreSQL
from devtools.services.process import Unavailable
from devtools.services.rabbitmq import RabbitMQ

if TYPE_CHECKING:
    from collections.abc import Callable

Server = TypeVar("Server", RabbitMQ, PostgreSQL)

#: The folder of the servers that commands are forked from.
_COMMANDS: Final = "commands"
#: Seconds between two looks into the directory.
_POLL_INTERVAL: Final = 0.05
#: Seconds until a server that was asked for is there; it may have to be installed first.
_PATIENCE: Final = 900.0


class SharedServers:
    """Starts the servers that others ask for, and ends them all at `close`."""

    def __init__(self) -> None:
        self.directory = Path(tempfile.mkdtemp(prefix="update-sync-servers-"))
        self._stack = ExitStack()
        self._closing = threading.Event()
        (self.directory / _COMMANDS).mkdir()
        self._commands = self._stack.enter_context(closing(CommandServers(self.directory / _COMMANDS)))
        self._threads = [
            *(threading.Thread(target=self._offer_commands, args=(kind,)) for kind in KINDS),
            threading.Thread(target=self._offer, args=("rabbitmq", rabbitmq.find)),
            threading.Thread(target=self._offer, args=("postgresql", postgresql.find)),
            threading.Thread(target=self._offer, args=("chromium", chromium.find)),
        ]
        for thread in self._threads:
            thread.start()

    def _is_wanted(self, name: str) -> bool:
        """Wait until a server is asked for; False when none is asked for any more."""
        while not (self.directory / f"{name}.wanted").exists():
            if self._closing.wait(_POLL_INTERVAL):
                return False
        return True

    def _offer_commands(self, kind: str) -> None:
        if self._is_wanted(kind):
            self._commands.start(kind)

    def _offer(self, name: str, find: Callable[[], RabbitMQ | PostgreSQL | Path]) -> None:
        if not self._is_wanted(name):
            return
        try:
            server = find()
        except Unavailable as error:
            found = {"unavailable": str(error)}
        else:
            found = self._described(server)
        whole = self.directory / f"{name}.part"
        whole.write_text(json.dumps(found))
        whole.rename(self.directory / f"{name}.json")

    def _described(self, server: RabbitMQ | PostgreSQL | Path) -> dict[str, str]:
        """Return what others need to know of a server, which is ended at `close`; of a program its path."""
        if isinstance(server, Path):
            return {"path": str(server)}
        self._stack.enter_context(closing(server))
        found = {"url": server.url, "origin": server.origin, "version": server.version}
        if isinstance(server, RabbitMQ):
            found["management_url"] = server.management_url
        return found

    def close(self) -> None:
        """End what was started."""
        self._closing.set()
        for thread in self._threads:
            thread.join()
        self._stack.close()
        shutil.rmtree(self.directory, ignore_errors=True)


def request(directory: Path, name: str) -> None:
    """Ask for a server: its owner starts it meanwhile."""
    (directory / f"{name}.wanted").touch()


def find_rabbitmq(directory: Path) -> RabbitMQ:
    """Return the shared RabbitMQ, once it is there. Raises Unavailable with its owner's reason."""
    found = _await(directory, "rabbitmq")
    return _as_found(RabbitMQ(url=found["url"], management_url=found["management_url"]), found)


def find_postgresql(directory: Path) -> PostgreSQL:
    """Return the shared PostgreSQL, once it is there. Raises Unavailable with its owner's reason."""
    found = _await(directory, "postgresql")
    return _as_found(PostgreSQL(url=found["url"]), found)


def find_chromium(directory: Path) -> Path:
    """Return the program, once it is installed. Raises Unavailable with its owner's reason."""
    return Path(_await(directory, "chromium")["path"])


def find_command_server(directory: Path, kind: str) -> Path:
    """Return the folder of the shared server of commands of a kind, which may have to start yet."""
    server = directory / _COMMANDS / kind
    if not server.exists():
        request(directory, kind)
    return server


def _as_found(server: Server, found: dict[str, str]) -> Server:
    server.origin = found["origin"]
    return server


def _await(directory: Path, name: str) -> dict[str, str]:
    request(directory, name)
    end = time.monotonic() + _PATIENCE
    while not (directory / f"{name}.json").exists():
        if time.monotonic() > end or not directory.exists():
            raise Unavailable(f"{name} was not started within {_PATIENCE:.0f} s")
        time.sleep(_POLL_INTERVAL)
    found: dict[str, str] = json.loads((directory / f"{name}.json").read_text())
    if "unavailable" in found:
        raise Unavailable(found["unavailable"])
    return found
