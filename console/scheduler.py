"""`update-sync scheduler`: triggers each tenant's runs by its schedule."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

import click

from console.composition import open_console
from console.output import json_option, print_json, print_table
from producers.scheduler import Scheduler, keep_looking
from schemas.runs import timestamp
from schemas.settings import Need

if TYPE_CHECKING:
    from collections.abc import Sequence

    from queues.broker import Message


@click.command()
@click.option("--once", is_flag=True, help="Trigger what is due now, and end.")
@json_option
def scheduler(*, once: bool, wants_json: bool) -> None:
    """Trigger each tenant's runs by its schedule, until a signal ends it.

    One is enough; a second one stands by. What was due while none ran is caught up once.
    """
    if wants_json and not once:
        raise click.UsageError("--json goes with --once.")
    parts = open_console(Need.DATABASE, Need.BROKER, Need.KEYS)
    if once:
        parts.check_servers()
    else:
        parts.await_servers()
    parts.broker.disconnect()

    def publish(messages: Sequence[Message[Any]]) -> None:
        parts.broker.publish(messages)
        # It would idle until the next time, and RabbitMQ cuts off who is silent.
        parts.broker.disconnect()

    made = Scheduler(schedules=parts.store.schedules, publish=publish, proof=parts.store.seals.proof)
    if once:
        published = made.look(dt.datetime.now(dt.UTC))
        rows = [(each.tenant, str(each.mode), timestamp(each.due), each.event) for each in published]
        headings = ("tenant", "mode", "due", "event")
        if wants_json:
            print_json([dict(zip(headings, row, strict=True)) for row in rows])
        else:
            print_table(headings, rows)
        return
    # A signal ends it, whatever it does at that moment: it is done again, under the same event id.
    keep_looking(made.look)
