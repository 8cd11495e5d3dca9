"""RabbitMQ out of reach in each way that was seen: messages stay, and consumers come back."""

from __future__ import annotations

import errno
import os
import resource
import socket
import threading
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit, urlunsplit
from zoneinfo import ZoneInfo

import pytest
from structlog.testing import capture_logs

from devtools.chaos.proxy import Proxies
from queues.actor import declare_actor
from schemas.errors import Dependency, TransientError
from schemas.messages.messages import USER_SYNC_QUEUE
from schemas.tenants.schedule import time_zone_fault
from tests.contract.queues.broker_probe import (
    Calls,
    RabbitMQProbe,
    RecordingListener,
    dead_letter_bodies,
    running_worker,
    wait_until,
)
from tests.contract.queues.brokers.test_brokers import user_message

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

    from structlog.typing import EventDict

    from devtools.chaos.proxy import Proxy
    from devtools.services.rabbitmq import RabbitMQ

#: Seconds for a connection to be made, so that a test need not wait for a quarter of a minute.
HANGS = 1.0

#: Numbers of files that no connection of a test has.
_FILES_OF_THE_PROCESS = 8


@pytest.fixture
def proxies(amqp_url: str) -> Iterator[Proxy]:
    parts = urlsplit(amqp_url)
    with Proxies() as proxies:
        yield proxies.open(parts.hostname or "", parts.port or 0)


@pytest.fixture
def proxy(amqp_url: str, proxies: Proxy) -> Iterator[RabbitMQProbe]:
    """Give a broker behind the proxy, while the tests look at the server itself."""
    parts = urlsplit(amqp_url)
    user, _, _ = parts.netloc.rpartition("@")
    made = RabbitMQProbe(urlunsplit(parts._replace(netloc=f"{user}@localhost:{proxies.port}")))
    made.broker.parameters.stack_timeout = HANGS
    made.parameters.host, made.parameters.port = parts.hostname, parts.port
    yield made
    made.broker.close()


@contextmanager
def hanging(proxies: Proxy) -> Iterator[None]:
    """Let the server take connections and say nothing more, as one that is stopped does."""
    proxies.hold()
    try:
        yield
    finally:
        proxies.release()


@contextmanager
def nameless(_: Proxy) -> Iterator[None]:
    """Have no name be resolved, while existing connections live."""

    def unknown(*_: object, **__: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket, "getaddrinfo", unknown)
        yield


