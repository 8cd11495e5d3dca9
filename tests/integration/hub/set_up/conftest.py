"""A Data Hub over stand-ins of Entra and Skolon, without a tenant of theirs."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from sandbox.environment import Environment, serve_environment
from tests.integration.cli.command_line import add_tenant, database_environment, open_store, tenant_object
from tests.integration.hub.browser import running_hub

if TYPE_CHECKING:
    from collections.abc import Iterator

    from store.store import Store
    from tests.integration.hub.browser import Browser, Hub

PEOPLE = 40


@pytest.fixture(scope="module")
def _served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Environment]:
    with serve_environment(tmp_path_factory.mktemp("world"), users=PEOPLE) as served:
        yield served


@pytest.fixture
def stand_ins(_served: Environment) -> Iterator[Environment]:
    yield _served
    _served.microsoft.faults.clear()
    _served.skolon.faults.clear()
    app = _served.tenant
    _served.microsoft.entra.change(
        app["entra_tenant_id"], app["client_id"], secret_expired=False, permitted=True
    )


@pytest.fixture(scope="module")
def hub(_served: Environment, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hub]:
    folder = tmp_path_factory.mktemp("hub")
    env = database_environment(folder, **_served.variables)
    add_tenant(env, "annan", tenant_object(name="Annan kommun", organisation="annan"))
    with running_hub(env, folder) as running:
        yield running


@pytest.fixture(scope="module")
def store(hub: Hub) -> Iterator[Store]:
    with closing(open_store(hub.env)) as opened:
        yield opened


@pytest.fixture(scope="module")
def operator(hub: Hub) -> Browser:
    return hub.signed_in("Olle Operatör", "operator")
