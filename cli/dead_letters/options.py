"""The options that choose dead letters, the same for all commands."""

from __future__ import annotations

import datetime as dt
import re
from typing import TYPE_CHECKING, Any, Final

import click

from cli.numbers import RUN_NUMBER
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
            self.fail("Give a number with s, m, h, d or w, such as 3h or 2d.", param, ctx)
        return dt.timedelta(**{_UNITS[found[2]]: int(found[1])})


_OPTIONS: Final = (
    click.option(
        "--tenant",
        "tenants",
        multiple=True,
        metavar="KEY",
        shell_complete=complete_tenants,
        help="Only those of this tenant. May be repeated.",
    ),
    click.option(
        "--run",
        "runs",
        multiple=True,
        type=RUN_NUMBER,
        metavar="RUN",
        help="Only those of this run. May be repeated.",
    ),
    click.option(
        "--reason",
        "reasons",
        multiple=True,
        type=click.Choice(choices(Reason)),
        help="Only those that failed for this reason. May be repeated.",
    ),
    click.option(
        "--user",
        "users",
        multiple=True,
        metavar="ENTRA_ID",
        help="Only those of this user. May be repeated.",
    ),
    click.option(
        "--id",
        "ids",
        multiple=True,
        metavar="MESSAGE_ID",
        help="Only the dead letter of this message. May be repeated.",
    ),
    click.option(
        "--queue",
        "queues",
        multiple=True,
        type=click.Choice(QUEUES),
        help="Only those that failed on this queue. May be repeated.",
    ),
    click.option(
        "--older-than",
        type=Age(),
        metavar="AGE",
        help="Only users that have been failing for longer than AGE. AGE is a number "
        "with s, m, h, d or w, such as 2d.",
    ),
    click.option(
        "--newer-than",
        type=Age(),
        metavar="AGE",
        help="Only users that have been failing for less than AGE.",
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
