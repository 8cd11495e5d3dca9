"""`update-sync scheduler`: triggers each tenant's runs by its schedule."""

from __future__ import annotations

import datetime as dt
import signal
from typing import TYPE_CHECKING, Any, Final

import click

from console.composition import open_console
from console.output import json_option, print_json, print_table
from producers.scheduler import Scheduler, keep_looking
from schemas.runs import timestamp
from schemas.settings import Need

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import FrameType

    from queues.broker import Message

#: Seconds to take leave of the database and RabbitMQ.
_LEAVE: Final = 5


@click.command()
@click.option("--once", is_flag=True, help="Trigger what is due now, and end.")
@json_option
def scheduler(*, once: bool, wants_json: bool) -> None:
    """Trigger each tenant's runs by its schedule, until a signal ends it.

    One is enough; a second one stands by. What was due while none ran is caught up once.
    """
    if wants_json and not once:
        raise click.UsageError("--json goes with --once.")
    parts = open_console(Need.DATABASE, Need.BROKER)
    parts.check_servers()
    parts.broker.disconnect()

    def publish(messages: Sequence[Message[Any]]) -> None:
        parts.broker.publish(messages)
        # It would idle until the next time, and RabbitMQ cuts off who is silent.
        parts.broker.disconnect()

    made = Scheduler(schedules=parts.store.schedules, publish=publish)
    if once:
        published = made.look(dt.datetime.now(dt.UTC))
        rows = [(each.tenant, str(each.mode), timestamp(each.due), each.event) for each in published]
        headings = ("tenant", "mode", "due", "event")
        if wants_json:
            print_json([dict(zip(headings, row, strict=True)) for row in rows])
        else:
            print_table(headings, rows)
        return
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _end)
    try:
        keep_looking(made.look)
    except KeyboardInterrupt:
        return


def _end(number: int, frame: FrameType | None) -> None:
    """End, whatever it does at that moment: it is done again, under the same event id."""
    # The kernel ends it if a server that does not answer keeps it from taking its leave.
    signal.alarm(_LEAVE)
    signal.default_int_handler(number, frame)
