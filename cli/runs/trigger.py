"""`update-sync trigger`: requests a run, and waits for it if asked to."""

from __future__ import annotations

import click

from administration.runs.trigger import build_request, check_enabled, check_may_start
from cli.context import current_services
from cli.output import json_option
from cli.runs.options import check_timeout, timeout_option, users_option
from cli.runs.request import publish_only, request_and_wait
from cli.tenants.completion import tenant_argument
from schemas.outcomes import READING_MODES, Mode
from schemas.settings import Requirement


@click.command()
@tenant_argument
@click.option(
    "--mode",
    type=click.Choice([str(each) for each in READING_MODES]),
    default=str(Mode.FULL),
    show_default=True,
    help="full reads all users; delta reads those that changed in Entra since the last complete run.",
)
@click.option("--dry-run", is_flag=True, help="Show what would change; change nothing.")
@click.option(
    "--recheck-all", is_flag=True, help="Check every user in Skolon; do not rely on recent results."
)
@users_option
@click.option("--wait", is_flag=True, help="Wait until the run has ended, and show it.")
@timeout_option
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
    """Request a run for TENANT.

    A producer starts it, and workers process its users. A run of up to 20 users that --user names goes before
    all others, also while another run of TENANT is open. Without --wait the command only requests it. With
    --wait it exits with 1 if the run halted, a user failed, or Entra lacks a user that --user names.
    """
    check_timeout(timeout, wait=wait)
    request = build_request(
        tenant=tenant, mode=mode, dry_run=dry_run, recheck_all=recheck_all, users=list(users)
    )
    services = current_services(Requirement.DATABASE, Requirement.BROKER)
    check_enabled(tenant, store=services.store)
    check_may_start(request, store=services.store)
    if wait:
        request_and_wait(request, services, timeout=timeout, wants_json=wants_json)
    else:
        publish_only(request, services, {}, wants_json=wants_json)
