"""A database with one tenant, as a command and a test of it see it."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from sandbox.environment import Environment, serve_environment
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


@pytest.fixture(scope="module")
def _module_stand_ins(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Environment]:
    with serve_environment(tmp_path_factory.mktemp("world"), users=request.module.PEOPLE) as served:
        yield served


@pytest.fixture
def stand_ins(_module_stand_ins: Environment) -> Iterator[Environment]:
    """Serve one municipality of the module's `PEOPLE` to all its tests; each finds it without faults.

    Its users are for looking at: a test that changes them takes `made_up`.
    """
    yield _module_stand_ins
    _module_stand_ins.microsoft.faults.clear()
    _module_stand_ins.skolon.faults.clear()
    settings = _module_stand_ins.tenant
    _module_stand_ins.microsoft.entra.change(
        settings["entra_tenant_id"], settings["client_id"], secret_expired=False, permitted=True
    )
