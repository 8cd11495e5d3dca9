"""`update-sync worker` and `producer`: the processes that work on messages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from cli.context import current_services
from cli.numbers import WholeNumber
from queues.consuming.limits import ResourceNeeds, raise_file_limit
from queues.consuming.processes import run_processes
from schemas.messages.messages import TENANT_PAGES_QUEUE, TENANT_SYNC_QUEUE, USER_SYNC_QUEUE

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


#: How many processes of a kind run.
processes_option: Callable[..., Any] = click.option(
    "--processes",
    default=1,
    show_default=True,
    type=WholeNumber(1, 128),
    metavar="N",
    help="Processes to run, each with its own threads.",
)


@click.command()
@processes_option
@click.option(
    "--threads",
    default=256,
    show_default=True,
    type=WholeNumber(1, 256),
    metavar="N",
    help="Users that each process works on at a time. An eighth of that number is added for small tenants,"
    " and some for quick runs.",
)
def worker(*, processes: int, threads: int) -> None:
    """Process users until stopped.

    Run as many workers as you like, on as many machines as you like. Ctrl-C or SIGTERM ends it.
    """
    _run("workers.main:build", (USER_SYNC_QUEUE,), (), processes=processes, threads=threads)


@click.command()
@processes_option
@click.option(
    "--threads",
    default=4,
    show_default=True,
    type=WholeNumber(1, 256),
    metavar="N",
    help="Requests for runs, and pages of users, that each process works on at a time.",
)
def producer(*, processes: int, threads: int) -> None:
    """Start requested runs and read users from Entra, until stopped."""
    queues = (TENANT_SYNC_QUEUE, TENANT_PAGES_QUEUE)
    _run("producers.main:build", queues, (USER_SYNC_QUEUE,), processes=processes, threads=threads)


def _run(
    build: str, queues: Sequence[str], publishes: Sequence[str], *, processes: int, threads: int
) -> None:
    # Wrong settings are reported here, once, and not by each child process in a traceback.
    services = current_services()
    _ = services.settings
    threads = raise_file_limit(ResourceNeeds(queues=queues, threads=threads))
    services.await_servers(consumed=queues, published=publishes)
    services.close()
    raise click.exceptions.Exit(run_processes(build, queues=queues, processes=processes, threads=threads))
