"""The message that starts a run, as any AMQP client publishes it."""

from __future__ import annotations

import json
from typing import Any

import pika

from devtools.commands import wait_for
from sandbox.environment import TENANT_KEY


def event(event_id: str, **data: Any) -> bytes:
    """Return a CloudEvent that asks for a run of the sandbox's tenant, or of the one that `data` names."""
    return json.dumps(
        {
            "specversion": "1.0",
            "id": event_id,
            "source": "/tests",
            "type": "com.skolon.tenant-sync.requested",
            "datacontenttype": "application/json",
            "data": {"tenant": TENANT_KEY, **data},
        }
    ).encode()


def publish(amqp_url: str, queue: str, body: bytes) -> None:
    """Publish a message, once its queue takes it. Raises pika.exceptions.AMQPError."""

    def published() -> bool:
        with pika.BlockingConnection(pika.URLParameters(amqp_url)) as connection:
            channel = connection.channel()
            channel.confirm_delivery()
            try:
                channel.queue_declare(queue, passive=True)
                channel.basic_publish("", queue, body, mandatory=True)
            except (pika.exceptions.ChannelClosedByBroker, pika.exceptions.NackError):
                # It is not there yet, or has no leader yet.
                return False
            return True

    wait_for(published, f"queue {queue}")
