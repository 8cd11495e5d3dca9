"""`update-sync trigger`: ask for a run, and wait for it if wanted."""

from __future__ import annotations

import time
import uuid
from typing import TYPE_CHECKING, Final

import click

from console.composition import open_console
from console.output import json_option, say, words
from console.run_report import end_with, keep_looking, show_run, wait_for_end
from queues.messages import tenant_sync_message
from schemas.errors import PermanentError, WrongUseError
from schemas.messages import TenantSync, load_tenant_sync
from schemas.outcomes import Mode
from schemas.settings import Need

if TYPE_CHECKING:
    from schemas.runs import Run
    from store.runs import Runs

#: Seconds after which it is worth saying that nobody has taken the message.
_PATIENCE: Final = 15.0


@click.command()
@click.argument("tenant")
@click.option(
    "--mode",
    type=click.Choice(words(Mode)),
    default=str(Mode.FULL),
    show_default=True,
    help="Read everybody, or only who changed in Entra since the last complete run.",
)
@click.option("--dry-run", is_flag=True, help="Find out what would change, and change nothing.")
@click.option("--user", "users", multiple=True, metavar="ENTRA_ID", help="Only this user; may be repeated.")
@click.option("--wait", is_flag=True, help="Wait until the run has ended, and show it.")
@click.option("--timeout", type=click.FloatRange(min=0), metavar="SECONDS", help="With --wait: for so long.")
@json_option
def trigger(  # noqa: PLR0913 - one for each option
    *,
    tenant: str,
    mode: str,
    dry_run: bool,
    users: tuple[str, ...],
    wait: bool,
    timeout: float | None,
    wants_json: bool,
) -> None:
    """Publish a tenant-sync message for TENANT."""
    wish = _wish(tenant=tenant, mode=mode, dry_run=dry_run, users=list(users))
    parts = open_console(Need.DATABASE, Need.BROKER)
    if not parts.store.tenants.settings(tenant).enabled:
        raise WrongUseError(f"Tenant '{tenant}' is disabled; 'tenants set {tenant} --enabled' enables it.")
    event_id = str(uuid.uuid4())
    parts.broker.publish([tenant_sync_message(wish, event_id=event_id)])
    if not wait:
        text = f"Published, as event {event_id}. 'update-sync runs list' shows the run."
        say(text, {"event": event_id}, wants_json=wants_json)
        return
    ends = None if timeout is None else time.monotonic() + timeout
    run = _run_of(parts.store.runs, event_id, timeout=timeout)
    left = None if ends is None else max(0.0, ends - time.monotonic())
    summary = wait_for_end(parts.store.runs, run.id, quiet=wants_json, timeout=left)
    show_run(summary, wants_json=wants_json)
    end_with(summary)


def _wish(**fields: object) -> TenantSync:
    try:
        return load_tenant_sync(fields)
    except PermanentError as error:
        raise click.UsageError(error.detail) from None


def _run_of(runs: Runs, event_id: str, *, timeout: float | None) -> Run:
    began, told = time.monotonic(), False

    def look() -> Run | None:
        nonlocal told
        run = runs.find_event(event_id)
        if run is None and not told and time.monotonic() - began > _PATIENCE:
            told = True
            click.echo(
                "Nothing has taken the message so far: is a producer running, or another run of the "
                "tenant open? Waiting on.",
                err=True,
            )
        return run

    run = keep_looking(look, timeout=timeout)
    if run is None:
        click.echo(
            f"Nothing has taken the message, event {event_id}, in time; it stays in its queue.", err=True
        )
        raise click.exceptions.Exit(1)
    return run
