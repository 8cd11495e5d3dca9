"""`update-sync dead-letters set-aside`."""

from __future__ import annotations

from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import click

from administration.dead_letters.set_aside import failing_users, set_aside
from cli.context import current_services
from cli.dead_letters.discard import operator_name
from cli.output import choices, echo, json_option, print_json
from cli.tenants.completion import complete_tenants
from schemas.dead_letter_reasons import Reason
from schemas.settings import Requirement

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
    help="The day on which these users are shown again, by the tenant's clock; at most a year ahead.",
)
@click.option("--end", is_flag=True, help="Show these users again now.")
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
    """Leave users that fail for one reason out of 'status' until a day.

    Until then 'status' and the Data Hub's page Needs attention leave out the tenant's users that fail for
    this reason, also users that begin to fail for it later. Nothing else changes: their dead letters stay,
    and runs try them as before.
    """
    if end == (until is not None):
        raise click.UsageError("Give either --until or --end.")
    services = current_services(Requirement.DATABASE, Requirement.KEYS)
    store, chosen = services.store, Reason(reason)
    store.tenants.outline(tenant)
    users = failing_users(tenant, chosen, store=store)
    if until is None:
        was_aside = store.set_aside_groups.remove(tenant, chosen)
        if wants_json:
            print_json({"tenant": tenant, "reason": reason, "until": None, "set_at": None, "note": None})
        else:
            now = "no longer set aside" if was_aside else "not set aside anyway"
            echo(f"{_failing(tenant, reason, users)} {'is' if users == 1 else 'are'} {now}.")
        return
    group = set_aside(tenant, chosen, until.date(), note=note, operator=operator_name(), store=store)
    if wants_json:
        print_json(group.as_json())
    else:
        zone = store.tenants.outline(tenant).time_zone
        until_then = f"{group.until.astimezone(ZoneInfo(zone)):%Y-%m-%d %H:%M} ({zone})"
        if users:
            echo(
                f"{_failing(tenant, reason, users)} {'is' if users == 1 else 'are'} set aside until "
                f"{until_then}. Users that fail for it anew before that are, too."
            )
        else:
            echo(
                f"No user of {tenant} fails for {reason} now. Users that do before {until_then} are "
                "set aside."
            )


def _failing(tenant: str, reason: str, users: int) -> str:
    """Return whom a group has now, with their number."""
    if users == 1:
        return f"1 user of {tenant} that fails for {reason}"
    return f"{users} users of {tenant} that fail for {reason}"
