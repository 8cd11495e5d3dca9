"""The rights that docs/rabbitmq.md gives to each kind of RabbitMQ user, played on a real RabbitMQ."""

from __future__ import annotations

import json
import re
import secrets
import shlex
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit, urlunsplit

import pika
import pytest
from pika.exceptions import ChannelClosedByBroker

from devtools.services.rabbitmq import REQUIREMENT, PrivateRabbitMQ
from queues.brokers.rabbitmq import QuorumBroker
from schemas.messages.messages import QUEUES, TENANT_SYNC_QUEUE, TRIGGERS_EXCHANGE, USER_SYNC_QUEUE
from tests.contract.queues.broker_probe import dead_letter_bodies
from tests.contract.queues.brokers.test_brokers import user_message

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pika.adapters.blocking_connection import BlockingChannel

    from devtools.services.rabbitmq import RabbitMQ

DOCUMENT: Final = (Path(__file__).parents[4] / "docs" / "rabbitmq.md").read_text(encoding="utf-8")
EVENT: Final = {"specversion": "1.0", "id": "1", "source": "/x", "type": "x", "data": {}}


def documented(user: str) -> dict[str, str]:
    """Return what the document's command gives a user."""
    ours = re.search(r"^OURS='(.*)'$", DOCUMENT, re.MULTILINE)
    line = re.search(rf"^rabbitmqctl set_permissions {user} +(.*)$", DOCUMENT, re.MULTILINE)
    assert ours is not None
    assert line is not None
    rights = [each.strip("\"'").replace("$OURS", ours[1]) for each in line[1].split()]
    return dict(zip(("configure", "write", "read"), rights, strict=True))


@pytest.fixture
def as_user(rabbitmq: RabbitMQ, amqp_url: str) -> Iterator[Callable[[str], str]]:
    """Give a function that makes a user with its documented rights and returns the address to use it by."""
    vhost, made = urlsplit(amqp_url).path.removeprefix("/"), []

    def make(user: str) -> str:
        name, password = f"{user}-{secrets.token_hex(4)}", secrets.token_hex(8)
        rabbitmq.call("PUT", f"/users/{name}", json={"password": password, "tags": ""})
        made.append(name)
        rabbitmq.call("PUT", f"/permissions/{vhost}/{name}", json=documented(user))
        address = urlsplit(amqp_url)
        return urlunsplit(address._replace(netloc=f"{name}:{password}@{address.hostname}:{address.port}"))

    yield make
    for name in made:
        rabbitmq.call("DELETE", f"/users/{name}")


@pytest.mark.parametrize("user", ["update-sync", "update-sync-operator"])
def test_our_own_users_can_do_their_work(as_user: Callable[[str], str], user: str) -> None:
    """Processes and operators declare all queues, publish, consume, and walk the dead letters."""
    with closing(QuorumBroker(as_user(user))) as broker:
        for queue in QUEUES:
            broker.publish([user_message().copy(queue_name=queue)])
        broker.publish_later(user_message(), 1)
        broker.publish_dead_letter(user_message())
        assert len(dead_letter_bodies(broker, USER_SYNC_QUEUE)) == 1
        with closing(broker.consume(USER_SYNC_QUEUE)) as consumer:
            assert next(consumer) is not None


