"""`update-sync scheduler`: triggers runs when they are due."""

from __future__ import annotations

import datetime as dt
import os
from typing import TYPE_CHECKING, Any

import click
import structlog

from cli.context import current_services
from cli.notifications.loop import start_notifications
from cli.output import json_option, print_json, print_table
from producers.schedule.scheduler import Scheduler, run_forever
from runtime.version import VERSION
from schemas.settings import Requirement
from schemas.timestamps import timestamp

if TYPE_CHECKING:
    from collections.abc import Sequence

    from queues.interfaces import Message

_log = structlog.get_logger(__name__)


@click.command()
@click.option("--once", is_flag=True, help="Trigger what is due now, list it, and exit.")
@json_option
def scheduler(*, once: bool, wants_json: bool) -> None:
    """Request each tenant's runs at its scheduled times, and send notifications, until stopped.

    One scheduler is enough; a second one stands by. Runs that were due while no scheduler ran are triggered
    once. With --once it sends no notifications; 'notifications send' does. --json goes with --once.
    """
    if wants_json and not once:
        raise click.UsageError("--json goes with --once.")
    services = current_services(Requirement.DATABASE, Requirement.BROKER, Requirement.KEYS)
    if once:
        services.check_servers()
    else:
        services.await_servers()
    services.broker.disconnect()

    def publish(messages: Sequence[Message[Any]]) -> None:
        services.broker.publish(messages)
        # RabbitMQ would close a connection that is idle until the next due time.
        services.broker.disconnect()

    made = Scheduler(
        schedules=services.store.schedules, publish=publish, proof=services.store.message_cipher.sign_trigger
    )
    if once:
        published = made.tick(dt.datetime.now(dt.UTC))
        rows = [(each.tenant, str(each.mode), timestamp(each.due), each.event) for each in published]
        headings = ("tenant", "mode", "due", "event")
        if wants_json:
            print_json([dict(zip(headings, row, strict=True)) for row in rows])
        else:
            print_table(headings, rows, nothing="No scheduled run is due.")
        return
    log = _log.bind(pid=os.getpid())
    log.info("process_started", version=VERSION, scheduler=True)
    try:
        start_notifications(services)
        # A signal may end it at any moment: the next scheduler triggers what is due, with the same event id.
        run_forever(made.tick)
    finally:
        log.info("process_stopped")
