"""`update-sync database` and `update-sync new-key`."""

from __future__ import annotations

import click

from console.composition import open_console
from schemas.sealing import new_key
from schemas.settings import Need


@click.group()
def database() -> None:
    """Make and change the database's tables."""


@database.command()
def upgrade() -> None:
    """Bring the tables to what this version needs; does nothing when they are."""
    open_console(Need.DATABASE).store.upgrade()
    click.echo("The database is up to date.")


@click.command("new-key")
def new_key_command() -> None:
    """Print a fresh key for UPDATE_SYNC_SECRET_KEYS."""
    click.echo(new_key())
