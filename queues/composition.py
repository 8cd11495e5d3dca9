"""The brokers as they are used: with our middleware, on RabbitMQ or in memory."""

from __future__ import annotations

from dramatiq.middleware import CurrentMessage

from queues.failure_routing import routing
from queues.memory import MemoryBroker
from queues.rabbitmq import QuorumBroker
from schemas.version import VERSION


def open_broker(amqp_url: str) -> QuorumBroker:
    """Return a broker on the RabbitMQ at `amqp_url`; it connects when it is used."""
    return QuorumBroker(amqp_url, middleware=[CurrentMessage(), routing(VERSION)])


def open_memory_broker() -> MemoryBroker:
    """Return a broker that keeps its queues in this process's memory."""
    return MemoryBroker(middleware=[CurrentMessage(), routing(VERSION)])
