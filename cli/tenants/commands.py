"""`update-sync tenants`: whose directories are synced, and how."""

from __future__ import annotations

import datetime as dt
import sys
from typing import TYPE_CHECKING, Any

import click

from cli.context import current_services
from cli.output import echo, json_option, print_fields, print_json, print_result, print_table
from cli.tenants.check import Severity, check_tenant
from cli.tenants.data_quality import report
from cli.tenants.freshness import freshness
from cli.tenants.next_run import describe_next_run
from cli.tenants.options import changes_from, tenant_options
from cli.tenants.preview import preview
from schemas.settings import Requirement
from schemas.tenants.tenant import dump_tenant, load_tenant

if TYPE_CHECKING:
    from bootstrap.services import Services

key_argument = click.argument("key")


@click.group()
def tenants() -> None:
    """Manage tenants: their settings, and whether their credentials work."""


tenants.add_command(preview)


def _services() -> Services:
    return current_services(Requirement.DATABASE, Requirement.KEYS)


@tenants.command()
@key_argument
@tenant_options
@json_option
def add(*, key: str, wants_json: bool, **options: Any) -> None:
    """Add a tenant. Its client secret comes from the file, or is asked for; never from an argument."""
    services = _services()
    settings = changes_from(options)
    if "client_secret" not in settings and sys.stdin.isatty():
        settings["client_secret"] = click.prompt("Client secret (its Value)", hide_input=True, err=True)
    tenant, secret = load_tenant(key, settings)
    services.store.tenants.add(tenant, secret)
    text = f"Tenant '{key}' is added. 'update-sync tenants check {key}' proves its credentials."
    print_result(text, {"tenant": key}, wants_json=wants_json)


@tenants.command("set")
@key_argument
@tenant_options
@click.option("--client-secret", "asks", is_flag=True, help="Ask for a new client secret.")
@json_option
def set_tenant(*, key: str, asks: bool, wants_json: bool, **options: Any) -> None:
    """Change what is named, and leave the rest as it is."""
    services = _services()
    changes = changes_from(options)
    if asks:
        changes["client_secret"] = click.prompt("Client secret (its Value)", hide_input=True, err=True)
    if not changes:
        raise click.UsageError("Name something to change.")
    services.store.tenants.change(key, changes)
    named = sorted(changes)
    print_result(
        f"Tenant '{key}' is changed: {', '.join(named)}.",
        {"tenant": key, "changed": named},
        wants_json=wants_json,
    )


@tenants.command("list")
@json_option
def list_tenants(*, wants_json: bool) -> None:
    """List the tenants."""
    tenants = current_services(Requirement.DATABASE).store.tenants
    if wants_json:
        print_json([{"key": tenant.key, **dump_tenant(tenant)} for tenant in tenants.list()])
        return
    rows = [
        (each.key, each.name, each.organisation, "enabled" if each.enabled else "disabled")
        for each in tenants.outlines()
    ]
    print_table(("key", "name", "organisation", "state"), rows)


@tenants.command()
@key_argument
@json_option
def show(*, key: str, wants_json: bool) -> None:
    """Show a tenant's settings; its client secret can be replaced, and not be read."""
    store = current_services(Requirement.DATABASE).store
    settings = dump_tenant(store.tenants.settings(key))
    if wants_json:
        # Without the line below: this is the object that `add` and `set` take.
        print_json(settings)
    else:
        next_due = describe_next_run(key, store.schedules, dt.datetime.now(dt.UTC))
        print_fields({"key": key, **settings, "next_due": next_due})


@tenants.command()
@key_argument
@click.option("--yes", is_flag=True, help="Do not ask.")
@json_option
def remove(*, key: str, yes: bool, wants_json: bool) -> None:
    """Remove a tenant with its runs and receipts. Nothing changes in Entra or Skolon."""
    services = current_services(Requirement.DATABASE)
    services.store.tenants.outline(key)
    if not yes:
        if not sys.stdin.isatty():
            raise click.UsageError("Nobody can be asked here: say --yes.")
        click.confirm(f"Remove tenant '{key}' with its runs and receipts?", abort=True, err=True)
    services.store.tenants.remove(key)
    print_result(f"Tenant '{key}' is removed.", {"tenant": key}, wants_json=wants_json)


@tenants.command()
@key_argument
@json_option
def check(*, key: str, wants_json: bool) -> None:
    """Prove a tenant's credentials against Entra and Skolon, step by step. Nothing is changed."""
    services = current_services(Requirement.DATABASE, Requirement.KEYS, Requirement.SKOLON)
    record = services.store.tenants.get(key)
    steps = check_tenant(record, services.gateways, dt.datetime.now(dt.UTC).date())
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


for command in (freshness, report):
    tenants.add_command(command)
