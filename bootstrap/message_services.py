"""The services of a process that consumes messages. Circuit breakers guard all their requests."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from clients.gateways import create_gateways
from queues.brokers.factory import open_broker
from runtime.backlog import Backlog
from runtime.circuit_breaker import CircuitBreakers
from runtime.logging import set_up_logging
from schemas.crypto.encryption import FieldCipher
from schemas.settings import Settings, load_settings
from store.store import Store

if TYPE_CHECKING:
    from collections.abc import Mapping

    from queues.brokers.rabbitmq import QuorumBroker

#: Database connections of a process, unless a caller asks for another number.
_POOL_SIZE: Final = 6


class MessageServices:
    """The services of a process that consumes messages. Circuit breakers guard all their requests.

    The command that starts such a process has checked the settings and waited for the servers.
    """

    def __init__(self, settings: Settings, *, pool_size: int = _POOL_SIZE) -> None:
        """Build the services; nothing connects yet."""
        self.settings = settings
        self.cipher = FieldCipher(settings.secret_keys)
        # Breakers and store need each other: a breaker asks the store which organisations have work.
        self.breakers = CircuitBreakers(backlog=Backlog(self._organisations_at_work))
        self.store = Store(settings.database_url, self.cipher, pool_size=pool_size, breakers=self.breakers)
        capabilities = self.store.skolon_capabilities(settings.skolon_scim_url)
        self.gateways = create_gateways(settings, self.breakers, capabilities)

    def open_broker(self) -> QuorumBroker:
        """Return a broker on RabbitMQ whose middleware uses the circuit breakers."""
        return open_broker(self.settings.amqp_url, self.breakers, ca_bundle=self.settings.ca_bundle)

    def _organisations_at_work(self) -> Mapping[str, int]:
        return self.store.peer_progress.active_organisations()


def message_services() -> MessageServices:
    """Read the environment and return the services of a worker or producer process."""
    settings = load_settings()
    set_up_logging(settings.log_format)
    return MessageServices(settings)
