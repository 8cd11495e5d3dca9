"""`update-sync`: its commands, and how it ends."""

from __future__ import annotations

import sys

import click

from console.database import database, new_key_command
from console.processes import producer, worker
from console.runs import runs
from console.sandbox import sandbox
from console.tenants import tenants
from console.trigger import trigger
from schemas.errors import UpdateSyncError, WrongUseError
from schemas.version import VERSION

#: 0 is "done", 1 "it ran and something is wrong", 2 "wrong use".
SOMETHING_IS_WRONG = 1
WRONG_USE = 2
INTERRUPTED = 130


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(VERSION, prog_name="update-sync")
def update_sync() -> None:
    """Keep the users that Skolon already has in step with Microsoft Entra ID."""


for command in (database, new_key_command, producer, runs, sandbox, tenants, trigger, worker):
    update_sync.add_command(command)


def main() -> None:
    """Run a command, and end with its exit code; what is foreseen is said in words, without a traceback."""
    try:
        update_sync.main(standalone_mode=False)
    except click.exceptions.Exit as end:
        sys.exit(end.exit_code)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except (click.Abort, KeyboardInterrupt):
        click.echo("Interrupted.", err=True)
        sys.exit(INTERRUPTED)
    except WrongUseError as error:
        click.echo(str(error), err=True)
        sys.exit(WRONG_USE)
    except UpdateSyncError as error:
        click.echo(f"It did not work: {error}", err=True)
        sys.exit(SOMETHING_IS_WRONG)
