"""Creates the brokers with our middleware, on RabbitMQ or in memory."""

from __future__ import annotations

from dramatiq.middleware import CurrentMessage, Middleware

from queues.brokers.memory import MemoryBroker
from queues.brokers.rabbitmq import QuorumBroker
from queues.consuming.fair_queue import FairQueueMiddleware
from queues.middleware.failures import failure_middleware
from runtime.circuit_breaker import CircuitBreakers
from runtime.version import VERSION


def open_broker(
    amqp_url: str, breakers: CircuitBreakers | None = None, *, ca_bundle: str | None = None
) -> QuorumBroker:
    """Return a broker on the RabbitMQ at `amqp_url`; it connects at its first use.

    A process that consumes messages passes its circuit `breakers`. The authorities in the file `ca_bundle`
    are trusted in addition to the system's.
    """
    return QuorumBroker(amqp_url, middleware=_middleware(breakers), ca_bundle=ca_bundle)


def open_memory_broker(breakers: CircuitBreakers | None = None) -> MemoryBroker:
    """Return a broker with its queues in this process's memory; `breakers` as above."""
    return MemoryBroker(middleware=_middleware(breakers))


def _middleware(breakers: CircuitBreakers | None) -> list[Middleware]:
    return [
        CurrentMessage(),
        FairQueueMiddleware(),
        failure_middleware(VERSION, breakers or CircuitBreakers()),
    ]
