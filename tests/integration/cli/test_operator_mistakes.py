"""What operators get wrong, said by the real commands in one line, with what to do about it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from devtools.commands import command_environment, update_sync
from schemas.crypto.encryption import new_key
from tests.integration.cli.command_line import UNREACHABLE

if TYPE_CHECKING:
    from collections.abc import Callable

    from devtools.services.postgresql import PostgreSQL

PASSWORD = "wr0ng-s3cret"  # noqa: S105 - made up, opens nothing


def _with(user: str = "tests", password: str | None = None, name: str | None = None) -> Callable[[str], str]:
    def changed(url: str) -> str:
        scheme, _, rest = url.partition("://")
        credentials, _, place = rest.partition("@")
        server, _, database = place.partition("/")
        secret = password or credentials.partition(":")[2]
        return f"{scheme}://{user}:{secret}@{server}/{name or database}"

    return changed


MISTAKES: dict[str, tuple[Callable[[str], str], int, str]] = {
    "password": (_with(password=PASSWORD), 2, "refuses the user or the password in UPDATE_SYNC_DATABASE_URL"),
    "role": (_with(user="nobody"), 2, "refuses the user or the password in UPDATE_SYNC_DATABASE_URL"),
    "database": (_with(name="no_such_database"), 2, "has no database of the name"),
    "not upgraded": (lambda url: url, 2, "run 'update-sync database upgrade' first"),
    "port": (lambda _: f"postgresql://u:{PASSWORD}@{UNREACHABLE}/x", 1, f"nothing listens at {UNREACHABLE}"),
    "host": (lambda _: f"postgresql://u:{PASSWORD}@no-such-host.invalid/x", 1, "no-such-host.invalid"),
    "no TLS": (lambda url: f"{url}?sslmode=require", 2, "speaks no TLS"),
    "option": (lambda url: f"{url}?no_such_option=1", 2, "an option that PostgreSQL does not know"),
    "folder": (lambda _: "sqlite:////no/such/folder/sync.sqlite", 2, "does its folder exist"),
}


@pytest.mark.parametrize(("wrong", "code", "said"), MISTAKES.values(), ids=MISTAKES.keys())
def test_a_wrong_address_of_the_database_is_told(
    database_url: str, wrong: Callable[[str], str], code: int, said: str
) -> None:
    """P6: what is wrong with the database is one line with what to do; 2 if waiting cannot mend it."""
    done = update_sync("runs", "list", env=_environment(wrong(database_url)))
    assert (done.returncode, done.stdout) == (code, "")
    [line] = done.stderr.splitlines()
    assert said in line
    assert PASSWORD not in line


@pytest.mark.parametrize("command", ["worker", "producer", "scheduler"])
def test_a_long_running_process_tells_it_in_its_log(database_url: str, command: str) -> None:
    """P6: where the log is JSON a process that cannot start says so in one line of JSON, and ends with 2."""
    env = _environment(_with(password=PASSWORD)(database_url), UPDATE_SYNC_LOG_FORMAT="json")
    done = update_sync(command, env=env)
    assert done.returncode == 2
    [line] = done.stderr.splitlines()
    assert "refuses the user or the password" in json.loads(line)["event"]


def test_a_database_without_a_free_connection_is_told(postgresql: PostgreSQL, database_url: str) -> None:
    """P8: that `max_connections` is reached is said as that."""
    with postgresql.connect() as connection:
        connection.execute("CREATE ROLE few LOGIN PASSWORD 'few' CONNECTION LIMIT 0")
    try:
        done = update_sync("runs", "list", env=_environment(_with("few", "few")(database_url)))
    finally:
        with postgresql.connect() as connection:
            connection.execute("DROP ROLE few")
    assert done.returncode == 1
    assert "raise its max_connections, or run fewer processes" in done.stderr


def test_a_database_of_a_newer_version_is_told(postgresql: PostgreSQL, database_url: str) -> None:
    """Neither a command nor an upgrade touches a database that a newer version has made."""
    env = _environment(database_url)
    assert update_sync("database", "upgrade", env=env).returncode == 0
    with postgresql.connect(database_url) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    for command in (("database", "upgrade"), ("scheduler",)):
        done = update_sync(*command, env=env)
        assert done.returncode == 2
        assert "The database is newer than this version (it is at 9999)" in done.stderr


def _environment(database_url: str, **variables: str) -> dict[str, str]:
    return command_environment(
        UPDATE_SYNC_DATABASE_URL=database_url,
        UPDATE_SYNC_AMQP_URL=f"amqp://{UNREACHABLE}",
        UPDATE_SYNC_SECRET_KEYS=new_key(),
        UPDATE_SYNC_SKOLON_SCIM_URL="https://127.0.0.1:9/{organisation}",
        UPDATE_SYNC_SKOLON_TOKEN="made-up",  # noqa: S106 - opens nothing
        **variables,
    )
