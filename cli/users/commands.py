"""`update-sync users`: is somebody's Skolon user right, since when, and if not, why."""

from __future__ import annotations

import datetime as dt

import click

from cli.context import current_services
from cli.output import echo, json_option, print_json
from cli.users.lookup import find_user_ids, read_identifier
from cli.users.report import print_user, user_json
from schemas.errors import UsageError
from schemas.reports.user_status import user_status_of
from schemas.settings import Requirement


@click.group()
def users() -> None:
    """Look at people: whether Skolon is right about somebody, and if not, why."""


@users.command()
@click.argument("tenant")
@click.argument("who")
@click.option(
    "--limit", default=10, show_default=True, type=click.IntRange(1, 1000), help="Runs of the history."
)
@json_option
def show(*, tenant: str, who: str, limit: int, wants_json: bool) -> None:
    """Show how somebody stands: right or not, since when, why, and what each run did.

    WHO is an Entra id, a Skolon id or an EPPN; `-` reads it from standard input, so that it gets into no
    history of commands. An EPPN is looked for in the last complete full run and since, and never logged.
    """
    services = current_services(Requirement.DATABASE)
    services.store.tenants.outline(tenant)
    people = services.store.people
    found = find_user_ids(services, tenant, read_identifier(who))
    if not found:
        raise UsageError(
            f"Nobody of tenant '{tenant}' is known by that Entra id, Skolon id or EPPN: no run has met one."
        )
    shown = [
        (user, user_status_of(history, people.confirmed(tenant, user)), history)
        for user in found
        for history in [people.history(tenant, user, limit)]
    ]
    if wants_json:
        print_json({"tenant": tenant, "users": [user_json(*each) for each in shown]})
        return
    now = dt.datetime.now(dt.UTC)
    for place, each in enumerate(shown):
        if place:
            echo()
        print_user(*each, now=now)
