"""`update-sync trigger`: ask for a run, and wait for it if wanted."""

from __future__ import annotations

import click

from cli.context import current_services
from cli.output import json_option
from cli.runs.request import publish_wish, wish_and_wait, wish_from
from schemas.errors import UsageError
from schemas.outcomes import READING_MODES, Mode
from schemas.settings import Requirement


@click.command()
@click.argument("tenant")
@click.option(
    "--mode",
    type=click.Choice([str(each) for each in READING_MODES]),
    default=str(Mode.FULL),
    show_default=True,
    help="Read everybody, or only who changed in Entra since the last complete run.",
)
@click.option("--dry-run", is_flag=True, help="Find out what would change, and change nothing.")
@click.option("--recheck-all", is_flag=True, help="Ask Skolon about everybody, and trust no receipt.")
@click.option("--user", "users", multiple=True, metavar="ENTRA_ID", help="Only this user; may be repeated.")
@click.option("--wait", is_flag=True, help="Wait until the run has ended, and show it.")
@click.option("--timeout", type=click.FloatRange(min=0), metavar="SECONDS", help="With --wait: for so long.")
@json_option
def trigger(  # noqa: PLR0913 - one for each option
    *,
    tenant: str,
    mode: str,
    dry_run: bool,
    recheck_all: bool,
    users: tuple[str, ...],
    wait: bool,
    timeout: float | None,
    wants_json: bool,
) -> None:
    """Publish a tenant-sync message for TENANT."""
    request = wish_from(tenant=tenant, mode=mode, dry_run=dry_run, recheck_all=recheck_all, users=list(users))
    services = current_services(Requirement.DATABASE, Requirement.BROKER)
    if not services.store.tenants.outline(tenant).enabled:
        raise UsageError(f"Tenant '{tenant}' is disabled; 'tenants set {tenant} --enabled' enables it.")
    if wait:
        wish_and_wait(request, services, timeout=timeout, wants_json=wants_json)
    else:
        publish_wish(request, services, {}, wants_json=wants_json)
