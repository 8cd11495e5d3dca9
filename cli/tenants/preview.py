"""`update-sync tenants preview`: what a run would do, by settings that need not be saved."""

from __future__ import annotations

import dataclasses
import signal
import uuid
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

from cli.context import current_services
from cli.output import echo, json_option, print_json
from cli.runs.report import wait_for_end
from cli.runs.request import publish_trigger, run_that_came_of
from cli.tenants.options import read_object
from cli.tenants.preview_options import NAMES, read_overrides
from cli.tenants.preview_report import preview_of, show_preview
from cli.users.explanation import Explanation
from cli.users.lookup import find_user_ids, read_identifier
from schemas.errors import UsageError
from schemas.messages.messages import SyncRequest
from schemas.runs.sync_result import SyncResult
from schemas.settings import Requirement
from schemas.tenants.settings_override import apply_override, resolve_override
from schemas.users.graph_user import is_entra_id
from workers.dry_run.explain import explain

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bootstrap.services import Services
    from schemas.runs.run import RunSummary
    from workers.dry_run.explain import UserExplanation


@click.command()
@click.argument("key")
@click.option(
    "--set",
    "settings",
    multiple=True,
    metavar="NAME=VALUE",
    help=f"Try a setting: the sources of an attribute, such as eppn=extensionAttribute3,mail, or one of "
    f"{', '.join(NAMES)}. May be repeated.",
)
@click.option("--from", "source_file", metavar="FILE", help="Settings to try as a JSON object; - is stdin.")
@click.option(
    "--user",
    "who",
    metavar="WHO",
    help="Explain each step of this one user: an Entra id, or as `users show`.",
)
@click.option("--values", is_flag=True, help="With --user: show values as they are, and not their shape.")
@json_option
def preview(  # noqa: PLR0913 - one for each option
    *,
    key: str,
    settings: tuple[str, ...],
    source_file: str | None,
    who: str | None,
    values: bool,
    wants_json: bool,
) -> None:
    """Find out what a run of a tenant would do. Nothing is changed and nothing is saved.

    Everybody is looked at by the ordinary producer and workers, as a dry run beside whatever other run of the
    tenant is going on: it waits for none and holds none up. Ctrl-C cancels it. It ends with 1 when somebody
    would be a dead letter or the guard would halt the real run.

    With --user, one user is looked at here and now, and each step is explained.
    """
    if values and who is None:
        raise click.UsageError("--values belongs to --user.")
    needs = (
        (Requirement.DATABASE, Requirement.BROKER, Requirement.KEYS)
        if who is None
        else (Requirement.DATABASE, Requirement.KEYS, Requirement.SKOLON)
    )
    services = current_services(*needs)
    saved = services.store.tenants.settings(key)
    trial = resolve_override(
        saved, *read_overrides(settings, read_object(source_file) if source_file else {})
    )
    if who is not None:
        user = _entra_id(services, key, read_identifier(who))
        explained = _explained(services, key, trial, user)
        explanation = Explanation(user=user, explained=explained, values=values)
        if wants_json:
            print_json({"tenant": key, **explanation.as_json()})
        else:
            explanation.print()
        raise click.exceptions.Exit(0 if isinstance(explained.end, SyncResult) else 1)
    if not saved.enabled:
        raise UsageError(f"Tenant '{key}' is disabled; 'tenants set {key} --enabled' enables it.")
    summary = _run(services, SyncRequest(tenant=key, dry_run=True, settings=trial), quiet=wants_json)
    found = preview_of(summary, saved, services.store)
    show_preview(found, wants_json=wants_json)
    raise click.exceptions.Exit(0 if found.right else 1)


def _entra_id(services: Services, key: str, wanted: str) -> str:
    """Return whom somebody means. Whom no run has met is taken for an Entra id, if it can be one."""
    found = find_user_ids(services, key, wanted)
    if len(found) > 1:
        raise UsageError(f"Several people are called so: {', '.join(found)}. Name one of these.")
    if not found and ("@" in wanted or not is_entra_id(wanted)):
        raise UsageError("No run has met anybody called so: name the id of a user in Entra.")
    return found[0] if found else wanted


def _explained(services: Services, key: str, trial: dict[str, Any], user: str) -> UserExplanation:
    record = services.store.tenants.get(key)
    record = dataclasses.replace(record, tenant=apply_override(record.tenant, trial))
    return explain(user, record, services.gateways)


def _run(services: Services, request: SyncRequest, *, quiet: bool) -> RunSummary:
    """Have the run done, and return it when it has ended; Ctrl-C cancels it, or the wish for it."""
    event_id, triggers = str(uuid.uuid4()), services.store.triggers
    publish_trigger(request, event_id, services)
    try:
        with _interruptible():
            run = run_that_came_of(request, event_id, triggers)
            return wait_for_end(services.store.runs, run.id, quiet=quiet)
    except KeyboardInterrupt:
        withdrawn = triggers.withdraw(request, event_id)
        echo(f"The preview is given up: run {withdrawn.id} is {withdrawn.status}.", err=True)
        raise


@contextmanager
def _interruptible() -> Iterator[None]:
    """Have SIGTERM do what Ctrl-C does, and both of them even if whoever started the command ignores them."""
    before = {
        number: signal.signal(number, signal.default_int_handler)
        for number in (signal.SIGINT, signal.SIGTERM)
    }
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
