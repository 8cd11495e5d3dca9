"""`update-sync trigger`: ask for a run, and wait for it if wanted."""

from __future__ import annotations

import time
import uuid
from typing import TYPE_CHECKING, Final

import click

from console.composition import open_console
from console.output import json_option, print_json
from console.run_report import LOOK_AGAIN, end_with, show_run, wait_for_end
from queues.messages import tenant_sync_message
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
@click.option("--mode", type=click.Choice(list(Mode)), default=Mode.FULL, show_default=True)
@click.option("--dry-run", is_flag=True, help="Find out what would change, and change nothing.")
@click.option("--user", "users", multiple=True, metavar="ENTRA_ID", help="Only this user; may be repeated.")
@click.option("--wait", is_flag=True, help="Wait until the run has ended, and show it.")
@json_option
def trigger(  # noqa: PLR0913 - one for each option
    *, tenant: str, mode: str, dry_run: bool, users: tuple[str, ...], wait: bool, wants_json: bool
) -> None:
    """Publish a tenant-sync message for TENANT."""
    parts = open_console(Need.DATABASE, Need.BROKER)
    parts.store.tenants.settings(tenant)
    wish: TenantSync = load_tenant_sync(
        {"tenant": tenant, "mode": mode, "dry_run": dry_run, "users": list(users)}
    )
    event_id = str(uuid.uuid4())
    parts.broker.publish([tenant_sync_message(wish, event_id=event_id)])
    if not wait:
        if wants_json:
            print_json({"event": event_id})
        else:
            click.echo(f"Published, as event {event_id}. 'update-sync runs list' shows the run.")
        return
    run = _run_of(parts.store.runs, event_id)
    summary = wait_for_end(parts.store.runs, run.id, quiet=wants_json)
    show_run(summary, wants_json=wants_json)
    end_with(summary)


def _run_of(runs: Runs, event_id: str) -> Run:
    began, told = time.monotonic(), False
    while True:
        run = runs.find_event(event_id)
        if run is not None:
            return run
        if not told and time.monotonic() - began > _PATIENCE:
            told = True
            click.echo(
                "Nothing has taken the message so far: is a producer running, or another run of the "
                "tenant open? Waiting on.",
                err=True,
            )
        time.sleep(LOOK_AGAIN)
