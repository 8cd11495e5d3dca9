"""Builds a worker process; dramatiq's command line calls `build`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bootstrap.message_services import message_services
from queues.actor import declare_actor
from queues.consuming.processes import set_process_broker
from schemas.messages.messages import USER_SYNC_ACTOR, USER_SYNC_QUEUE
from workers.failure_recorder import UserFailureRecorder
from workers.user_sync import UserSyncHandler

if TYPE_CHECKING:
    from clients.gateways import Gateways
    from queues.interfaces import Broker
    from schemas.crypto.encryption import FieldCipher
    from store.store import Store


def build() -> None:
    """Give dramatiq a broker whose workers sync users, with the settings of the environment."""
    services = message_services()
    broker = services.open_broker()
    declare_user_sync(broker, store=services.store, gateways=services.gateways, cipher=services.cipher)
    set_process_broker(broker)


def declare_user_sync(broker: Broker, *, store: Store, gateways: Gateways, cipher: FieldCipher) -> None:
    """Declare the actor for user messages on `broker`."""
    handler = UserSyncHandler(store=store, gateways=gateways, cipher=cipher)
    declare_actor(
        broker,
        handler.handle,
        name=USER_SYNC_ACTOR,
        queue=USER_SYNC_QUEUE,
        failure_listener=UserFailureRecorder(store=store),
    )
