"""`update-sync tenants check`: whether tenants' credentials work."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import click

from administration.tenants.check_steps import Severity
from administration.tenants.connection_checks import check_tenant, check_tenants, forget_capabilities
from cli.context import current_services
from cli.output import echo, json_option, localized, print_json
from cli.progress import progress_bar
from cli.tenants.options import all_tenants_option, check_one_or_all, optional_key_argument
from schemas.settings import Requirement

if TYPE_CHECKING:
    from collections.abc import Sequence

    from administration.tenants.check_steps import CheckResult
    from administration.tenants.connection_checks import TenantCheck
    from bootstrap.services import Services


@click.command()
@optional_key_argument
@all_tenants_option
@click.option(
    "--forget",
    is_flag=True,
    help="First forget what earlier runs have found out about Skolon's server.",
)
@json_option
def check(*, key: str | None, all_tenants: bool, forget: bool, wants_json: bool) -> None:
    """Check a tenant's credentials and tell how to fix them. Nothing is changed.

    The command connects to Entra, Microsoft Graph and Skolon, and proves that users can be found there. With
    --all it checks each tenant that is enabled, and shows the steps that are not in order.

    The sync keeps what it has found out about Skolon's server; the last line says when that was. With
    --forget, running workers find it out again within five minutes.
    """
    check_one_or_all(key, all_tenants=all_tenants)
    services = current_services(Requirement.DATABASE, Requirement.KEYS, Requirement.SKOLON)
    if forget:
        keys = [key] if key is not None else _enabled(services)
        forget_capabilities(keys, store=services.store, gateways=services.gateways)
    found = [_check(key, services)] if key is not None else _check_all(services, quiet=wants_json)
    if wants_json:
        objects = [each.as_json() for each in found]
        print_json(objects if all_tenants else objects[0])
    elif all_tenants:
        _print_all(found)
    else:
        _print_steps(found[0].steps)
    if any(each.severity is Severity.ERROR for each in found):
        raise click.exceptions.Exit(1)


def _enabled(services: Services) -> list[str]:
    return [each.key for each in services.store.tenants.outlines() if each.enabled]


def _check(key: str, services: Services) -> TenantCheck:
    today = dt.datetime.now(dt.UTC).date()
    return check_tenant(
        key,
        store=services.store,
        gateways=services.gateways,
        server=services.settings.skolon_scim_url,
        today=today,
    )


def _check_all(services: Services, *, quiet: bool) -> list[TenantCheck]:
    keys = _enabled(services)
    today = dt.datetime.now(dt.UTC).date()
    found = []
    checks = check_tenants(
        keys,
        store=services.store,
        gateways=services.gateways,
        server=services.settings.skolon_scim_url,
        today=today,
    )
    with progress_bar(quiet=quiet) as show:
        for each in checks:
            found.append(each)
            show("check", "tenants", completed=len(found), total=len(keys))
    return found


def _print_all(found: Sequence[TenantCheck]) -> None:
    for each in found:
        echo(f"{each.severity:<8} {each.tenant}")
        _print_steps([step for step in each.steps if step.severity in (Severity.ERROR, Severity.WARNING)])
    wrong = sum(each.severity is Severity.ERROR for each in found)
    echo(f"{len(found)} tenants checked, {wrong} with an error.")


def _print_steps(steps: Sequence[CheckResult]) -> None:
    for step in steps:
        if step.severity is Severity.OK:
            echo(f"{step.severity:<8} {step.name}: {step.detail}")
            continue
        # What is wrong, and how to fix it, is for the municipality's administrator too.
        echo(f"{step.severity:<8} {step.name}")
        for name, text in (localized("detail", step.detail) | localized("fix", step.fix)).items():
            echo(f"{'':<8} {name}: {text}")
