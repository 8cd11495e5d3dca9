"""Options for the settings of notifications."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

import click

from cli.numbers import WholeNumber
from cli.output import choices
from cli.tenants.settings.file import read_object
from schemas.notifications.settings import (
    MAX_DAYS,
    MAX_FAILED,
    REPAIR_OWNERS,
    NotificationSettings,
    Weekday,
)
from schemas.reports.remedy import Language

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_OPTIONS: Final = (
    click.option(
        "--from", "source_file", metavar="FILE", help="Settings as a JSON object; - is standard input."
    ),
    click.option(
        "--recipient",
        "recipients",
        multiple=True,
        metavar="ADDRESS",
        help="Who gets mail. May be repeated; takes the place of all former ones.",
    ),
    click.option("--no-recipients", is_flag=True, help="Send no mail."),
    click.option("--webhook", "webhook_url", metavar="URL", help="Where webhooks are sent (https://…)."),
    click.option("--no-webhook", is_flag=True, help="Send no webhooks; their secret is forgotten."),
    click.option(
        "--most-failed",
        type=WholeNumber(0, MAX_FAILED),
        show_default="10 at first",
        metavar="N",
        help="Tell if more users than this fail.",
    ),
    click.option(
        "--unconfirmed-days",
        type=WholeNumber(1, MAX_DAYS),
        show_default="7 at first",
        metavar="N",
        help="Count it as a problem if no user was confirmed as right for this many days.",
    ),
    click.option("--no-unconfirmed-days", is_flag=True, help="Do not count that as a problem."),
    click.option("--quiet", metavar="HH:MM-HH:MM", help="Send nothing in these hours; send it after them."),
    click.option("--no-quiet", is_flag=True, help="Tell at any hour."),
    click.option("--language", type=click.Choice(choices(Language)), help="The language of mail."),
    click.option(
        "--repair-day",
        type=click.Choice(choices(Weekday)),
        help="The day on which the repair lists are sent, at 7 o'clock.",
    ),
    click.option("--no-repair-day", is_flag=True, help="Send no repair lists."),
    *(
        click.option(
            f"--repair-{owner}",
            multiple=True,
            metavar="ADDRESS",
            help=f"Who gets the repair list of {name}. May be repeated; takes the place of all former ones.",
        )
        for owner, name in zip(REPAIR_OWNERS, ("Entra", "Skolon", "the Data Hub's settings"), strict=True)
    ),
)  # fmt: skip

_HOURS: Final = re.compile(r"(\d\d:\d\d)\s*-\s*(\d\d:\d\d)\Z")

#: What an option without a value sets.
_NOTHING: Final[Mapping[str, dict[str, Any]]] = {
    "no_recipients": {"recipients": []},
    "no_webhook": {"webhook_url": None},
    "no_unconfirmed_days": {"unconfirmed_days": None},
    "no_quiet": {"quiet_from": None, "quiet_to": None},
    "no_repair_day": {"repair_day": None},
}


def setting_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options of all settings to a command."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def settings_sent(options: dict[str, Any]) -> dict[str, Any]:
    """Return what the options change, as a JSON object of the settings."""
    changes: dict[str, Any] = {}
    if options["source_file"] is not None:
        changes |= read_object(options["source_file"])
    changes |= _given(options)
    if options["quiet"] is not None:
        hours = _HOURS.match(options["quiet"])
        if hours is None:
            raise click.BadParameter("Give two times, such as 22:00-06:30.", param_hint="--quiet")
        changes |= {"quiet_from": hours[1], "quiet_to": hours[2]}
    for option, without in _NOTHING.items():
        if options[option]:
            if changes.keys() & without:
                raise click.UsageError(f"--{option.replace('_', '-')} contradicts another option.")
            changes |= without
    return changes


def for_tenants_alone(changes: dict[str, Any]) -> list[str]:
    """Return the settings among the changes that the operators do not have."""
    names = ("unconfirmed_days", "repair_day", *(f"repair_{owner}" for owner in REPAIR_OWNERS))
    has = NotificationSettings().as_json()
    return [name for name in names if name in changes and changes[name] != has[name]]


def _given(options: dict[str, Any]) -> dict[str, Any]:
    single = ("webhook_url", "most_failed", "unconfirmed_days", "language", "repair_day")
    lists = ("recipients", *(f"repair_{owner}" for owner in REPAIR_OWNERS))
    return {
        **{name: options[name] for name in single if options[name] is not None},
        **{name: list(options[name]) for name in lists if options[name]},
    }
