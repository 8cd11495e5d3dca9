"""`update-sync users`: whether users are in sync, and if not, why."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import click

from administration.users.lookup import decision_about
from administration.users.status import user_reports
from cli.context import current_services
from cli.numbers import WholeNumber
from cli.output import echo, json_option, print_json
from cli.tenants.completion import tenant_argument
from cli.users.options import read_identifier
from cli.users.report import decision_text, print_user
from schemas.settings import Requirement

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from schemas.tenants.match_decision import MatchDecision


@click.group()
def users() -> None:
    """Show whether users are in sync, and if not, why."""


@users.command()
@tenant_argument
@click.argument("user")
@click.option("--recorded", is_flag=True, help="Show only what runs recorded; ask neither Entra nor Skolon.")
@click.option("--values", is_flag=True, help="Show values unmasked.")
@click.option(
    "--limit",
    default=10,
    show_default=True,
    type=WholeNumber(1, 1000),
    metavar="N",
    help="Runs to show, the newest first.",
)
@json_option
def show(  # noqa: PLR0913 - one for each option
    *, tenant: str, user: str, recorded: bool, values: bool, limit: int, wants_json: bool
) -> None:
    """Show whether USER is in sync, what a run would change, and why it has not been done.

    USER is an Entra id, a Skolon id, an EPPN, an e-mail address, a user principal name or a name. `-` reads
    it from standard input, to keep it out of your shell history. It is never logged.

    The command looks at Entra and Skolon now, and shows each attribute that differs: Entra's value, the rule
    that chose it, and Skolon's value. Below that stands what the runs recorded. Nothing is changed. It exits
    with 1 if Entra or Skolon could not be asked. If a Skolon user was linked or
    ignored, that decision stands first.
    """
    identifier = read_identifier(user)
    if recorded:
        if values:
            raise click.UsageError("--values does not go with --recorded: the runs record no values.")
        _show_recorded(tenant, identifier, limit, wants_json=wants_json)
        return
    from administration.users.current import current_reports  # noqa: PLC0415 - slow to import
    from cli.users.current_report import print_current  # noqa: PLC0415 - as above

    services = current_services(Requirement.DATABASE, Requirement.KEYS, Requirement.SKOLON)
    found = current_reports(
        tenant,
        identifier,
        values=values,
        store=services.store,
        gateways=services.gateways,
        keys=services.settings.secret_keys,
        limit=limit,
    )
    decision = decision_about(tenant, identifier, store=services.store)
    _print_reports(
        tenant,
        decision,
        found,
        [report.as_json() for report in found],
        print_current,
        wants_json=wants_json,
    )
    if any(report.now.is_unknown for report in found):
        raise click.exceptions.Exit(1)


def _show_recorded(tenant: str, identifier: str, limit: int, *, wants_json: bool) -> None:
    services = current_services(Requirement.DATABASE)
    keys = services.settings.secret_keys
    found = user_reports(tenant, identifier, store=services.store, keys=keys, limit=limit)
    decision = decision_about(tenant, identifier, store=services.store)
    as_json = [{**report.as_json(), "now": None} for report in found]
    _print_reports(tenant, decision, found, as_json, print_user, wants_json=wants_json)


def _print_reports(  # noqa: PLR0913 - what is printed, in both forms
    tenant: str,
    decision: MatchDecision | None,
    reports: Sequence[object],
    as_json: Sequence[object],
    print_report: Callable[..., None],
    *,
    wants_json: bool,
) -> None:
    """Print reports, after the decision about the Skolon user that was asked for."""
    if wants_json:
        print_json({"tenant": tenant, "decision": decision and decision.as_json(), "users": as_json})
        return
    if decision is not None:
        echo(decision_text(decision, tenant))
        if not reports:
            echo("No run has found a user of Entra that may be this Skolon user.")
    now = dt.datetime.now(dt.UTC)
    for number, report in enumerate(reports):
        if number or decision is not None:
            echo()
        print_report(report, tenant, now=now)
