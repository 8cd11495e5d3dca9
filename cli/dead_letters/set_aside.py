"""`update-sync dead-letters set-aside`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from administration.dead_letters.set_aside import set_aside
from cli.context import current_services
from cli.dead_letters.discard import operator_name
from cli.output import choices, echo, json_option, print_json
from cli.tenants.completion import complete_tenants
from schemas.dead_letter_reasons import Reason
from schemas.settings import Requirement
from schemas.timestamps import timestamp

if TYPE_CHECKING:
    import datetime as dt


@click.command("set-aside")
@click.option(
    "--tenant",
    required=True,
    metavar="KEY",
    shell_complete=complete_tenants,
    help="The tenant whose users fail.",
)
@click.option(
    "--reason", required=True, type=click.Choice(choices(Reason)), help="The reason that they fail for."
)
@click.option(
    "--until",
    type=click.DateTime(formats=["%Y-%m-%d"]),
    metavar="YYYY-MM-DD",
    help="The day on which the group is back, by the tenant's clock; at most a year ahead.",
)
@click.option("--end", is_flag=True, help="Have the group back now.")
@click.option("--note", metavar="TEXT", help="Why, without names or personal numbers. It is kept encrypted.")
@json_option
def set_aside_group(  # noqa: PLR0913 - one for each option
    *,
    tenant: str,
    reason: str,
    until: dt.datetime | None,
    end: bool,
    note: str | None,
    wants_json: bool,
) -> None:
    """Set the users that fail for a reason aside until a day.

    Until then they are no problem of 'status', and no group of the Data Hub's page Needs attention, also
    those that fail anew. Nothing else changes: their dead letters stay, and runs try them as before.
    """
    if end == (until is not None):
        raise click.UsageError("Give either --until or --end.")
    services = current_services(Requirement.DATABASE, Requirement.KEYS)
    store, chosen = services.store, Reason(reason)
    store.tenants.outline(tenant)
    if until is None:
        was_aside = store.set_aside_groups.remove(tenant, chosen)
        if wants_json:
            print_json({"tenant": tenant, "reason": reason, "until": None, "set_at": None, "note": None})
        else:
            now = "are back" if was_aside else "were not set aside"
            echo(f"The users of {tenant} that fail for {reason} {now}.")
        return
    group = set_aside(tenant, chosen, until.date(), note=note, operator=operator_name(), store=store)
    if wants_json:
        print_json(group.as_json())
    else:
        echo(f"The users of {tenant} that fail for {reason} are set aside until {timestamp(group.until)}.")
