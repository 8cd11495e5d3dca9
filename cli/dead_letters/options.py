"""The options that choose dead letters, the same for all commands."""

from __future__ import annotations

import datetime as dt
import re
from typing import TYPE_CHECKING, Any, Final

import click

from cli.output import choices
from cli.tenants.completion import complete_tenants
from schemas.dead_letter_reasons import Reason
from schemas.messages.dead_letter_filter import DeadLetterFilter
from schemas.messages.messages import QUEUES

if TYPE_CHECKING:
    from collections.abc import Callable

_UNITS: Final = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_AGE: Final = re.compile(r"(\d{1,5})([smhdw])")


class Age(click.ParamType[dt.timedelta]):
    """A number with its unit: 90s, 30m, 3h, 2d, 1w."""

    name = "age"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> dt.timedelta:
        """Return the duration."""
        if isinstance(value, dt.timedelta):
            return value
        found = _AGE.fullmatch(value)
        if found is None:
            self.fail("not a number with s, m, h, d or w, such as 3h or 2d", param, ctx)
        return dt.timedelta(**{_UNITS[found[2]]: int(found[1])})


_OPTIONS: Final = (
    click.option(
        "--tenant",
        "tenants",
        multiple=True,
        metavar="KEY",
        shell_complete=complete_tenants,
        help="Of this tenant.",
    ),
    click.option("--run", "runs", multiple=True, type=click.IntRange(min=1), help="Of this run."),
    click.option(
        "--reason",
        "reasons",
        multiple=True,
        type=click.Choice(choices(Reason)),
        help="Failed for this reason.",
    ),
    click.option("--user", "users", multiple=True, metavar="ENTRA_ID", help="Of this user."),
    click.option("--id", "ids", multiple=True, metavar="MESSAGE_ID", help="The dead letter with this id."),
    click.option(
        "--queue", "queues", multiple=True, type=click.Choice(QUEUES), help="Of messages of this queue."
    ),
    click.option(
        "--older-than",
        type=Age(),
        metavar="AGE",
        help="Of a user that has failed for longer than this, in whichever run: 90s, 30m, 3h, 2d or 1w. Of "
        "other messages: that failed longer ago.",
    ),
    click.option(
        "--newer-than",
        type=Age(),
        metavar="AGE",
        help="Of a user that began to fail more recently than this: 90s, 30m, 3h, 2d or 1w.",
    ),
)


def dead_letter_options(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options that choose dead letters; repeated values mean any of them."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def filter_from(options: dict[str, Any], *, now: dt.datetime) -> DeadLetterFilter:
    """Return what the options choose at the moment `now`; raise `click.UsageError` if nothing can."""
    older, newer = options["older_than"], options["newer_than"]
    if older is not None and newer is not None and older >= newer:
        raise click.UsageError(
            "--older-than must be the shorter age: nothing failed both longer ago than it and more recently "
            "than --newer-than."
        )
    return DeadLetterFilter(
        queues=options["queues"],
        tenants=options["tenants"],
        runs=options["runs"],
        reasons=tuple(map(Reason, options["reasons"])),
        users=options["users"],
        ids=options["ids"],
        before=older and now - older,
        after=newer and now - newer,
    )


def none_found(wanted: DeadLetterFilter) -> str:
    """Return the sentence that tells of no dead letters: none at all, or none that the options choose."""
    return "There are no dead letters." if wanted.chooses_all else "No dead letter fits these options."
