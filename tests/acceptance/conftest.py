"""What a run with real processes needs: a made-up municipality, its tenant, and the commands."""

from __future__ import annotations

import dataclasses
import json
from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest

from devtools.commands import COMMAND, command_environment, running, update_sync
from devtools.servers import upgrade_with
from sandbox.environment import TENANT_KEY, Environment, serve_environment
from schemas.crypto.encryption import new_key
from tests.acceptance.runs import PEOPLE

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from devtools.services.postgresql import PostgreSQL


@pytest.fixture
def upgraded_database_url(postgresql: PostgreSQL) -> Iterator[str]:
    """Give a database of its own to each test: a copy of one that `database upgrade` has upgraded."""
    url = postgresql.create_database(upgrade_with(COMMAND))
    yield url
    postgresql.drop_database(url)


@pytest.fixture
def made_up(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Environment]:
    """Serve a made-up municipality of so many people as the module's `PEOPLE` says, of 250 without it.

    Its tenant has the module's `SETTINGS`, if there are any.
    """
    folder = tmp_path / "world"
    folder.mkdir()
    with serve_environment(folder, users=getattr(request.module, "PEOPLE", PEOPLE)) as served:
        settings = getattr(request.module, "SETTINGS", {})
        yield dataclasses.replace(served, tenant={**served.tenant, **settings})


@pytest.fixture
def env(made_up: Environment, amqp_url: str, upgraded_database_url: str, tmp_path: Path) -> dict[str, str]:
    """Have a database that is upgraded, and the tenant in it."""
    variables = command_environment(
        **made_up.variables,
        UPDATE_SYNC_AMQP_URL=amqp_url,
        UPDATE_SYNC_DATABASE_URL=upgraded_database_url,
        UPDATE_SYNC_SECRET_KEYS=new_key(),
        UPDATE_SYNC_LOG_FORMAT="json",
        UPDATE_SYNC_HUB_PORT="0",
    )
    settings = tmp_path / "tenant.json"
    settings.write_text(json.dumps(made_up.tenant), encoding="utf-8")
    done = update_sync("tenants", "add", TENANT_KEY, "--from", str(settings), env=variables)
    assert done.returncode == 0, done.stderr
    return variables


@pytest.fixture
def pool(env: dict[str, str], tmp_path: Path) -> Iterator[list[Path]]:
    """Have a producer and a pool of two worker processes running; give their logs."""
    logs = [tmp_path / "producer.log", tmp_path / "worker.log"]
    with ExitStack() as stack:
        stack.enter_context(running("producer", env=env, log=logs[0]))
        stack.enter_context(running("worker", "--processes", "2", env=env, log=logs[1]))
        yield logs
