"""A Data Hub over stand-ins of Entra and Skolon, whose tenant is the made-up municipality."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from sandbox.environment import TENANT_KEY, Environment, serve_environment
from tests.integration.cli.command_line import add_tenant, database_environment, open_store, tenant_object
from tests.integration.hub.browser import running_hub

if TYPE_CHECKING:
    from collections.abc import Iterator

    from store.store import Store
    from tests.integration.hub.browser import Browser, Hub

PEOPLE = 120


@pytest.fixture(scope="module")
def _served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Environment]:
    with serve_environment(tmp_path_factory.mktemp("world"), users=PEOPLE) as served:
        yield served


@pytest.fixture
def stand_ins(_served: Environment) -> Iterator[Environment]:
    yield _served
    _served.microsoft.faults.clear()
    _served.skolon.faults.clear()


@pytest.fixture(scope="module")
def hub(_served: Environment, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hub]:
    folder = tmp_path_factory.mktemp("hub")
    env = database_environment(folder, **_served.variables)
    add_tenant(env, TENANT_KEY, _served.tenant)
    add_tenant(env, "annan", tenant_object(name="Annan kommun", organisation="annan"))
    with running_hub(env, folder) as running:
        yield running


@pytest.fixture(scope="module")
def store(hub: Hub) -> Iterator[Store]:
    with closing(open_store(hub.env)) as opened:
        yield opened


@pytest.fixture(scope="module")
def browser(hub: Hub) -> Browser:
    return hub.signed_in("Rektor Ros", "reader", TENANT_KEY)


@pytest.fixture(scope="module")
def administrator(hub: Hub) -> Browser:
    return hub.signed_in("Ada Ansvarig", "administrator", TENANT_KEY)
