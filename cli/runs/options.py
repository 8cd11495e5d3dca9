"""What several commands about runs take."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from cli.numbers import RUN_NUMBER, Number
from schemas.fields import NO_OBJECT_ID, is_object_id

if TYPE_CHECKING:
    from collections.abc import Callable


class EntraId(click.ParamType[str]):
    """The object id of a user in Entra; what is none may be a user's name, and is not repeated."""

    name = "entra_id"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Return the id in lower case, as Graph gives it."""
        if not is_object_id(value):
            self.fail(NO_OBJECT_ID, param, ctx)
        return str(value).lower()


def check_timeout(timeout: float | None, *, wait: bool) -> None:
    """Raise `UsageError` for `--timeout` without `--wait`, which it would have no effect on."""
    if timeout is not None and not wait:
        raise click.UsageError("--timeout goes with --wait.")


#: How long `--wait` waits.
timeout_option: Callable[..., Any] = click.option(
    "--timeout",
    type=Number(0),
    metavar="SECONDS",
    show_default="no limit",
    help="With --wait: stop waiting after this many seconds; what was requested goes on.",
)

#: The number of a run.
run_argument: Callable[..., Any] = click.argument("run", type=RUN_NUMBER)

#: The users that a run is about.
users_option: Callable[..., Any] = click.option(
    "--user",
    "users",
    multiple=True,
    type=EntraId(),
    metavar="ENTRA_ID",
    help="Only this user. May be repeated.",
)
