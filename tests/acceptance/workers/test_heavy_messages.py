"""Heavy messages of others, with a real worker: they fill neither its memory nor its day."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pika

from devtools.commands import running, wait_for
from devtools.trigger_message import event, publish
from tests.acceptance.cli.test_stopping import children, lying
from tests.acceptance.runs import PEOPLE, counts, ended_run

if TYPE_CHECKING:
    from sandbox.environment import Environment

FORGED = 150
#: Of a worker process, in KiB.
MOST_MEMORY = 400 * 1024


def forged(number: int, queue: str) -> bytes:
    """Return a message of nearly the largest size that is read, which waits for ten minutes if it can."""
    fields = {
        "queue_name": queue,
        "actor_name": "user_sync",
        "args": [],
        "kwargs": {"tenant": "x", "run": 1, "user": f"u{number}", "payload": "x" * 900_000},
        "options": {"eta": 2**60, "update_sync": {"delay": 600}},
    }
    return json.dumps(fields).encode()


def peak(process: int) -> int:
    """Return the most memory that a process has had, in KiB."""
    status = Path(f"/proc/{process}/status").read_text(encoding="utf-8")
    return int(status.partition("VmHWM:")[2].split()[0])


def test_heavy_messages_fill_no_memory(
    made_up: Environment, env: dict[str, str], amqp_url: str, tmp_path: Path
) -> None:
    """P7: forged messages of 900 kB, 150 in a queue and in its delay queue, take no process 400 MiB."""
    with running("producer", env=env, log=tmp_path / "producer.log"):
        log = tmp_path / "worker.log"
        with running("worker", "--processes", "1", env=env, log=log) as worker:
            # Waits until the queue is there, and is one dead letter more.
            publish(amqp_url, "user-sync.DQ", b"{}")
            with pika.BlockingConnection(pika.URLParameters(amqp_url)) as connection:
                channel = connection.channel()
                # RabbitMQ may lose what is not confirmed when the connection closes.
                channel.confirm_delivery()
                for number in range(FORGED):
                    for queue in ("user-sync", "user-sync.DQ"):
                        channel.basic_publish("", queue, forged(number, queue))
            wait_for(lambda: lying(amqp_url, "user-sync.XQ") > FORGED, "the forged as dead letters")
            publish(amqp_url, "tenant-sync", event("first"))
            run = ended_run(env, 1)
            (process,) = children(worker.pid)
            taken = peak(process)

    assert taken < MOST_MEMORY
    assert counts(run["outcomes"]) == made_up.municipality.expected_outcomes("first")
    assert run["published"] == PEOPLE
