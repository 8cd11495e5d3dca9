"""A database with one tenant, as a command and a test of it see it."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from tests.integration.cli.command_line import add_tenant, database_environment, open_store, tenant_object

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from store.store import Store


@pytest.fixture
def env(tmp_path: Path) -> dict[str, str]:
    """Give an environment with an upgraded database and the tenant `exempel` in it."""
    variables = database_environment(tmp_path)
    add_tenant(variables, "exempel", tenant_object())
    return variables


@pytest.fixture
def store(env: dict[str, str]) -> Iterator[Store]:
    with closing(open_store(env)) as opened:
        yield opened
