"""`update-sync tenants freshness`: how long ago users were verified."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import click

from administration.tenants.freshness import freshness_of
from cli.context import current_services
from cli.durations import format_age
from cli.output import json_option, print_json, print_table
from cli.tenants.options import NO_TENANT, all_tenants_option, check_one_or_all, optional_key_argument
from schemas.settings import Requirement

if TYPE_CHECKING:
    from schemas.reports.freshness import Freshness


@click.command()
@optional_key_argument
@all_tenants_option
@json_option
def freshness(*, key: str | None, all_tenants: bool, wants_json: bool) -> None:
    """Show what share of users was verified in the last day and week.

    The users are those of the last complete run of all users and of later runs. A run verifies a user when it
    asks Skolon and updates the user or finds it unchanged. A user that has failed since, or that an undo has
    reverted, is not verified. Users that are out of scope or not in Skolon are not counted. A delta run
    verifies only users that changed in Entra.
    """
    check_one_or_all(key, all_tenants=all_tenants)
    now = dt.datetime.now(dt.UTC)
    found = freshness_of(key, store=current_services(Requirement.DATABASE).store, now=now)
    if wants_json:
        print_json([each.as_json() for each in found] if all_tenants else found[0].as_json())
        return
    headings = ("tenant", "run", "users", "expected", "1 day", "7 days", "failed", "reverted", "oldest")
    print_table(headings, [_row(each, now) for each in found], nothing=NO_TENANT)


def _row(each: Freshness, now: dt.datetime) -> tuple[object, ...]:
    return (
        each.tenant,
        each.totals.run,
        each.users,
        each.totals.expected,
        _percent(each.share(each.totals.within_day)),
        _percent(each.share(each.totals.within_week)),
        each.totals.failures,
        each.totals.reverted,
        format_age(each.totals.oldest, now),
    )


def _percent(share: float | None) -> str | None:
    # Rounded down: 100 % means all users.
    return None if share is None else f"{int(share * 1000) / 10} %"