FORBIDDEN: Final[dict[str, Callable[[BlockingChannel], object]]] = {
    "the default exchange": lambda channel: channel.basic_publish("", TENANT_SYNC_QUEUE, b"{}"),
    "user-sync": lambda channel: channel.basic_publish("", USER_SYNC_QUEUE, b"{}"),
    "tenant-pages": lambda channel: channel.basic_publish("", "tenant-pages", b"{}"),
    "dead letters": lambda channel: channel.basic_publish("", "user-sync.XQ", b"{}"),
    "to read": lambda channel: channel.basic_get(TENANT_SYNC_QUEUE),
    "to read dead letters": lambda channel: channel.basic_get("user-sync.XQ"),
    "to consume": lambda channel: channel.basic_consume(TENANT_SYNC_QUEUE, lambda *_: None),
    "to purge": lambda channel: channel.queue_purge(TENANT_SYNC_QUEUE),
    "to delete": lambda channel: channel.queue_delete(TENANT_SYNC_QUEUE),
    "to delete the exchange": lambda channel: channel.exchange_delete(TRIGGERS_EXCHANGE),
    "to bind": lambda channel: channel.queue_bind(USER_SYNC_QUEUE, TRIGGERS_EXCHANGE, "user-sync"),
    "to declare": lambda channel: channel.queue_declare("of-my-own"),
}


def test_a_client_can_trigger_and_nothing_else(amqp_url: str, as_user: Callable[[str], str]) -> None:
    """Who may trigger may only trigger: nothing else is reached, read, emptied or deleted."""
    with closing(QuorumBroker(amqp_url)) as broker:
        for queue in QUEUES:
            broker.publish([user_message().copy(queue_name=queue)])
        with pika.BlockingConnection(pika.URLParameters(as_user("update-sync-trigger"))) as client:
            channel = client.channel()
            channel.confirm_delivery()
            body = json.dumps(EVENT).encode()
            channel.basic_publish(TRIGGERS_EXCHANGE, TENANT_SYNC_QUEUE, body, mandatory=True)
            for what, attempt in FORBIDDEN.items():
                other = client.channel()
                other.confirm_delivery()
                with pytest.raises(ChannelClosedByBroker) as caught:
                    attempt(other)
                assert caught.value.reply_code == 403, what
            elsewhere = client.channel()
            elsewhere.confirm_delivery()
            with pytest.raises(pika.exceptions.UnroutableError):
                elsewhere.basic_publish(TRIGGERS_EXCHANGE, USER_SYNC_QUEUE, body, mandatory=True)
        with closing(pika.BlockingConnection(pika.URLParameters(amqp_url))) as ours:
            got = [ours.channel().basic_get(TENANT_SYNC_QUEUE, auto_ack=True)[2] for _ in range(2)]
        assert body in got


COMPOSE: Final = "docker compose exec -T rabbitmq rabbitmqctl "


def test_the_commands_for_compose_do_as_they_say() -> None:
    """Typed as documented, they give a client and the processes of docker-compose.yml their rights."""
    ours = re.search(r"^OURS='(.*)'$", DOCUMENT, re.MULTILINE)
    assert ours is not None
    lines = [line for line in DOCUMENT.splitlines() if COMPOSE in line]
    with closing(PrivateRabbitMQ(REQUIREMENT.binaries())) as server:
        # As the image makes it.
        server.call("PUT", "/users/update-sync", json={"password": "ours", "tags": "administrator"})
        for line in lines:
            typed = shlex.split(line.partition(COMPOSE)[2].replace("$OURS", ours[1]))
            server.control(*typed, stdin="theirs\n" if line.startswith("echo ") else "")
        address = urlsplit(server.url)

        def url(user: str, password: str) -> str:
            return urlunsplit(address._replace(netloc=f"{user}:{password}@127.0.0.1:{address.port}"))

        with closing(QuorumBroker(url("update-sync", "ours"))) as broker:
            broker.check(consumed=QUEUES)
        with pika.BlockingConnection(pika.URLParameters(url("update-sync-trigger", "theirs"))) as client:
            channel = client.channel()
            channel.confirm_delivery()
            body = json.dumps(EVENT).encode()
            channel.basic_publish(TRIGGERS_EXCHANGE, TENANT_SYNC_QUEUE, body, mandatory=True)
            with pytest.raises(ChannelClosedByBroker):
                channel.basic_publish("", USER_SYNC_QUEUE, body, mandatory=True)
        assert server.call("GET", "/users/update-sync").json()["tags"] in ([], "")
