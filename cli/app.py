"""`update-sync`: its commands, and how it ends."""

from __future__ import annotations

import sys
from typing import Final

import click

from cli.exits import report_error
from cli.lazy_group import LazyCommand, LazyGroup
from runtime.version import VERSION

#: Importing them all takes seconds, so each is imported when it is used.
_COMMANDS: Final = {
    "all": LazyCommand(
        "cli.processes.all:run_all", "Run producer, worker and scheduler together until stopped."
    ),
    "database": LazyCommand("cli.database:database", "Upgrade the database schema, and remove old data."),
    "dead-letters": LazyCommand(
        "cli.dead_letters.commands:dead_letters", "Show, replay or discard messages that failed for good."
    ),
    "hub": LazyCommand("cli.hub.commands:hub", "Serve the Data Hub until stopped, or manage its members."),
    "keys": LazyCommand("cli.keys.commands:keys", "Replace the keys in UPDATE_SYNC_SECRET_KEYS."),
    "matches": LazyCommand(
        "cli.matches.commands:matches", "Settle matches that the sync does not settle by itself."
    ),
    "new-key": LazyCommand(
        "cli.keys.new_key:new_key_command", "Print a new key for UPDATE_SYNC_SECRET_KEYS."
    ),
    "notifications": LazyCommand(
        "cli.notifications.commands:notifications",
        "Send mail and webhooks about what needs a person, and when it no longer does.",
    ),
    "producer": LazyCommand(
        "cli.processes.commands:producer", "Start requested runs and read users from Entra, until stopped."
    ),
    "runs": LazyCommand("cli.runs.commands:runs", "Show, cancel, resume or undo runs."),
    "sandbox": LazyCommand(
        "cli.sandbox.commands:sandbox", "Run the whole sync in one process, with made-up users."
    ),
    "scheduler": LazyCommand(
        "cli.processes.scheduler:scheduler",
        "Request each tenant's runs at its scheduled times, and send notifications, until stopped.",
    ),
    "status": LazyCommand(
        "cli.status.commands:status", "Show all tenants: last run, failures, what needs a person."
    ),
    "tenants": LazyCommand("cli.tenants.commands:tenants", "Manage tenants and check their credentials."),
    "trigger": LazyCommand("cli.runs.trigger:trigger", "Request a run for TENANT."),
    "users": LazyCommand("cli.users.commands:users", "Show whether users are in sync, and if not, why."),
    "worker": LazyCommand("cli.processes.commands:worker", "Process users until stopped."),
}


#: Help is as wide as the terminal; lines much longer than this are hard to read.
_WIDEST_HELP: Final = 120


@click.group(
    cls=LazyGroup,
    lazy=_COMMANDS,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": _WIDEST_HELP},
)
@click.version_option(VERSION, prog_name="update-sync")
def update_sync() -> None:
    """Keep the users that Skolon already has in sync with Microsoft Entra ID."""


def main() -> None:
    """Run a command and exit with its code; expected errors are printed without a traceback."""
    try:
        # click returns the code of a command that ended with `Exit`, and else what the command returned.
        code = update_sync.main(prog_name="update-sync", standalone_mode=False)
    except (Exception, KeyboardInterrupt) as error:  # noqa: BLE001 - reported, whatever it is
        code = report_error(error)
    sys.exit(code if isinstance(code, int) else 0)
