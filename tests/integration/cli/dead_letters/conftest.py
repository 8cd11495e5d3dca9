"""The environment of the commands in this folder's tests."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.integration.cli.command_line import add_tenant, database_environment, tenant_object

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def env(tmp_path: Path, amqp_url: str) -> dict[str, str]:
    """Have a database with the tenant `exempel`, and a RabbitMQ."""
    env = database_environment(tmp_path, UPDATE_SYNC_AMQP_URL=amqp_url)
    add_tenant(env, "exempel", tenant_object())
    return env
