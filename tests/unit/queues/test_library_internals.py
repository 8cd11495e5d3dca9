"""The private parts of dramatiq and pika that we use are there: a new version that changes one fails here."""

from __future__ import annotations

import inspect
import tomllib
from pathlib import Path
from typing import Any

import pytest
from dramatiq import worker
from pika import channel, connection
from pika.adapters import blocking_connection
from pika.adapters.utils import io_services_utils

from queues.library_internals import RabbitmqConsumer, RabbitmqMessage, StubConsumer, StubMessageProxy

ATTRIBUTES = [
    (blocking_connection.BlockingConnection, "_impl"),
    (blocking_connection.BlockingChannel, "_impl"),
    (blocking_connection.BlockingChannel, "_queue_consumer_generator"),
    (connection.Connection, "params"),
    (io_services_utils._AsyncTransportBase, "_sock"),  # noqa: SLF001 - to see that it is there
    (io_services_utils._AsyncTransportBase, "_nbio"),  # noqa: SLF001 - as above
    (RabbitmqMessage, "_tag"),
    (StubConsumer, "queue"),
    (StubConsumer, "prefetch_semaphore"),
]

METHODS = [
    (channel.Channel, "_send_method", ["self", "method", "content"]),
    (channel.Channel, "basic_ack", ["self", "delivery_tag", "multiple"]),
    (channel.Channel, "close", ["self", "reply_code", "reply_text"]),
    (connection.Connection, "_output_marshaled_frames", ["self", "marshaled_frames"]),
    (io_services_utils._AsyncPlaintextTransport, "_on_socket_readable", ["self"]),  # noqa: SLF001 - as above
    (io_services_utils._AsyncSSLTransport, "_on_socket_readable", ["self"]),  # noqa: SLF001 - as above
    (RabbitmqMessage, "__init__", ["self", "redelivered", "tag", "message"]),
    (StubMessageProxy, "__init__", ["self", "message"]),
]


@pytest.mark.parametrize(("owner", "name"), ATTRIBUTES, ids=lambda each: getattr(each, "__name__", each))
def test_attributes_are_set_where_we_read_them(owner: Any, name: str) -> None:
    """Each attribute is one that the class sets itself."""
    assert f"self.{name} =" in inspect.getsource(owner)


@pytest.mark.parametrize(("owner", "name", "parameters"), METHODS)
def test_methods_take_what_we_give_them(owner: Any, name: str, parameters: list[str]) -> None:
    """Each method has the parameters that we know."""
    assert list(inspect.signature(getattr(owner, name)).parameters)[: len(parameters)] == parameters


def test_a_consumer_has_what_we_replace() -> None:
    """`QueueConsumer` sets itself what dramatiq's `__init__` would set."""
    for name in ("connection", "channel", "iterator", "known_tags", "queue_name"):
        assert f"self.{name} =" in inspect.getsource(RabbitmqConsumer)


def test_a_worker_takes_its_time_where_we_replace_it() -> None:
    """Every wait for a delayed message asks the one function that `use_monotonic_clock` replaces."""
    source = inspect.getsource(worker)
    assert "if eta > current_millis():" in source
    assert "time.time()" not in source


@pytest.mark.parametrize("library", ["dramatiq", "pika"])
def test_the_next_minor_version_is_not_installed_unseen(library: str) -> None:
    """While private parts are used, both libraries are bounded from above."""
    project = tomllib.loads((Path(__file__).parents[3] / "pyproject.toml").read_text(encoding="utf-8"))
    (bound,) = [each for each in project["project"]["dependencies"] if each.startswith(library)]
    assert "<" in bound
