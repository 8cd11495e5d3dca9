"""`update-sync tenants freshness`: how long ago it was confirmed that Skolon is right."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import click

from cli.context import current_services
from cli.durations import format_age
from cli.output import json_option, print_json, print_table
from schemas.settings import Requirement

if TYPE_CHECKING:
    from schemas.reports.freshness import Freshness


@click.command()
@click.argument("key", required=False)
@click.option("--all", "everyone", is_flag=True, help="All tenants.")
@json_option
def freshness(*, key: str | None, everyone: bool, wants_json: bool) -> None:
    """Say for which share of a tenant's people Skolon was confirmed within a day and a week.

    The people are those of the last complete full run. Confirmed is who was updated or found unchanged by a
    run that asked Skolon; who has no Skolon user or is out of scope is decided on, and not counted. A delta
    confirms only who changed in Entra.
    """
    if (key is None) is not everyone:
        raise click.UsageError("Name a tenant, or say --all.")
    store = current_services(Requirement.DATABASE).store
    keys = [tenant.key for tenant in store.tenants.outlines()] if key is None else [key]
    if key is not None:
        store.tenants.outline(key)
    now = dt.datetime.now(dt.UTC)
    found = [store.people.freshness(each, now) for each in keys]
    if wants_json:
        print_json([each.as_json() for each in found] if everyone else found[0].as_json())
        return
    headings = ("tenant", "run", "people", "expected", "1 day", "7 days", "never", "oldest")
    print_table(headings, [_row(each, now) for each in found])


def _row(each: Freshness, now: dt.datetime) -> tuple[object, ...]:
    return (
        each.tenant,
        each.run,
        each.users,
        each.expected,
        _percent(each.share(each.within_day)),
        _percent(each.share(each.within_week)),
        each.expected - each.verified,
        format_age(each.oldest, now),
    )


def _percent(share: float | None) -> str | None:
    # Cut, not rounded: only everybody is 100 %.
    return None if share is None else f"{int(share * 1000) / 10} %"
