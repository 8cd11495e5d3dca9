"""`update-sync database` and `update-sync new-key`."""

from __future__ import annotations

import click

from console.composition import open_console
from console.output import json_option, say
from schemas.sealing import new_key
from schemas.settings import Need


@click.group()
def database() -> None:
    """Make and change the database's tables."""


@database.command()
@json_option
def upgrade(*, wants_json: bool) -> None:
    """Bring the tables to what this version needs; does nothing when they are."""
    open_console(Need.DATABASE).store.upgrade()
    say("The database is up to date.", {"upgraded": True}, wants_json=wants_json)


@click.command("new-key")
@json_option
def new_key_command(*, wants_json: bool) -> None:
    """Print a fresh key for UPDATE_SYNC_SECRET_KEYS."""
    key = new_key()
    say(key, {"key": key}, wants_json=wants_json)
