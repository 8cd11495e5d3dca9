"""What the commands say when RabbitMQ cannot be used as it is set up: one line that names what to mend."""

from __future__ import annotations

import json
import secrets
from contextlib import closing
from typing import TYPE_CHECKING
from urllib.parse import urlsplit, urlunsplit

import pika
import pytest

from devtools.commands import running, update_sync, wait_for
from queues.brokers.rabbitmq import QuorumBroker
from schemas.messages.messages import QUEUES
from tests.integration.cli.command_line import UNREACHABLE, add_tenant, database_environment, tenant_object

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from devtools.services.rabbitmq import RabbitMQ

PASSWORD = "s3cretpassw0rd"  # noqa: S105 - made up, opens nothing


def through(amqp_url: str, **parts: str) -> str:
    """Return the address with some of its parts replaced."""
    return urlunsplit(urlsplit(amqp_url)._replace(**parts))


@pytest.fixture
def env(tmp_path: Path, amqp_url: str) -> dict[str, str]:
    made = database_environment(
        tmp_path,
        UPDATE_SYNC_AMQP_URL=amqp_url,
        UPDATE_SYNC_SKOLON_SCIM_URL="https://127.0.0.1:9/{organisation}",
    )
    (tmp_path / "test.sqlite").chmod(0o600)
    made |= {"UPDATE_SYNC_SKOLON_TOKEN": "made-up"}
    add_tenant(made, "exempel", tenant_object())
    return made


@pytest.fixture
def user(rabbitmq: RabbitMQ) -> Iterator[str]:
    """Give a RabbitMQ user without rights; tests that run beside this one have users of their own."""
    name = f"user-{secrets.token_hex(6)}"
    rabbitmq.call("PUT", f"/users/{name}", {"password": PASSWORD, "tags": ""})
    yield name
    rabbitmq.call("DELETE", f"/users/{name}")


def of_user(amqp_url: str, user: str, password: str = PASSWORD) -> str:
    return through(amqp_url, netloc=f"{user}:{password}@{urlsplit(amqp_url).netloc.rpartition('@')[2]}")


def refused(command: str, env: dict[str, str], amqp_url: str) -> str:
    """Run a command that has to end with 2 and one line on standard error; return that."""
    arguments = {"trigger": ("trigger", "exempel"), "letters": ("dead-letters", "list")}.get(
        command, (command,)
    )
    done = update_sync(*arguments, env={**env, "UPDATE_SYNC_AMQP_URL": amqp_url})
    assert (done.returncode, done.stdout) == (2, ""), done.stderr
    assert PASSWORD not in done.stderr
    assert "Traceback" not in done.stderr
    assert "bug" not in done.stderr
    (line,) = done.stderr.splitlines()
    return line


@pytest.mark.parametrize("command", ["worker", "producer", "trigger", "letters"])
def test_a_wrong_password_is_named(env: dict[str, str], amqp_url: str, user: str, command: str) -> None:
    """Whoever RabbitMQ does not let in is told that it refused the user name or the password."""
    line = refused(command, env, of_user(amqp_url, user, "wrong"))
    assert "refused the user name or the password" in line
    assert "UPDATE_SYNC_AMQP_URL" in line


@pytest.mark.parametrize("command", ["worker", "scheduler"])
def test_a_wrong_virtual_host_is_named(env: dict[str, str], amqp_url: str, command: str) -> None:
    """A virtual host that there is not, and one in which the user has no rights, are named."""
    assert "no virtual host nope" in refused(command, env, through(amqp_url, path="/nope"))


def test_a_user_without_any_right_is_named(env: dict[str, str], amqp_url: str, user: str) -> None:
    """A user who may not even enter the virtual host is named, with the virtual host."""
    line = refused("worker", env, of_user(amqp_url, user))
    assert f"{user} has no rights in the virtual host {urlsplit(amqp_url).path[1:]}" in line


