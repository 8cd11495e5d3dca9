"""A made-up municipality, and the whole sync of it in this process."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import pytest

from cli.sandbox.in_process_sync import DATABASE_FILE, InProcessSync, in_process_sync
from sandbox.environment import TENANT_KEY, Environment, serve_environment
from tests.integration.cli.command_line import write_upgraded_database

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def made_up(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Environment]:
    """Serve a made-up municipality of so many people as the module's `PEOPLE` says.

    Its tenant has the module's `SETTINGS`, if there are any.
    """
    with serve_environment(tmp_path, users=request.module.PEOPLE) as served:
        settings = getattr(request.module, "SETTINGS", {})
        yield dataclasses.replace(served, tenant={**served.tenant, **settings})


@pytest.fixture
def sync(made_up: Environment, tmp_path: Path) -> Iterator[InProcessSync]:
    write_upgraded_database(tmp_path / DATABASE_FILE)
    with in_process_sync(made_up, TENANT_KEY, tmp_path) as together:
        yield together
