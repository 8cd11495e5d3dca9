"""`update-sync users`: whether users are in sync, and if not, why."""

from __future__ import annotations

import datetime as dt

import click

from administration.users.status import user_reports
from cli.context import current_services
from cli.output import echo, json_option, print_json
from cli.tenants.completion import tenant_argument
from cli.users.options import read_identifier
from cli.users.report import print_user
from schemas.settings import Requirement


@click.group()
def users() -> None:
    """Show whether users are in sync, and if not, why."""


@users.command()
@tenant_argument
@click.argument("user")
@click.option("--recorded", is_flag=True, help="Only what the runs recorded; ask neither Entra nor Skolon.")
@click.option("--values", is_flag=True, help="Show values unmasked.")
@click.option("--limit", default=10, show_default=True, type=click.IntRange(1, 1000), help="Runs to show.")
@json_option
def show(  # noqa: PLR0913 - one for each option
    *, tenant: str, user: str, recorded: bool, values: bool, limit: int, wants_json: bool
) -> None:
    """Show whether USER is in sync, what the next run would change, and why it has not been done.

    USER is an Entra id, a Skolon id, an EPPN, an e-mail address, a user principal name or a name. `-` reads
    it from standard input, to keep it out of your shell history. It is never logged.

    The command looks at Entra and Skolon now, and shows each attribute that differs: Entra's value, the rule
    that chose it, and Skolon's value. Below that stands what the runs recorded. Nothing is changed. It exits
    with 1 if Entra or Skolon could not be asked.
    """
    if recorded:
        if values:
            raise click.UsageError("--values does not go with --recorded: the runs record no values.")
        _show_recorded(tenant, user, limit, wants_json=wants_json)
        return
    from administration.users.current import current_reports  # noqa: PLC0415 - slow to import
    from cli.users.current_report import print_current  # noqa: PLC0415 - as above

    services = current_services(Requirement.DATABASE, Requirement.KEYS, Requirement.SKOLON)
    found = current_reports(
        tenant,
        read_identifier(user),
        values=values,
        store=services.store,
        gateways=services.gateways,
        keys=services.settings.secret_keys,
        limit=limit,
    )
    if wants_json:
        print_json({"tenant": tenant, "users": [report.as_json() for report in found]})
    else:
        now = dt.datetime.now(dt.UTC)
        for number, report in enumerate(found):
            if number:
                echo()
            print_current(report, tenant, now=now)
    if any(report.now.is_unknown for report in found):
        raise click.exceptions.Exit(1)


def _show_recorded(tenant: str, user: str, limit: int, *, wants_json: bool) -> None:
    services = current_services(Requirement.DATABASE)
    reports = user_reports(
        tenant,
        read_identifier(user),
        store=services.store,
        keys=services.settings.secret_keys,
        limit=limit,
    )
    if wants_json:
        print_json({"tenant": tenant, "users": [{**report.as_json(), "now": None} for report in reports]})
        return
    now = dt.datetime.now(dt.UTC)
    for number, report in enumerate(reports):
        if number:
            echo()
        print_user(report, tenant, now=now)