@pytest.mark.parametrize(
    ("rights", "named"),
    [
        (("^$", ".*", ".*"), "the right to configure on the queue user-sync in"),
        ((".*", "^$", ".*"), "the right to write on the exchange amq.default"),
        ((".*", ".*", "^$"), "the right to read on the queue user-sync in"),
        ((".*", ".*", "^user-sync(.DQ|.XQ)?$"), "the right to read on the queue user-sync.redelivered in"),
    ],
)
def test_a_missing_right_is_named(  # noqa: PLR0913 - a case, and what it needs
    *,
    env: dict[str, str],
    rabbitmq: RabbitMQ,
    amqp_url: str,
    user: str,
    rights: tuple[str, str, str],
    named: str,
) -> None:
    """Which right is missing on which queue or exchange is said, whether the queues exist or not."""
    configure, write, read = rights
    path = f"/permissions/{urlsplit(amqp_url).path[1:]}/{user}"
    rabbitmq.call("PUT", path, {"configure": configure, "write": write, "read": read})
    assert named in refused("worker", env, of_user(amqp_url, user))


def test_a_right_that_is_missing_on_queues_that_exist_is_named(
    env: dict[str, str], rabbitmq: RabbitMQ, amqp_url: str, user: str
) -> None:
    """A user who may not read the queues that are there is refused at the start, and consumes nothing."""
    with closing(QuorumBroker(amqp_url)) as broker:
        broker.check(published=QUEUES)
    path = f"/permissions/{urlsplit(amqp_url).path[1:]}/{user}"
    rabbitmq.call("PUT", path, {"configure": ".*", "write": ".*", "read": "^triggers$"})
    assert "the right to read on the queue tenant-sync in" in refused(
        "producer", env, of_user(amqp_url, user)
    )


def test_a_classic_queue_is_named(env: dict[str, str], amqp_url: str) -> None:
    """A queue of another kind, which lies where ours has to be, is named."""
    with pika.BlockingConnection(pika.URLParameters(amqp_url)) as connection:
        connection.channel().queue_declare("user-sync.DQ", durable=True)
    line = refused("producer", env, amqp_url)
    assert "the queue user-sync.DQ exists in RabbitMQ with other properties" in line


def test_tls_to_a_port_without_it_is_named(env: dict[str, str], amqp_url: str) -> None:
    """`amqps://` to RabbitMQ's port for `amqp://` is said as that."""
    assert "speaks no TLS" in refused("worker", env, through(amqp_url, scheme="amqps"))


@pytest.mark.parametrize("option", ["heartbeat=abc", "no_such_option=1"])
def test_an_option_of_the_address_is_named(env: dict[str, str], amqp_url: str, option: str) -> None:
    """An option of the address that cannot be used is named, and its value is not shown."""
    done = update_sync("worker", env={**env, "UPDATE_SYNC_AMQP_URL": through(amqp_url, query=option)})
    assert done.returncode == 2
    assert f"The option {option.partition('=')[0]} " in done.stderr
    assert "abc" not in done.stderr


@pytest.mark.parametrize(
    ("host", "named"),
    [(UNREACHABLE, "no server listens at its address"), ("nobody.invalid", "cannot be resolved")],
)
def test_what_can_heal_is_waited_for(env: dict[str, str], tmp_path: Path, host: str, named: str) -> None:
    """A worker whose RabbitMQ is not there yet says so, in a line of its log, and goes on waiting."""
    log = tmp_path / "worker.log"
    away = {"UPDATE_SYNC_AMQP_URL": f"amqp://u:{PASSWORD}@{host}/", "UPDATE_SYNC_LOG_FORMAT": "json"}
    log.touch()
    with running("worker", env={**env, **away}, log=log) as process:
        wait_for(lambda: "service_unavailable" in log.read_text(), "the line")
        assert process.poll() is None
    lines = map(json.loads, log.read_text().splitlines())
    line = next(line for line in lines if line["event"] == "service_unavailable")
    assert (line["service"], line["part"]) == ("broker", "start")
    assert named in line["detail"]
    assert PASSWORD not in log.read_text()
