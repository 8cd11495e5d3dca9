"""`update-sync runs undo`: what a run has written is put back, by a run of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from cli.context import current_services
from cli.output import echo, json_option
from cli.runs.request import publish_wish, wish_and_wait, wish_from
from schemas.errors import UsageError
from schemas.outcomes import Mode, Status
from schemas.settings import Requirement
from store.runs.undo import why_not_undoable

if TYPE_CHECKING:
    from bootstrap.services import Services
    from schemas.runs.run import Run


@click.command()
@click.argument("run", type=click.IntRange(min=1))
@click.option("--user", "users", multiple=True, metavar="ENTRA_ID", help="Only this user; may be repeated.")
@click.option("--dry-run", is_flag=True, help="Find out what would be put back, and change nothing.")
@click.option(
    "--override-guard", is_flag=True, help="Let it through although it changes more than the guard allows."
)
@click.option("--wait", is_flag=True, help="Wait until the undo has ended, and show it.")
@click.option("--timeout", type=click.FloatRange(min=0), metavar="SECONDS", help="With --wait: for so long.")
@json_option
def undo(  # noqa: PLR0913 - one for each option
    *,
    run: int,
    users: tuple[str, ...],
    dry_run: bool,
    override_guard: bool,
    wait: bool,
    timeout: float | None,
    wants_json: bool,
) -> None:
    """Put back what RUN has written, where Skolon still holds it.

    Attribute by attribute, each user gets the values from before. What has changed since is left as it
    is, and counted. The undo is a run of its own, which can be watched, resumed, cancelled and undone. A
    halted run that is put back as a whole is cancelled by that.
    """
    services = current_services(Requirement.DATABASE, Requirement.BROKER, Requirement.KEYS)
    undone = services.store.runs.get(run)
    request = wish_from(
        tenant=undone.tenant,
        mode=str(Mode.UNDO),
        dry_run=dry_run,
        users=list(users),
        reverts_run_id=run,
        override_guard=override_guard,
    )
    people = len(request.users) or services.store.undos.people(run)
    _check(undone, request.users, people, services)
    if not wants_json:
        _say(undone, people, whole=not (users or dry_run), dry_run=dry_run)
    if wait:
        wish_and_wait(request, services, timeout=timeout, wants_json=wants_json)
    else:
        publish_wish(request, services, {"reverts_run_id": str(run), "users": people}, wants_json=wants_json)


def _check(undone: Run, users: tuple[str, ...], people: int, services: Services) -> None:
    why = why_not_undoable(undone.status, dry_run=undone.dry_run, people=people)
    if why is not None:
        raise UsageError(f"Run {undone.id} cannot be undone: {why}.")
    unknown = [user for user in users if services.store.receipts.get(undone.id, user) is None]
    if unknown:
        raise UsageError(f"Run {undone.id} has no receipt of:", unknown)


def _say(undone: Run, people: int, *, whole: bool, dry_run: bool) -> None:
    """Tell what is going to happen, and what the undo alone does not mend."""
    echo(f"Run {undone.id} of {undone.tenant} may have changed {people} people.")
    if whole and undone.status is Status.HALTED:
        echo(f"Run {undone.id} is halted; it is cancelled when the undo begins.")
    if undone.reverts_run_id is None and not dry_run:
        echo("If its mapping was wrong, mend that first: the next full run would write the same again.")
        echo("A delta run does not look at people whom only the undo has changed.")
