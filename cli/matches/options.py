"""The options of the commands that decide, each written once."""

from __future__ import annotations

from dataclasses import dataclass
from functools import wraps
from typing import TYPE_CHECKING, Any

import click

from cli.output import json_option
from cli.runs.options import check_timeout, timeout_option

if TYPE_CHECKING:
    from collections.abc import Callable


yes_option = click.option("--yes", is_flag=True, help="Do not ask for confirmation.")


@dataclass(frozen=True, kw_only=True)
class ApplyOptions:
    """How a decision is applied: whether the command waits for the sync (in seconds), and what it prints."""

    wait: bool
    timeout: float | None
    wants_json: bool


@dataclass(frozen=True, kw_only=True)
class NamedUser:
    """The one user that a decision is about, as it was named: of Entra, or of Skolon."""

    entra: str | None
    skolon_id: str | None


def apply_options(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command `--wait`, `--timeout` and `--json`, as one argument `applied`."""

    @wraps(command)
    def run(*, wait: bool, timeout: float | None, wants_json: bool, **further: Any) -> None:
        check_timeout(timeout, wait=wait)
        command(applied=ApplyOptions(wait=wait, timeout=timeout, wants_json=wants_json), **further)

    options = (
        click.option("--wait", is_flag=True, help="Wait until the user is synced, and show the run."),
        timeout_option,
        json_option,
    )
    for option in reversed(options):
        run = option(run)
    return run


def one_user_options(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command `--user` and `--skolon-user`, of which it takes one, as one argument `named`."""

    @wraps(command)
    def run(*, user: str | None, skolon_user: str | None, **further: Any) -> None:
        if (user is None) == (skolon_user is None):
            raise click.UsageError("Give one of --user and --skolon-user.")
        command(named=NamedUser(entra=user, skolon_id=skolon_user), **further)

    entra = click.option(
        "--user",
        metavar="USER",
        help="The Entra user: an id, an EPPN, an e-mail address, a user principal name or a name. `-` reads "
        "it from standard input.",
    )
    skolon = click.option("--skolon-user", metavar="SKOLON_ID", help="The Skolon user, by the id in Skolon.")
    wrapped: Callable[..., None] = entra(skolon(run))
    return wrapped
