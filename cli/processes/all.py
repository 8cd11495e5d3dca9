"""`update-sync all`: producer, worker and scheduler under one command."""

from __future__ import annotations

import sys

import click

from cli.context import current_services
from cli.exits import WRONG_USE
from cli.numbers import WholeNumber
from cli.processes.supervisor import Supervisor


@click.command("all")
@click.option(
    "--processes",
    default=1,
    show_default=True,
    type=WholeNumber(1, 128),
    metavar="N",
    help="Worker processes to run.",
)
def run_all(*, processes: int) -> None:
    """Run producer, worker and scheduler together until stopped.

    This is for a small installation, and for trying out. Each runs as a child process, and one that ends is
    started again; nothing is lost by that. Ctrl-C or SIGTERM ends all of them within ten seconds.
    """
    # What an operator has to fix is said here, once, and not by each child.
    services = current_services()
    services.await_servers()
    services.close()
    ours = [sys.executable, *sys.orig_argv[1 : len(sys.orig_argv) - len(sys.argv[1:])]]
    commands = {
        "producer": [*ours, "producer"],
        "worker": [*ours, "worker", "--processes", str(processes)],
        "scheduler": [*ours, "scheduler"],
    }
    raise click.exceptions.Exit(Supervisor(commands, final_code=WRONG_USE).run())