@contextmanager
def without_files(_: Proxy) -> Iterator[None]:
    """Leave this process no file descriptor for anything new."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    # The limit is one of numbers: a number below it that is free, or becomes free, would do for a socket. The
    # lowest ones are the process's own streams, and what of them is free is taken.
    plugs = [os.dup(0)]
    while plugs[-1] < _FILES_OF_THE_PROCESS:
        plugs.append(os.dup(0))
    resource.setrlimit(resource.RLIMIT_NOFILE, (_FILES_OF_THE_PROCESS, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        for plug in plugs:
            os.close(plug)


@contextmanager
def refusing(proxies: Proxy) -> Iterator[None]:
    """Refuse every new connection, and end those there are."""
    proxies.shut()
    try:
        yield
    finally:
        proxies.reopen()


OUT_OF_REACH = [hanging, nameless, without_files, refusing]


def seen(said: list[EventDict], part: str) -> bool:
    return any(line["event"] == "service_unavailable" and line.get("part") == part for line in said)


@pytest.mark.parametrize("out_of_reach", OUT_OF_REACH, ids=lambda way: way.__name__)
def test_a_retry_that_cannot_be_published_stays_in_hand(
    proxy: RabbitMQProbe, proxies: Proxy, out_of_reach: Callable[[Proxy], AbstractContextManager[None]]
) -> None:
    """P8: in whatever way RabbitMQ is out of reach, a failed message waits for it and is tried again."""
    begun, away = threading.Event(), threading.Event()
    calls = Calls(failures=[TransientError(Dependency.SKOLON, "HTTP 500")])

    def sync(**fields: Any) -> None:
        begun.set()
        assert away.wait(30)
        calls(**fields)

    declare_actor(
        proxy.broker, sync, name="user_sync", queue=USER_SYNC_QUEUE, failure_listener=RecordingListener()
    )
    proxy.broker.publish([user_message("u1"), user_message("u2")])
    with capture_logs() as said, running_worker(proxy.broker):
        wait_until(begun.is_set, "the message")
        with out_of_reach(proxies):
            # What idles would still do for a name that is lost; the connections of the consumers live on.
            threading.Thread(target=proxy.broker.disconnect, daemon=True).start()
            wait_until(lambda: not proxy.idle_connections(), "the end of the idle connections")
            away.set()
            wait_until(lambda: seen(said, "routing failures"), "the failure to publish to be said")
        wait_until(lambda: {call["user"] for call in calls.done} == {"u1", "u2"}, "the retries")
    assert not [line for line in said if line["event"] == "failure_routing_failed"]
    assert dead_letter_bodies(proxy.broker, USER_SYNC_QUEUE) == []


@pytest.mark.parametrize("out_of_reach", OUT_OF_REACH, ids=lambda way: way.__name__)
def test_a_consumer_that_cannot_connect_comes_back(
    proxy: RabbitMQProbe, proxies: Proxy, out_of_reach: Callable[[Proxy], AbstractContextManager[None]]
) -> None:
    """P8: no queue loses its consumers, however the connections to RabbitMQ break and cannot be made."""
    calls = Calls()
    declare_actor(
        proxy.broker, calls, name="user_sync", queue=USER_SYNC_QUEUE, failure_listener=RecordingListener()
    )
    with capture_logs() as said, running_worker(proxy.broker) as worker:
        wait_until(lambda: all(each.consumer for each in worker.consumers.values()), "the consumers")
        with out_of_reach(proxies):
            proxies.cut()
            for queue in worker.consumers:
                wait_until(partial(seen, said, f"consuming {queue}"), f"the loss of {queue} to be said")
        proxy.broker.publish([user_message("u1")])
        wait_until(lambda: bool(calls.done), "the message")
        back = {"consuming user-sync", "consuming user-sync.DQ", "consuming user-sync.quarantine"}
        wait_until(
            lambda: back <= {line["part"] for line in said if line["event"] == "service_recovered"},
            "every consumer",
        )


def test_many_who_fail_at_once_share_few_connections(
    proxy: RabbitMQProbe, rabbitmq: RabbitMQ, amqp_url: str
) -> None:
    """With a limit of 9 connections, a hundred failing users are tried again, and none is refused."""
    vhost = urlsplit(amqp_url).path.removeprefix("/")
    rabbitmq.call("PUT", f"/vhost-limits/{vhost}/max-connections", {"value": 9})
    calls = Calls(failures=[TransientError(Dependency.SKOLON, "HTTP 500")])
    all_users = {f"u{number}" for number in range(100)}
    declare_actor(
        proxy.broker, calls, name="user_sync", queue=USER_SYNC_QUEUE, failure_listener=RecordingListener()
    )
    proxy.broker.publish([user_message(user) for user in sorted(all_users)])
    with capture_logs() as said, running_worker(proxy.broker, threads=64):
        wait_until(lambda: {call["user"] for call in calls.done} == all_users, "the retries")
    assert not [line for line in said if line["event"] == "service_unavailable"]


def test_a_limit_of_connections_is_said_and_waited_for(
    proxy: RabbitMQProbe, rabbitmq: RabbitMQ, amqp_url: str
) -> None:
    """A full virtual host is said in a line that names the limit, and worked in as soon as it can be."""
    calls = Calls()
    declare_actor(
        proxy.broker, calls, name="user_sync", queue=USER_SYNC_QUEUE, failure_listener=RecordingListener()
    )
    proxy.broker.publish([user_message("u1")])
    proxy.broker.disconnect()
    vhost = urlsplit(amqp_url).path.removeprefix("/")
    rabbitmq.call("PUT", f"/vhost-limits/{vhost}/max-connections", {"value": 0})
    with capture_logs() as said, running_worker(proxy.broker):
        wait_until(lambda: seen(said, "consuming user-sync"), "the limit to be said")
        line = next(line for line in said if line["event"] == "service_unavailable")
        assert "limit of connections" in line["detail"]
        rabbitmq.call("PUT", f"/vhost-limits/{vhost}/max-connections", {"value": -1})
        wait_until(lambda: bool(calls.done), "the message")


@pytest.mark.parametrize("wrapped", [False, True])
def test_a_lack_of_open_files_anywhere_is_no_fault_of_a_message(proxy: RabbitMQProbe, wrapped: bool) -> None:  # noqa: FBT001 - one of two ways
    """P8: EMFILE at any door, or hidden behind another error, is tried again until there are files."""
    lack = OSError(errno.EMFILE, "Too many open files")

    def hidden() -> Exception:
        outer = ValueError("an import that failed in its middle")
        outer.__cause__ = lack
        return outer

    calls = Calls(failures=[hidden() if wrapped else lack] * 4)
    declare_actor(
        proxy.broker, calls, name="user_sync", queue=USER_SYNC_QUEUE, failure_listener=RecordingListener()
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("queues.middleware.failure_policy.FIRST_DELAY", 0.01)
        patch.setattr("queues.middleware.failure_policy.MAX_BACK_OFF", 0.01)
        proxy.broker.publish([user_message("u1")])
        with running_worker(proxy.broker):
            wait_until(lambda: bool(calls.done), "the fifth try")
    assert dead_letter_bodies(proxy.broker, USER_SYNC_QUEUE) == []


def test_a_file_of_time_zones_that_cannot_be_opened_is_no_wrong_zone() -> None:
    """P8: with no open file left a tenant's time zone is not called wrong, for all to be dead letters."""
    ZoneInfo.clear_cache()
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (3, hard))
    try:
        with pytest.raises(OSError, match="Too many open files"):
            time_zone_fault("Europe/Stockholm")
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert time_zone_fault("Europe/Stockholm") is None
