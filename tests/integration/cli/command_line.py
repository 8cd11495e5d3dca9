"""What the tests of the command line share: an environment with a database file, and a terminal."""

from __future__ import annotations

import os
import pty
import sys
import time
from contextlib import closing
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from devtools.commands import DEADLINE, command_environment, start_on_terminal
from schemas.crypto.encryption import FieldCipher, new_key
from schemas.tenants.tenant import load_tenant
from store.store import Store

if TYPE_CHECKING:
    from collections.abc import Mapping

COMMAND = str(Path(sys.executable).parent / "update-sync")
SECRET = "made-up~secret~value"  # noqa: S105 - made up, opens nothing
#: Nobody listens there: the port is reserved (IANA's tcpmux).
UNREACHABLE = "127.0.0.1:1"


def tenant_object(**settings: Any) -> dict[str, Any]:
    return {
        "name": "Exempelkommun",
        "entra_tenant_id": "6a1c0c3e-0000-4000-8000-00000000aaaa",
        "client_id": "c11e0000-0000-4000-8000-00000000bbbb",
        "client_secret": SECRET,
        "organisation": "exempel",
        **settings,
    }


def database_environment(folder: Path, **variables: str) -> dict[str, str]:
    """Return an environment with an upgraded SQLite database in `folder`."""
    file = folder / "test.sqlite"
    write_upgraded_database(file)
    return command_environment(
        UPDATE_SYNC_DATABASE_URL=f"sqlite:///{file}", UPDATE_SYNC_SECRET_KEYS=new_key(), **variables
    )


def write_upgraded_database(file: Path) -> None:
    """Write a SQLite database that has its tables: to upgrade it once more takes hardly any time."""
    # Readable by its user alone, as the product makes it.
    file.touch(mode=0o600)
    file.write_bytes(_upgraded_file())


@cache
def _upgraded_file() -> bytes:
    """Return an upgraded SQLite database: once upgraded, and from then on copied."""
    with TemporaryDirectory() as folder:
        file = Path(folder) / "upgraded.sqlite"
        with closing(Store(f"sqlite:///{file}", FieldCipher([new_key()]))) as store:
            store.upgrade()
        return file.read_bytes()


def open_store(env: Mapping[str, str]) -> Store:
    """Return the database that a command of this environment works with."""
    return Store(env["UPDATE_SYNC_DATABASE_URL"], FieldCipher([env["UPDATE_SYNC_SECRET_KEYS"]]))


def add_tenant(env: Mapping[str, str], key: str, settings: dict[str, Any]) -> None:
    """Store a tenant without a command, where the command is not what the test is about."""
    with closing(open_store(env)) as store:
        store.tenants.add(*load_tenant(key, settings))


def run_on_terminal(
    *arguments: str, env: Mapping[str, str], typed: Mapping[str, str] | None = None
) -> tuple[int, str]:
    """Run a command on a terminal of its own; return its exit code and what was to be seen.

    `typed` maps what a person waits for to what they then type.
    """
    near, far = pty.openpty()
    process = start_on_terminal(
        [COMMAND, *arguments], env={**env, "TERM": "xterm", "COLUMNS": "150"}, terminal=far
    )
    os.close(far)
    try:
        seen = _read(near, dict(typed or {}))
        return process.wait(DEADLINE), seen
    finally:
        process.kill()
        os.close(near)


def _read(near: int, typed: dict[str, str]) -> str:
    seen, answered = "", 0
    end = time.monotonic() + DEADLINE
    while time.monotonic() < end:
        try:
            data = os.read(near, 65536)
        except OSError:  # Linux's way of saying that nobody holds the other end
            return seen
        if not data:
            return seen
        seen += data.decode(errors="replace")
        for question, words in list(typed.items()):
            place = seen.find(question, answered)
            if place >= 0:
                answered = place + len(question)
                os.write(near, typed.pop(question).encode() if words else b"")
    raise AssertionError(f"the command went on for more than {DEADLINE:.0f} s")
