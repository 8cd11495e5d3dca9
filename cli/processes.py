"""`update-sync worker`, `producer` and `scheduler`: the long-running processes."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

import click

from cli.context import current_services
from cli.output import json_option, print_json, print_table
from producers.schedule.scheduler import Scheduler, run_forever
from queues.consuming.limits import Needs, threads_allowed
from queues.consuming.processes import run_processes
from schemas.messages.messages import TENANT_PAGES_QUEUE, TENANT_SYNC_QUEUE, USER_SYNC_QUEUE
from schemas.settings import Requirement
from schemas.timestamps import timestamp

if TYPE_CHECKING:
    from collections.abc import Sequence

    from queues.interfaces import Message


@click.command()
@click.option("--processes", default=1, show_default=True, type=click.IntRange(1, 128))
@click.option(
    "--threads",
    default=256,
    show_default=True,
    type=click.IntRange(1, 256),
    help="Users that each process works on at a time; an eighth more are kept for tenants with few in hand.",
)
def worker(*, processes: int, threads: int) -> None:
    """Work off users, until a signal ends it. Run as many as you like, on as many machines as you like."""
    _run("workers.main:build", (USER_SYNC_QUEUE,), (), processes=processes, threads=threads)


@click.command()
@click.option("--processes", default=1, show_default=True, type=click.IntRange(1, 128))
@click.option(
    "--threads",
    default=4,
    show_default=True,
    type=click.IntRange(1, 256),
    help="Messages that each process works on at a time.",
)
def producer(*, processes: int, threads: int) -> None:
    """Turn triggers into runs and read their pages from Entra, until a signal ends it."""
    queues = (TENANT_SYNC_QUEUE, TENANT_PAGES_QUEUE)
    _run("producers.main:build", queues, (USER_SYNC_QUEUE,), processes=processes, threads=threads)


@click.command()
@click.option("--once", is_flag=True, help="Trigger what is due now, and end.")
@json_option
def scheduler(*, once: bool, wants_json: bool) -> None:
    """Trigger each tenant's runs by its schedule, until a signal ends it.

    One is enough; a second one stands by. What was due while none ran is caught up once.
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
        # It would idle until the next time, and RabbitMQ cuts off who is silent.
        services.broker.disconnect()

    made = Scheduler(schedules=services.store.schedules, publish=publish, proof=services.store.seals.proof)
    if once:
        published = made.tick(dt.datetime.now(dt.UTC))
        rows = [(each.tenant, str(each.mode), timestamp(each.due), each.event) for each in published]
        headings = ("tenant", "mode", "due", "event")
        if wants_json:
            print_json([dict(zip(headings, row, strict=True)) for row in rows])
        else:
            print_table(headings, rows)
        return
    # A signal ends it, whatever it does at that moment: it is done again, under the same event id.
    run_forever(made.tick)


def _run(
    build: str, queues: Sequence[str], publishes: Sequence[str], *, processes: int, threads: int
) -> None:
    # What is wrong is said here, once, and not by each child in a traceback.
    services = current_services()
    _ = services.settings
    threads = threads_allowed(Needs(queues=len(queues), threads=threads))
    services.await_servers(consumed=queues, published=publishes)
    services.close()
    raise click.exceptions.Exit(run_processes(build, queues=queues, processes=processes, threads=threads))
