"""`update-sync new-key`."""

from __future__ import annotations

import click

from cli.output import json_option, print_result
from schemas.crypto.encryption import new_key


@click.command("new-key")
@json_option
def new_key_command(*, wants_json: bool) -> None:
    """Print a new key for UPDATE_SYNC_SECRET_KEYS."""
    key = new_key()
    print_result(key, {"key": key}, wants_json=wants_json)
