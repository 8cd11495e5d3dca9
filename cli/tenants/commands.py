"""`update-sync tenants`: the tenants and their settings."""

from __future__ import annotations

import datetime as dt
import sys
from typing import TYPE_CHECKING, Any, Final

import click

from administration.tenants.change import change_settings
from administration.tenants.mapping.source_changes import source_change
from administration.tenants.next_run import next_run
from administration.tenants.scope_rules import saved_rule_changes
from administration.tenants.settings_check import check_settings
from cli.confirmation import confirm
from cli.context import current_services
from cli.dead_letters.discard import operator_name
from cli.lazy_group import LazyCommand, LazyGroup
from cli.output import echo, json_option, print_fields, print_json, print_result, print_table
from cli.tenants.option_names import faults_named_by, origin_in_options
from cli.tenants.options import NO_TENANT, changes_from, key_argument, tenant_options
from cli.tenants.scope.options import (
    add_rule_edits,
    confirm_lost_rules,
    names_rules,
    print_rule_changes,
    scope_rule_options,
)
from cli.tenants.settings.sources import print_source_change
from cli.tenants.settings_report import setting_fields
from schemas.settings import Requirement
from schemas.tenants.credentials.client_certificate import is_certificate
from schemas.tenants.tenant import change_tenant, dump_tenant, load_tenant
from schemas.timestamps import timestamp

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from administration.tenants.next_run import NextRun
    from administration.tenants.scope_rules import RuleChange
    from bootstrap.services import Services
    from schemas.tenants.tenant import Tenant
    from store.store import Store
    from store.tenants.tenants import Tenants

_LAZY: Final = {
    "check": LazyCommand("cli.tenants.check:check", "Check a tenant's credentials and tell how to fix them."),
    "freshness": LazyCommand(
        "cli.tenants.freshness:freshness",
        "Show what share of users was verified in the last day and week.",
    ),
    "pause-schedule": LazyCommand(
        "cli.tenants.settings.schedule:pause", "Start no scheduled run of TENANT until a date and time."
    ),
    "resume-schedule": LazyCommand(
        "cli.tenants.settings.schedule:resume", "End a pause of TENANT's schedule now."
    ),
    "preview": LazyCommand("cli.tenants.preview:preview", "Show what a run would do, and change nothing."),
    "report": LazyCommand(
        "cli.tenants.data_quality:report", "Report data errors that the last complete run of all users found."
    ),
}


@click.group(cls=LazyGroup, lazy=_LAZY)
def tenants() -> None:
    """Manage tenants and check their credentials."""


def _services() -> Services:
    return current_services(Requirement.DATABASE, Requirement.KEYS)


@tenants.command()
@key_argument
@tenant_options
@json_option
def add(*, key: str, wants_json: bool, **options: Any) -> None:
    """Add a tenant.

    TENANT is its key, a short name for commands. Give the client secret or a certificate in a file, or wait
    to be asked for the secret: an argument would stay in your shell history.
    """
    services = _services()
    settings = changes_from(options)
    if "client_secret" not in settings and sys.stdin.isatty():
        settings["client_secret"] = click.prompt("Client secret (its Value)", hide_input=True, err=True)
    with faults_named_by(origin_in_options(options)):
        tenant, secret = load_tenant(key, settings)
    for warning in check_settings(tenant, settings).warnings:
        echo(f"Warning: {warning}.", err=True)
    services.store.tenants.add(tenant, secret, operator=operator_name())
    _warn_of_shared_organisation(key, services.store.tenants)
    text = f"Added tenant '{key}'. Check its credentials: update-sync tenants check {key}"
    print_result(text, {"tenant": key}, wants_json=wants_json)


@tenants.command("set")
@key_argument
@tenant_options
@scope_rule_options
@click.option("--client-secret", "asks", is_flag=True, help="Ask for a new client secret.")
@click.option("--yes", is_flag=True, help="Do not ask for confirmation.")
@json_option
def set_tenant(*, key: str, asks: bool, yes: bool, wants_json: bool, **options: Any) -> None:
    """Change only the given settings.

    It asks before it switches off a match key or takes away rules of the scope. It does not ask about a rule
    that --remove-include or --remove-exclude names.
    """
    services = _services()
    changes = changes_from(options)
    if asks and not sys.stdin.isatty():
        raise click.UsageError("No terminal to ask on: read the secret with --client-secret-file.")
    if asks:
        changes["client_secret"] = click.prompt("Client secret (its Value)", hide_input=True, err=True)
    removing = add_rule_edits(key, changes, options, services.store.tenants)
    if not changes:
        raise click.UsageError("Give at least one setting to change.")
    rules: Sequence[RuleChange] | None = ()
    before = services.store.tenants.outline(key)
    with faults_named_by(origin_in_options(options)):
        _check_change(key, changes, services.store.tenants, yes=yes)
        if names_rules(changes):
            rules = saved_rule_changes(key, changes, services.store)
            confirm_lost_rules(rules, asked_for=removing, yes=yes)
        named = change_settings(key, changes, services.store.tenants, operator=operator_name())
    _say_what_follows(key, named, changes, before, services.store)
    if wants_json:
        shown = None if rules is None else [each.as_json() for each in rules]
        print_json({"tenant": key, "changed": named, "rules": shown})
        return
    if not named:
        echo(f"Nothing changed: tenant '{key}' has these settings already.")
        return
    echo(f"Updated tenant '{key}': {', '.join(named)}.")
    print_rule_changes(key, rules or ())


