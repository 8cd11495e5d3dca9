"""Processes that start before the servers that they need: they wait, say so, and go on by themselves."""

from __future__ import annotations

import json
import signal
from contextlib import ExitStack, closing
from typing import TYPE_CHECKING

import pika
import pytest

from devtools.commands import command_environment, running, update_sync, wait_for
from devtools.services import postgresql, rabbitmq
from schemas.crypto.encryption import new_key

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.usefixtures("real_processes")

COMMANDS = ("worker", "producer", "scheduler")


def said(log: Path) -> list[tuple[str, str]]:
    """Return what a process has said of which service."""
    lines = [json.loads(line) for line in log.read_text().splitlines() if line.startswith("{")]
    return [(line["event"], line["service"]) for line in lines if "service" in line]


def consumers(amqp_url: str, queue: str) -> int:
    """Return how many consume a queue."""
    with pika.BlockingConnection(pika.URLParameters(amqp_url)) as connection:
        try:
            found = connection.channel().queue_declare(queue, passive=True)
        except pika.exceptions.ChannelClosedByBroker:
            return 0
        return int(found.method.consumer_count)


def test_processes_wait_for_servers_that_start_later(tmp_path: Path) -> None:
    """P8: what starts before PostgreSQL and RabbitMQ says what is away, and works once they are there."""
    with ExitStack() as stack:
        database = stack.enter_context(
            closing(postgresql.PrivatePostgreSQL(postgresql.REQUIREMENT.binaries()))
        )
        broker = stack.enter_context(closing(rabbitmq.PrivateRabbitMQ(rabbitmq.REQUIREMENT.binaries())))
        env = command_environment(
            UPDATE_SYNC_AMQP_URL=broker.url,
            UPDATE_SYNC_DATABASE_URL=database.url,
            UPDATE_SYNC_SECRET_KEYS=new_key(),
            UPDATE_SYNC_SKOLON_SCIM_URL="https://127.0.0.1:9/{organisation}",
            UPDATE_SYNC_SKOLON_TOKEN="made-up",  # noqa: S106 - opens nothing
            UPDATE_SYNC_LOG_FORMAT="json",
        )
        assert update_sync("database", "upgrade", env=env).returncode == 0
        broker.stop()
        database.stop()
        logs = {command: tmp_path / f"{command}.log" for command in COMMANDS}
        pool = {
            command: stack.enter_context(running(command, env=env, log=log)) for command, log in logs.items()
        }

        def all_said(event: str, service: str) -> None:
            wait_for(
                lambda: all((event, service) in said(log) for log in logs.values()), f"{service}: {event}"
            )

        all_said("service_unavailable", "database")
        # What is to be done once and in time says so and ends.
        once = update_sync("runs", "list", env=env)
        assert once.returncode == 1
        assert "nothing listens at" in once.stderr
        database.start()
        all_said("service_recovered", "database")
        all_said("service_unavailable", "broker")
        pool["scheduler"].send_signal(signal.SIGTERM)
        assert pool["scheduler"].wait(10) == 0
        broker.start()
        wait_for(lambda: consumers(broker.url, "user-sync"), "a worker at work")
        wait_for(lambda: consumers(broker.url, "tenant-sync"), "a producer at work")
        for command in ("worker", "producer"):
            assert ("service_recovered", "broker") in said(logs[command])
            assert pool[command].poll() is None
