"""A sync of a municipality with hardly any user: each test adds its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from cli.sandbox.in_process_sync import DATABASE_FILE, InProcessSync, in_process_sync
from sandbox.environment import TENANT_KEY, Environment, serve_environment
from tests.integration.cli.command_line import write_upgraded_database

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def made_up(tmp_path: Path) -> Iterator[Environment]:
    with serve_environment(tmp_path, users=1) as served:
        yield served


@pytest.fixture
def sync(made_up: Environment, tmp_path: Path) -> Iterator[InProcessSync]:
    write_upgraded_database(tmp_path / DATABASE_FILE)
    with in_process_sync(made_up, TENANT_KEY, tmp_path) as together:
        yield together
