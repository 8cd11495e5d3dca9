"""`update-sync tenants preview`: what a run would do, with settings that need not be saved."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NoReturn

import click

from administration.runs.trigger import check_enabled, publish_request
from administration.runs.wait_for_run import wait_for_end
from administration.tenants.preview import preview_of
from administration.tenants.settings_check import lost_key_warning, lost_match_keys
from administration.users.explanation import explain_user
from administration.users.lookup import resolve_entra_id
from cli.context import current_services
from cli.output import echo, json_option, print_json
from cli.runs.request import interruptible, started_run
from cli.runs.wait_progress import idle_check, wait_report
from cli.tenants.option_names import faults_named_by, origin_in_preview
from cli.tenants.options import key_argument
from cli.tenants.preview_options import NAMES, read_overrides
from cli.tenants.preview_report import show_preview
from cli.tenants.scope.options import add_rule_edits, scope_rule_options
from cli.tenants.scope.settings import add_scope, scope_options
from cli.tenants.settings.file import read_object
from cli.users.explanation import print_explanation
from cli.users.options import read_identifier
from schemas.messages.messages import SyncRequest
from schemas.settings import Requirement
from schemas.tenants.settings_override import apply_override, resolve_override

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bootstrap.services import Services
    from schemas.runs.run import RunSummary


@click.command()
@key_argument
@click.option(
    "--set",
    "settings",
    multiple=True,
    metavar="NAME=VALUE",
    help=f"Try this setting: the sources of an attribute, such as eppn=extensionAttribute3,mail, or one of "
    f"{', '.join(NAMES)}. May be repeated.",
)
@click.option("--from", "source_file", metavar="FILE", help="Settings as a JSON object; - is standard input.")
@click.option(
    "--user",
    "user",
    metavar="USER",
    help="Explain each step for this one user: an id, an EPPN, an e-mail address, a user principal name or a "
    "name. `-` reads it from standard input.",
)
@click.option("--values", is_flag=True, help="With --user: show values unmasked.")
@scope_options
@scope_rule_options
@json_option
def preview(  # noqa: PLR0913 - one for each option
    *,
    key: str,
    settings: tuple[str, ...],
    source_file: str | None,
    user: str | None,
    values: bool,
    wants_json: bool,
    **scope: Any,
) -> None:
    """Show what a run would do, and change nothing.

    Producer and workers process all users as a dry run, beside the tenant's other runs. Ctrl-C cancels it. It
    exits with 1 if a user would be a dead letter, most users would lose the value of an attribute, or the
    guard would halt the real run.

    With --user, this command itself processes one user, and explains each step.
    """
    if values and user is None:
        raise click.UsageError("--values goes with --user.")
    override = read_overrides(settings, read_object(source_file) if source_file else {})
    add_scope(override[0], scope)
    if user is not None:
        with faults_named_by(origin_in_preview(settings)):
            _explain(key, user, override, scope, values=values, wants_json=wants_json)
    services = current_services(Requirement.DATABASE, Requirement.BROKER, Requirement.KEYS)
    saved = services.store.tenants.settings(key)
    add_rule_edits(key, override[0], scope, services.store.tenants)
    with faults_named_by(origin_in_preview(settings)):
        trial = resolve_override(saved, *override)
    check_enabled(key, store=services.store)
    summary = _run(services, SyncRequest(tenant=key, dry_run=True, settings=trial), quiet=wants_json)
    found = preview_of(summary, saved, services.store)
    show_preview(found, wants_json=wants_json)
    raise click.exceptions.Exit(0 if found.succeeds else 1)


def _explain(  # noqa: PLR0913 - what the command was given
    key: str,
    user: str,
    override: tuple[dict[str, Any], list[str]],
    scope: Mapping[str, Any],
    *,
    values: bool,
    wants_json: bool,
) -> NoReturn:
    services = current_services(Requirement.DATABASE, Requirement.KEYS, Requirement.SKOLON)
    store, keys = services.store, services.settings.secret_keys
    saved = store.tenants.settings(key)
    add_rule_edits(key, override[0], scope, store.tenants)
    trial = resolve_override(saved, *override)
    lost = lost_match_keys(apply_override(saved, trial), saved)
    entra_id = resolve_entra_id(
        key, read_identifier(user), store=store, gateways=services.gateways, keys=keys
    )
    explanation = explain_user(
        entra_id, key, override=trial, values=values, store=store, gateways=services.gateways
    )
    if wants_json:
        lost_keys = [str(each) for each in lost]
        print_json({"tenant": key, **explanation.as_json(), "lost_match_keys": lost_keys})
    else:
        if lost:
            echo(f"Warning: {lost_key_warning(lost)}.", "")
        print_explanation(explanation)
    raise click.exceptions.Exit(0 if explanation.succeeded else 1)


def _run(services: Services, request: SyncRequest, *, quiet: bool) -> RunSummary:
    """Run the dry run and return it when it has ended; Ctrl-C cancels it, or its request."""
    event_id = publish_request(request, store=services.store, publisher=services.broker)
    try:
        with interruptible(), wait_report(quiet=quiet, idle=idle_check(services)) as report:
            run = started_run(event_id, services, report)
            return wait_for_end(run.id, runs=services.store.runs, listener=report)
    except KeyboardInterrupt:
        cancelled = services.store.triggers.cancel(request, event_id)
        echo(f"Preview interrupted: run {cancelled.id} is {cancelled.status}.", err=True)
        raise
