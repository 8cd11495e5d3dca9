"""A Data Hub that is connected to RabbitMQ, without a producer: what is asked for stays as it is."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from queues.brokers.factory import open_broker
from schemas.messages.messages import TENANT_SYNC_QUEUE
from tests.integration.cli.command_line import add_tenant, database_environment, open_store, tenant_object
from tests.integration.hub.browser import running_hub

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from devtools.services.rabbitmq import RabbitMQ
    from store.store import Store
    from tests.integration.hub.browser import Hub


@pytest.fixture(scope="module")
def hub(rabbitmq: RabbitMQ, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hub]:
    folder = tmp_path_factory.mktemp("hub")
    url = rabbitmq.create_vhost()
    env = database_environment(folder, UPDATE_SYNC_AMQP_URL=url)
    add_tenant(env, "exempel", tenant_object())
    with running_hub(env, folder) as running:
        yield running
    rabbitmq.delete_vhost(url)


@pytest.fixture(scope="module")
def store(hub: Hub) -> Iterator[Store]:
    with closing(open_store(hub.env)) as opened:
        yield opened


@pytest.fixture(scope="module")
def requested(hub: Hub) -> Iterator[Callable[[], int]]:
    """Give what counts the requests for runs in RabbitMQ."""
    with closing(open_broker(hub.env["UPDATE_SYNC_AMQP_URL"])) as broker:
        yield lambda: broker.depth(TENANT_SYNC_QUEUE).ready
