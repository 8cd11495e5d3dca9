"""A Data Hub with two tenants, of which one has runs; one server for all tests of a module."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from tests.integration.cli.command_line import add_tenant, database_environment, open_store, tenant_object
from tests.integration.hub.browser import running_hub

if TYPE_CHECKING:
    from collections.abc import Iterator

    from store.store import Store
    from tests.integration.hub.browser import Hub

#: The other tenant's name, which members of the first one never read.
OTHER_NAME = "Annan kommun"

#: Where people get help.
SUPPORT = "https://hub.example/help"


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hub]:
    folder = tmp_path_factory.mktemp("hub")
    env = database_environment(folder, UPDATE_SYNC_HUB_SUPPORT=SUPPORT)
    add_tenant(env, "exempel", tenant_object())
    add_tenant(env, "annan", tenant_object(name=OTHER_NAME, organisation="annan"))
    with running_hub(env, folder) as running:
        yield running


@pytest.fixture(scope="module")
def store(hub: Hub) -> Iterator[Store]:
    with closing(open_store(hub.env)) as opened:
        yield opened
