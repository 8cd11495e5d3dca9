"""`update-sync users`: whether users are in sync, and if not, why."""

from __future__ import annotations

import datetime as dt

import click

from administration.users.status import user_reports
from cli.context import current_services
from cli.output import echo, json_option, print_json
from cli.users.options import read_identifier
from cli.users.report import print_user
from schemas.settings import Requirement


@click.group()
def users() -> None:
    """Show whether users are in sync, and if not, why."""


@users.command()
@click.argument("tenant")
@click.argument("user")
@click.option("--limit", default=10, show_default=True, type=click.IntRange(1, 1000), help="Runs to show.")
@json_option
def show(*, tenant: str, user: str, limit: int, wants_json: bool) -> None:
    """Show whether USER is in sync, since when, why not, and what each run did.

    USER is an Entra id, a Skolon id or an EPPN. `-` reads it from standard input, to keep it out of your
    shell history. An EPPN is searched in the last complete full run and newer ones, and never logged.
    """
    services = current_services(Requirement.DATABASE)
    reports = user_reports(
        tenant,
        read_identifier(user),
        store=services.store,
        keys=services.settings.secret_keys,
        limit=limit,
    )
    if wants_json:
        print_json({"tenant": tenant, "users": [report.as_json() for report in reports]})
        return
    now = dt.datetime.now(dt.UTC)
    for number, report in enumerate(reports):
        if number:
            echo()
        print_user(report, now=now)
