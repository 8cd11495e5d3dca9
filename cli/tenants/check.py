"""`update-sync tenants check`: whether a tenant's credentials work."""

from __future__ import annotations

import datetime as dt

import click

from administration.tenants.connection_check import Severity, check_connection
from cli.context import current_services
from cli.output import echo, json_option, print_json
from cli.tenants.options import key_argument
from schemas.settings import Requirement


@click.command()
@key_argument
@json_option
def check(*, key: str, wants_json: bool) -> None:
    """Check a tenant's credentials and tell how to fix them. Nothing is changed.

    The command connects to Entra, Microsoft Graph and Skolon.
    """
    services = current_services(Requirement.DATABASE, Requirement.KEYS, Requirement.SKOLON)
    record = services.store.tenants.get(key)
    steps = check_connection(record, services.gateways, dt.datetime.now(dt.UTC).date())
    ok = all(step.severity is not Severity.ERROR for step in steps)
    if wants_json:
        print_json({"tenant": key, "ok": ok, "steps": [step.as_json() for step in steps]})
    else:
        for step in steps:
            echo(f"{step.severity:<8} {step.name}: {step.detail}")
            if step.fix:
                echo(f"{'':<8} fix: {step.fix}")
    if not ok:
        raise click.exceptions.Exit(1)
