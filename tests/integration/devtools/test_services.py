"""The tests' own servers: clean rooms for each test, and nothing left behind."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pika
import psycopg
import pytest

from devtools.services import postgresql as postgresql_service
from devtools.services import rabbitmq as rabbitmq_service
from devtools.services.discovery import Requirement
from devtools.services.process import OUTGOING, ServerProcess, Unavailable, free_port, server_environment
from devtools.services.watchdog import descendants

if TYPE_CHECKING:
    from collections.abc import Iterator

    from devtools.services.postgresql import PostgreSQL
    from devtools.services.rabbitmq import RabbitMQ

ROOT = Path(__file__).parents[3]
#: The number of the user `nobody`.
NOBODY = 65534


def publish(url: str, queue: str, body: bytes) -> None:
    connection = pika.BlockingConnection(pika.URLParameters(url))
    channel = connection.channel()
    channel.confirm_delivery()
    channel.queue_declare(queue, durable=True, arguments={"x-queue-type": "quorum"})
    channel.basic_publish("", queue, body, pika.BasicProperties(delivery_mode=2))
    connection.close()


def fetch(url: str, queue: str) -> bytes | None:
    connection = pika.BlockingConnection(pika.URLParameters(url))
    channel = connection.channel()
    until = time.monotonic() + 30
    body: bytes | None = None
    while body is None and time.monotonic() < until:
        _, _, body = channel.basic_get(queue, auto_ack=True)
    connection.close()
    return body


def gone(pid: int, directory: Path, *, seconds: float = 30) -> bool:
    """Wait until the process and the directory are gone; a zombie that nobody reaps counts as gone."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        try:
            dead = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
        except OSError:
            dead = True
        if dead and not directory.exists():
            return True
        time.sleep(0.05)
    return False


def test_a_virtual_host_is_empty_and_its_own(rabbitmq: RabbitMQ, amqp_url: str) -> None:
    """What one test publishes, another test's virtual host does not have."""
    publish(amqp_url, "letters", b"hej")
    other = rabbitmq.create_vhost()
    connection = pika.BlockingConnection(pika.URLParameters(other))
    with pytest.raises(pika.exceptions.ChannelClosedByBroker, match="NOT_FOUND"):
        connection.channel().queue_declare("letters", passive=True)
    connection.close()
    rabbitmq.delete_vhost(other)
    assert fetch(amqp_url, "letters") == b"hej"


def test_a_deleted_virtual_host_is_gone(rabbitmq: RabbitMQ) -> None:
    """A virtual host cannot be connected to after its test."""
    url = rabbitmq.create_vhost()
    rabbitmq.delete_vhost(url)
    with pytest.raises(pika.exceptions.AMQPConnectionError):
        pika.BlockingConnection(pika.URLParameters(url))


def test_a_prepared_database_is_prepared_once(postgresql: PostgreSQL) -> None:
    """Databases that one function prepares are copies of its work, and independent of each other."""
    calls: list[str] = []

    def prepare(url: str) -> None:
        calls.append(url)
        with postgresql.connect(url) as connection:
            connection.execute("CREATE TABLE people (id int)")

    first, second = postgresql.create_database(prepare), postgresql.create_database(prepare)
    with postgresql.connect(first) as connection:
        connection.execute("INSERT INTO people VALUES (1)")
    with postgresql.connect(second) as connection:
        assert connection.execute("SELECT count(*) FROM people").fetchone() == (0,)
    assert len(calls) == 1
    postgresql.drop_database(first)
    postgresql.drop_database(second)


def test_a_database_can_be_dropped_while_in_use(postgresql: PostgreSQL) -> None:
    """A connection that a test forgot does not keep its database alive."""
    url = postgresql.create_database()
    with postgresql.connect(url) as forgotten:
        postgresql.drop_database(url)
        with pytest.raises(psycopg.OperationalError):
            forgotten.execute("SELECT 1")


@pytest.fixture
def private_rabbitmq(rabbitmq: RabbitMQ) -> Iterator[rabbitmq_service.PrivateRabbitMQ]:
    if rabbitmq.origin != "private":
        pytest.skip("the RabbitMQ of this run was given: it is not ours to kill")
    server = rabbitmq_service.PrivateRabbitMQ(rabbitmq_service.REQUIREMENT.binaries())
    yield server
    server.close()


def test_rabbitmq_survives_a_kill_and_a_restart(private_rabbitmq: rabbitmq_service.PrivateRabbitMQ) -> None:
    """A confirmed message is still there, at the same address, after a power cut and after a restart."""
    url = private_rabbitmq.create_vhost()
    publish(url, "letters", b"zero")
    private_rabbitmq.restart()
    assert fetch(url, "letters") == b"zero"
    publish(url, "letters", b"one")
    private_rabbitmq.kill()
    with pytest.raises(pika.exceptions.AMQPConnectionError):
        pika.BlockingConnection(pika.URLParameters(url))
    private_rabbitmq.start()
    assert fetch(url, "letters") == b"one"


