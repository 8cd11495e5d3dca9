"""Builds a producer process; dramatiq's command line calls `build`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from bootstrap.message_services import message_services
from producers.dead_letters.cleanup import CleanupTimes, DeadLetterCleanup
from producers.dead_letters.task_runner import LOOK_INTERVAL as TASK_INTERVAL
from producers.dead_letters.task_runner import DeadLetterTaskRunner
from producers.failure_recorder import RunFailureRecorder
from producers.reconciliation.loss_detection import LossTimeouts
from producers.reconciliation.reconciler import Reconciler
from producers.run_progress import LOOK_INTERVAL, RunProgressLog
from producers.tenant_page import PageReader
from producers.tenant_sync import RunStarter
from queues.actor import current_message_id, declare_actor
from queues.consuming.periodic_tasks import PeriodicTask, PeriodicTasks
from queues.consuming.processes import set_process_broker
from queues.middleware.failures import utc_now
from schemas.messages.messages import (
    TENANT_PAGE_ACTOR,
    TENANT_PAGES_QUEUE,
    TENANT_SYNC_ACTOR,
    TENANT_SYNC_QUEUE,
    load_tenant_page,
    reject_positional_arguments,
)

if TYPE_CHECKING:
    from clients.gateways import Gateways
    from queues.interfaces import Broker, Publisher, ReconcilerBroker
    from store.store import Store

#: Tasks on dead letters that a process carries out side by side.
_TASKS_AT_ONCE: Final = 3


def build() -> None:
    """Give dramatiq a broker whose workers open runs and read pages, with the settings of the environment."""
    services = message_services()
    broker = services.open_broker()
    progress_log = declare_producers(broker, broker, store=services.store, gateways=services.gateways)
    add_background_tasks(broker, broker, store=services.store, progress_log=progress_log)
    set_process_broker(broker)


def declare_producers(
    broker: Broker,
    publisher: Publisher,
    *,
    store: Store,
    gateways: Gateways,
) -> RunProgressLog:
    """Declare the actors for triggers and pages on `broker`; they publish through `publisher`.

    Returns what logs the progress of the runs that they read, once `add_background_tasks` is given it.
    """
    starter = RunStarter(store=store, publisher=publisher)
    progress_log = RunProgressLog(store.runs)
    reader = PageReader(store=store, gateways=gateways, publisher=publisher, progress_log=progress_log)

    def tenant_sync(*args: object, **fields: object) -> None:
        starter.start(current_message_id(), args, fields)

    def tenant_page(*args: object, **fields: object) -> None:
        reject_positional_arguments(args)
        reader.read(load_tenant_page(fields))

    failure_recorder = RunFailureRecorder(store=store)
    declare_actor(
        broker,
        tenant_sync,
        name=TENANT_SYNC_ACTOR,
        queue=TENANT_SYNC_QUEUE,
        failure_listener=failure_recorder,
    )
    declare_actor(
        broker,
        tenant_page,
        name=TENANT_PAGE_ACTOR,
        queue=TENANT_PAGES_QUEUE,
        failure_listener=failure_recorder,
    )
    return progress_log


def add_background_tasks(
    broker: Broker,
    queues: ReconcilerBroker,
    *,
    store: Store,
    patience: LossTimeouts | None = None,
    progress_log: RunProgressLog | None = None,
) -> None:
    """Add what is done periodically: lost messages are looked for, and stale dead letters are removed.

    What members of the Data Hub want of dead letters is carried out too.

    With `progress_log` the progress of runs is logged.
    """
    patience, times = patience or LossTimeouts(), CleanupTimes()
    reconciler = Reconciler(store=store, queues=queues, patience=patience)
    cleanup = DeadLetterCleanup(store=store, broker=queues, times=times)
    tasks = [
        PeriodicTask(call=lambda: reconciler.tick(utc_now()), interval=patience.check_interval),
        PeriodicTask(call=cleanup.tick, interval=times.interval),
    ]
    # Several tenants' at once: one that waits for an outage keeps no other from its turn.
    runner = DeadLetterTaskRunner(store=store, broker=queues)
    tasks += [PeriodicTask(call=runner.tick, interval=TASK_INTERVAL) for _ in range(_TASKS_AT_ONCE)]
    if progress_log is not None:
        tasks.append(PeriodicTask(call=progress_log.tick, interval=LOOK_INTERVAL))
    broker.add_middleware(PeriodicTasks(*tasks))
