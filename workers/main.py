"""Where a worker process is put together; dramatiq's command line calls `build`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from clients.gateways import Directories, directories
from queues.actor import declare_actor
from queues.brokers.factory import open_broker
from queues.consuming.processes import hand_over
from runtime.backlog import Work
from runtime.breaker_registry import Outages
from runtime.logging import set_up_logging
from schemas.crypto.encryption import Sealer
from schemas.messages.messages import USER_SYNC_ACTOR, USER_SYNC_QUEUE, load_user_sync, refuse_arguments
from schemas.settings import read_settings
from store.store import Store
from workers.failure_recorder import UserRecorder
from workers.user_sync import UserSyncer

if TYPE_CHECKING:
    from queues.interfaces import Broker


def build() -> None:
    """Read the environment and hand dramatiq a broker whose workers sync users."""
    settings = read_settings()
    set_up_logging(settings.log_format)
    sealer = Sealer(settings.secret_keys)
    # The two need each other: each request of the store goes through the passages.
    outages = Outages(work=Work(lambda: store.witnesses.organisations_at_work()))  # noqa: PLW0108
    store = Store(settings.database_url, sealer, passages=outages)
    broker = open_broker(settings.amqp_url, outages, ca_bundle=settings.ca_bundle)
    declare_user_sync(broker, store=store, directories=directories(settings, outages), sealer=sealer)
    hand_over(broker)


def declare_user_sync(broker: Broker, *, store: Store, directories: Directories, sealer: Sealer) -> None:
    """Have `broker` work off user messages with what is given."""
    syncer = UserSyncer(store=store, directories=directories, sealer=sealer)

    def user_sync(*args: object, **fields: object) -> None:
        refuse_arguments(args)
        with directories.person_in_hand():
            syncer.sync(load_user_sync(fields))

    declare_actor(
        broker,
        user_sync,
        name=USER_SYNC_ACTOR,
        queue=USER_SYNC_QUEUE,
        recorder=UserRecorder(store=store),
    )
