"""`update-sync`: its commands, and how it ends."""

from __future__ import annotations

import sys
from typing import Final

import click

from cli.database import database, new_key_command
from cli.dead_letters.commands import dead_letters
from cli.exits import report_error
from cli.keys import keys
from cli.processes import producer, scheduler, worker
from cli.runs.commands import runs
from cli.runs.trigger import trigger
from cli.tenants.commands import tenants
from cli.users.commands import users
from runtime.version import VERSION
from schemas.errors import UsageError

_SANDBOX: Final = "sandbox"


@click.command(_SANDBOX, context_settings={"ignore_unknown_options": True}, add_help_option=False)
@click.argument("arguments", nargs=-1)
def _no_sandbox(*, arguments: tuple[str, ...]) -> None:
    """(not installed)"""  # noqa: D400 - what the list of commands says of it
    del arguments
    raise UsageError("The sandbox is not installed: pip install 'skolon-update-sync[sandbox]' adds it.")


class _Commands(click.Group):
    """Has the sandbox among its commands, and loads its servers only for those who ask for it."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted([*super().list_commands(ctx), _SANDBOX])

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name != _SANDBOX:
            return super().get_command(ctx, cmd_name)
        try:
            from cli.sandbox.commands import sandbox  # noqa: PLC0415 - more than a second, and not always installed
        except ModuleNotFoundError:
            return _no_sandbox
        return sandbox


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(VERSION, prog_name="update-sync")
def update_sync() -> None:
    """Keep the users that Skolon already has in step with Microsoft Entra ID."""


for command in (
    database,
    dead_letters,
    keys,
    new_key_command,
    producer,
    runs,
    scheduler,
    tenants,
    trigger,
    users,
    worker,
):
    update_sync.add_command(command)


def main() -> None:
    """Run a command, and end with its exit code; what is foreseen is said in words, without a traceback."""
    try:
        # click returns the code of a command that ended with `Exit`, and else what the command returned.
        code = update_sync.main(prog_name="update-sync", standalone_mode=False)
    except (Exception, KeyboardInterrupt) as error:  # noqa: BLE001 - said there, whatever it is
        code = report_error(error)
    sys.exit(code if isinstance(code, int) else 0)
