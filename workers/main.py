"""Builds a worker process; dramatiq's command line calls `build`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bootstrap.message_services import message_services
from queues.actor import declare_actor
from queues.consuming.periodic_tasks import PeriodicTask, PeriodicTasks
from queues.consuming.processes import set_process_broker
from schemas.messages.messages import USER_SYNC_ACTOR, USER_SYNC_QUEUE
from workers.dry_run.forecast_tasks import LOOK_INTERVAL, ForecastTasks
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
    handler = declare_user_sync(
        broker, store=services.store, gateways=services.gateways, cipher=services.cipher
    )
    add_forecasts(broker, store=services.store, handler=handler)
    set_process_broker(broker)


def declare_user_sync(
    broker: Broker, *, store: Store, gateways: Gateways, cipher: FieldCipher
) -> UserSyncHandler:
    """Declare the actor for user messages on `broker`; return what handles them."""
    handler = UserSyncHandler(store=store, gateways=gateways, cipher=cipher)
    declare_actor(
        broker,
        handler.handle,
        name=USER_SYNC_ACTOR,
        queue=USER_SYNC_QUEUE,
        failure_listener=UserFailureRecorder(store=store),
    )
    return handler


def add_forecasts(broker: Broker, *, store: Store, handler: UserSyncHandler) -> None:
    """Have the process try users for members who ask what a replay would do."""
    forecasts = ForecastTasks(store=store, handler=handler)
    broker.add_middleware(PeriodicTasks(PeriodicTask(call=forecasts.tick, interval=LOOK_INTERVAL)))
