"""The brokers as they are used: with our middleware, on RabbitMQ or in memory."""

from __future__ import annotations

from dramatiq.middleware import CurrentMessage, Middleware

from queues.brokers.memory import MemoryBroker
from queues.brokers.rabbitmq import QuorumBroker
from queues.consuming.fair_queue import FairTurns
from queues.middleware.failures import routing
from runtime.breaker_registry import Outages
from runtime.version import VERSION


def open_broker(
    amqp_url: str, outages: Outages | None = None, *, ca_bundle: str | None = None
) -> QuorumBroker:
    """Return a broker on the RabbitMQ at `amqp_url`; it connects when it is used.

    `outages` are the passages of the process, if it works on messages. The authorities in the file
    `ca_bundle` are trusted beside the system's.
    """
    return QuorumBroker(amqp_url, middleware=_middleware(outages), ca_bundle=ca_bundle)


def open_memory_broker(outages: Outages | None = None) -> MemoryBroker:
    """Return a broker that keeps its queues in this process's memory; `outages` as above."""
    return MemoryBroker(middleware=_middleware(outages))


def _middleware(outages: Outages | None) -> list[Middleware]:
    return [CurrentMessage(), FairTurns(), routing(VERSION, outages or Outages())]