def _say_what_follows(
    key: str, named: Sequence[str], changes: Mapping[str, Any], before: Tenant, store: Store
) -> None:
    """Say on standard error what changed settings ask for: sources to try, a date to give."""
    if "sources" in named:
        print_source_change(source_change(before, store.tenants.outline(key), store=store), key)
    if "organisation" in named:
        _warn_of_shared_organisation(key, store.tenants)
    secret = changes.get("client_secret", "")
    if secret and not is_certificate(secret) and changes.get("client_secret_expires") is None:
        echo(
            "The date on which this secret expires is not known: give it with --client-secret-expires, and "
            "'status' tells it in time.",
            err=True,
        )


def _check_change(key: str, changes: dict[str, Any], tenants: Tenants, *, yes: bool) -> None:
    """Warn of what a change would do; ask before it switches off a match key."""
    # Without the stored rules of the scope, which need the keys and decide nothing here.
    before = tenants.outline(key)
    after, _ = change_tenant(before, changes)
    found = check_settings(after, changes, before=before)
    for warning in found.warnings:
        echo(f"Warning: {warning}.", err=True)
    if found.lost_keys:
        confirm("Change it all the same?", yes=yes)


def _warn_of_shared_organisation(key: str, tenants: Tenants) -> None:
    """Warn if another tenant writes to the same users of Skolon: a copied file often has the old value."""
    organisation = tenants.outline(key).organisation
    others = [
        each.key for each in tenants.outlines() if each.organisation == organisation and each.key != key
    ]
    if others:
        echo(
            f"Warning: organisation '{organisation}' is also that of tenant {', '.join(others)}. Both write "
            "to the same Skolon users. If that is not meant, correct it before the next run: "
            f"update-sync tenants set {key} --organisation …",
            err=True,
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
    print_table(
        ("key", "name", "organisation", "state"),
        rows,
        nothing=NO_TENANT,
    )


@tenants.command()
@key_argument
@json_option
def show(*, key: str, wants_json: bool) -> None:
    """Show a tenant's settings. Its client secret is never shown."""
    store = current_services(Requirement.DATABASE).store
    settings = dump_tenant(store.tenants.settings(key))
    if wants_json:
        # Without `next_due`: this is the object that `add` and `set` take.
        print_json(settings)
    else:
        next_due = _describe(next_run(key, store, dt.datetime.now(dt.UTC)))
        print_fields({"key": key, **setting_fields(settings), "next_due": next_due})


@tenants.command()
@key_argument
@click.option("--yes", is_flag=True, help="Do not ask for confirmation.")
@json_option
def remove(*, key: str, yes: bool, wants_json: bool) -> None:
    """Remove a tenant with its runs and their results. Nothing changes in Entra or Skolon."""
    services = current_services(Requirement.DATABASE)
    services.store.tenants.outline(key)
    members = services.store.hub_members.without_other_tenant(key)
    if members:
        echo(
            f"These members of the Data Hub have no other tenant, and will see none: {_listed(members)}. "
            "'hub members' names them, 'hub remove' removes one.",
            err=True,
        )
    confirm(f"Remove tenant '{key}' with its runs and their results?", yes=yes)
    services.store.tenants.remove(key)
    answer = {"tenant": key, "members_without_tenant": [str(each) for each in members]}
    print_result(f"Removed tenant '{key}'.", answer, wants_json=wants_json)


def _listed(members: Sequence[int]) -> str:
    return ", ".join(map(str, members))


def _describe(next_one: NextRun | None) -> str:
    if next_one is None:
        return "never: it has no schedule, or is disabled"
    if next_one.due is None:
        return "never"
    # The schedule that stands beside it goes by the tenant's own clock.
    text = f"{timestamp(next_one.due.at)} ({next_one.due.wall:%Y-%m-%d %H:%M} in {next_one.time_zone})"
    if next_one.pause is not None:
        why = f" ({next_one.pause.reason})" if next_one.pause.reason else ""
        text = f"{text}; paused until {timestamp(next_one.pause.until)}{why}"
    if next_one.blocked_by is None:
        return text
    run = next_one.blocked_by
    return f"{text}, once run {run.id} ({run.cause}) is resumed or cancelled"