def test_postgresql_survives_a_kill_and_a_restart(postgresql: PostgreSQL) -> None:
    """What was committed is still there, at the same address, after a power cut and after a restart."""
    if postgresql.origin != "private":
        pytest.skip("the PostgreSQL of this run was given: it is not ours to kill")
    server = postgresql_service.PrivatePostgreSQL(postgresql_service.REQUIREMENT.binaries())
    try:
        url = server.create_database()
        with server.connect(url) as connection:
            connection.execute("CREATE TABLE letters AS SELECT 'hej' AS body")
        server.kill()
        with pytest.raises(psycopg.OperationalError):
            server.connect(url)
        server.start()
        server.restart()
        with server.connect(url) as connection:
            assert connection.execute("SELECT body FROM letters").fetchone() == ("hej",)
    finally:
        server.close()


# What a double-forking daemon does: the process that was started is gone, its grandchild lives on.
DAEMON = """
import os, sys, time
if os.fork():
    time.sleep(600)
os.setsid()
if os.fork():
    os._exit(0)
print(os.getpid(), flush=True)
time.sleep(600)
"""

# A test run that starts a server and then waits to be killed.
RUN = f"""
import sys, time
from devtools.services.process import ServerProcess, server_environment
kept = ServerProcess("daemon")
kept.start([sys.executable, "-c", {DAEMON!r}], server_environment())
kept.wait_until(lambda: kept.log.exists() and kept.log.read_text().endswith("\\n"), seconds=20)
print(kept.log.read_text().strip(), kept.directory, flush=True)
time.sleep(600)
"""


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_nothing_is_left_when_the_test_run_is_killed(how: signal.Signals) -> None:
    """A daemon that forked away and its data are gone although nobody had the time to clean up."""
    with subprocess.Popen(  # noqa: S603 - our own script, no shell
        [sys.executable, "-c", RUN], stdout=subprocess.PIPE, text=True, cwd=ROOT, start_new_session=True
    ) as run:
        assert run.stdout is not None
        pid, directory = run.stdout.readline().split()
        assert Path(directory).exists()
        assert int(pid) in descendants(run.pid)
        run.send_signal(how)
    assert gone(int(pid), Path(directory))


def test_close_leaves_nothing() -> None:
    """After close, the server, what it forked and its data are gone."""
    kept = ServerProcess("daemon")
    kept.start([sys.executable, "-c", DAEMON], server_environment())
    kept.wait_until(lambda: kept.log.exists() and kept.log.read_text().endswith("\n"), seconds=20)
    pid = int(kept.log.read_text())
    kept.close()
    assert gone(pid, kept.directory, seconds=0.1)


def test_a_server_that_fails_to_start_shows_its_log() -> None:
    """Whoever waits for a server that ended is told so at once, with what it said."""
    kept = ServerProcess("failing")
    try:
        kept.start([sys.executable, "-c", "import sys; sys.exit('no such luck')"], server_environment())
        with pytest.raises(Unavailable, match=r"(?s)ended with 1 .*no such luck"):
            kept.wait_until(lambda: False, seconds=60)
    finally:
        kept.close()


def test_a_server_that_never_gets_ready_has_a_deadline() -> None:
    """Waiting for a server ends at its deadline."""
    kept = ServerProcess("lazy")
    try:
        kept.start(
            [sys.executable, "-c", "import time; print('resting', flush=True); time.sleep(600)"],
            server_environment(),
        )
        with pytest.raises(Unavailable, match="not ready after"):
            kept.wait_until(lambda: False, seconds=0.5)
    finally:
        kept.close()


@pytest.fixture
def _ordinary_user() -> Iterator[None]:
    """Be no root for a moment: root would install the package."""
    user = os.geteuid()
    if user == 0:
        os.seteuid(NOBODY)
    yield
    os.seteuid(user)


@pytest.mark.usefixtures("_ordinary_user")
def test_a_missing_server_says_what_helps_to_an_ordinary_user() -> None:
    """Where nothing is installed and we may not install, the reason names the package and the variable."""
    requirement: Requirement[Path] = Requirement(
        name="Nothing", variable="UPDATE_SYNC_TEST_NOTHING", packages=("nothing",), locate=lambda: None
    )
    with pytest.raises(Unavailable, match=r"Nothing: .*nothing.*UPDATE_SYNC_TEST_NOTHING"):
        requirement.binaries()


def test_a_servers_port_is_none_that_a_connection_of_somebodys_may_take() -> None:
    """A server that was killed finds its port again, however many try to reach it meanwhile."""
    with socket.socket() as listener, socket.socket() as client:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        client.connect(listener.getsockname())
        outgoing = client.getsockname()[1]
    assert outgoing in OUTGOING
    assert not {free_port() for _ in range(100)} & set(OUTGOING)
