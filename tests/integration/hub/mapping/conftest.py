"""A Data Hub over stand-ins of Entra and Skolon, whose tenant has had a run."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from sandbox.environment import TENANT_KEY, Environment, serve_environment
from tests.integration.cli.command_line import add_tenant, database_environment, open_store, tenant_object
from tests.integration.hub.browser import running_hub
from tests.integration.hub.made_up_runs import finish, start

if TYPE_CHECKING:
    from collections.abc import Iterator

    from store.store import Store
    from tests.integration.hub.browser import Browser, Hub

PEOPLE = 60


@pytest.fixture(scope="module")
def made_up(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Environment]:
    with serve_environment(tmp_path_factory.mktemp("world"), users=PEOPLE) as served:
        yield served


@pytest.fixture(scope="module")
def hub(made_up: Environment, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hub]:
    folder = tmp_path_factory.mktemp("hub")
    env = database_environment(folder, **made_up.variables)
    add_tenant(env, TENANT_KEY, made_up.tenant)
    add_tenant(env, "annan", tenant_object(name="Annan kommun", organisation="annan"))
    with running_hub(env, folder) as running:
        yield running


@pytest.fixture(scope="module")
def store(hub: Hub, made_up: Environment) -> Iterator[Store]:
    with closing(open_store(hub.env)) as opened:
        users = sorted(user.entra["id"] for user in made_up.municipality if user.outcome == "unchanged")[:8]
        finish(opened, start(opened, TENANT_KEY, "before", users), {}, users)
        yield opened


@pytest.fixture(scope="module")
def administrator(hub: Hub) -> Browser:
    return hub.signed_in("Ada Avbildning", "administrator", TENANT_KEY)


@pytest.fixture(scope="module")
def other(hub: Hub) -> Browser:
    return hub.signed_in("Bo Bredvid", "administrator", TENANT_KEY)
