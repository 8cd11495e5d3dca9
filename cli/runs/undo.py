"""`update-sync runs undo`: restores what a run overwrote, by a run of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from administration.runs.undo import plan_undo
from cli.confirmation import confirm
from cli.context import current_services
from cli.output import echo, json_option
from cli.runs.options import check_timeout, run_argument, timeout_option, users_option
from cli.runs.request import publish_only, request_and_wait
from schemas.settings import Requirement

if TYPE_CHECKING:
    from administration.runs.undo import UndoPlan
    from schemas.runs.totals.run_undo import RunUndo


@click.command()
@run_argument
@users_option
@click.option("--dry-run", is_flag=True, help="Wait, and show what would be restored; change nothing.")
@click.option("--override-guard", is_flag=True, help="Let the undo exceed the guard's limits.")
@click.option("--yes", is_flag=True, help="Do not ask for confirmation.")
@click.option("--wait", is_flag=True, help="Wait until the undo has ended, and show it.")
@timeout_option
@json_option
def undo(  # noqa: PLR0913 - one for each option
    *,
    run: int,
    users: tuple[str, ...],
    dry_run: bool,
    override_guard: bool,
    yes: bool,
    wait: bool,
    timeout: float | None,
    wants_json: bool,
) -> None:
    """Restore the values that RUN overwrote, unless changed since.

    Each attribute gets its former value. An attribute that has changed since is skipped and counted. An
    attribute that has its former value already is only counted. The undo is a run of its own: it can be
    watched, resumed, cancelled and undone. An undo of all users of a halted run cancels that run.
    """
    check_timeout(timeout, wait=wait or dry_run)
    services = current_services(Requirement.DATABASE, Requirement.BROKER, Requirement.KEYS)
    plan = plan_undo(run, users=users, dry_run=dry_run, override_guard=override_guard, store=services.store)
    if not wants_json:
        _describe(plan)
    if not dry_run:
        confirm(_question(plan), yes=yes)
    # Without its totals a dry run would be no answer.
    if wait or dry_run:
        request_and_wait(plan.request, services, timeout=timeout, wants_json=wants_json)
    else:
        guard = plan.guard and plan.guard.as_json()
        more = {
            "reverts_run_id": str(run),
            "users": plan.users,
            "guard": guard,
            "reread": list(plan.reread),
        }
        publish_only(plan.request, services, more, wants_json=wants_json)


def _question(plan: UndoPlan) -> str:
    """Return what is asked before an undo begins."""
    undone = plan.undone
    if not plan.users:
        return f"End run {undone.id}, and restore what it may be changing for {undone.tenant} right now?"
    return f"Restore what run {undone.id} overwrote for up to {_count(plan.users)} of {undone.tenant}?"


def _count(users: int) -> str:
    return "1 user" if users == 1 else f"{users} users"


def _describe_earlier(undone: int, undo: RunUndo) -> None:
    """Say what an earlier undo has done: after a complete one another has nothing to do."""
    if undo.is_complete:
        echo(
            f"Run {undone} is undone already: run {undo.run} restored {_count(undo.users)}.",
            f"To have the values of run {undone} again: update-sync runs undo {undo.run}",
        )
    else:
        echo(f"Run {undo.run} ({undo.status}) has undone run {undone} for {_count(undo.users)}.")


def _describe(plan: UndoPlan) -> None:
    undone = plan.undone
    for undo in plan.undos:
        _describe_earlier(undone.id, undo)
    if plan.users:
        echo(f"Run {undone.id} of {undone.tenant} may have changed {_count(plan.users)}.")
    else:
        echo(f"Run {undone.id} of {undone.tenant} has changed no user so far.")
    if plan.cancels_run:
        echo(f"Run {undone.id} is halted; it is cancelled when the undo starts.")
    echo("What has changed since is skipped. What is as before already is not written. Both are counted.")
    for excess in plan.guard.would_halt if plan.guard else ():
        echo(f"The guard will halt the undo before its end, if all of them still need it: {excess}.")
    if plan.guard and plan.guard.would_halt:
        echo("With --override-guard the undo is not halted.")
    if plan.request.dry_run:
        return
    for user in plan.linked:
        echo(
            f"Entra user {user} is linked: the next run that reads this user writes the same values again. "
            f"'update-sync matches forget {undone.tenant} --user {user}' takes the link back first."
        )
    if plan.reread:
        users = " ".join(f"--user {each}" for each in plan.reread)
        echo(
            "A decision that was taken back had led to changes of this run. After the undo the next delta "
            f"run finds out again which Skolon users these are: {', '.join(plan.reread)}",
            f"To do it at once, when the undo has ended: update-sync trigger {undone.tenant} {users}",
        )
    if undone.reverts_run_id is None and not (plan.reread and plan.request.users):
        echo("If its mapping was wrong, fix that first: the next full run would write the same values again.")
        echo("A delta run does not check users that only the undo has changed.")
