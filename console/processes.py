"""`update-sync worker` and `update-sync producer`: the long-running processes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from console.composition import open_console
from queues.limits import Needs, threads_allowed
from queues.processes import run_processes
from schemas.messages import TENANT_PAGES_QUEUE, TENANT_SYNC_QUEUE, USER_SYNC_QUEUE

if TYPE_CHECKING:
    from collections.abc import Sequence


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


def _run(
    build: str, queues: Sequence[str], publishes: Sequence[str], *, processes: int, threads: int
) -> None:
    # What is wrong is said here, once, and not by each child in a traceback.
    parts = open_console()
    _ = parts.settings
    threads = threads_allowed(Needs(queues=len(queues), threads=threads))
    parts.await_servers(consumed=queues, published=publishes)
    parts.close()
    raise click.exceptions.Exit(run_processes(build, queues=queues, processes=processes, threads=threads))
