"""`update-sync runs resume`: a halted run continues."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from administration.runs.actions.resume import has_other_settings
from cli.confirmation import confirm
from cli.context import current_services
from cli.output import echo, json_option, print_result
from cli.runs.options import run_argument
from producers.resume import check_resumable, resume_run
from schemas.outcomes import OPEN_STATUSES, QUESTION_CAUSES, Mode, Status
from schemas.settings import Requirement

if TYPE_CHECKING:
    from schemas.runs.run import Run


@click.command()
@run_argument
@click.option("--override-guard", is_flag=True, help="Let the run exceed the guard's limits.")
@click.option("--yes", is_flag=True, help="Do not ask for confirmation.")
@json_option
def resume(*, run: int, override_guard: bool, yes: bool, wants_json: bool) -> None:
    """Resume RUN, which is halted: it reads again the users without an outcome.

    Users with an outcome keep it, also if a setting was corrected since. So --override-guard makes the
    command ask first if the tenant's settings have changed since the run started.
    """
    services = current_services(Requirement.DATABASE, Requirement.BROKER, Requirement.KEYS)
    services.broker.check()
    halted = services.store.runs.summary(run)
    check_resumable(halted, store=services.store, override_guard=override_guard)
    settled = halted.published - halted.pending
    is_question = settled > 0 and halted.run.cause in QUESTION_CAUSES
    if is_question and override_guard and has_other_settings(halted.run, store=services.store):
        echo(
            f"The settings of '{halted.run.tenant}' have changed since run {run} started. "
            f"{_settled_text(settled, halted.run)}",
            err=True,
        )
        confirm(f"Resume run {run} all the same?", yes=yes)
    resumed, published = resume_run(
        run, store=services.store, publisher=services.broker, override_guard=override_guard
    )
    users = "1 user is" if published == 1 else f"{published} users are"
    text = f"Run {run} is resumed. {users} published again."
    if resumed.status is Status.READING:
        text += " It also reads the list of users again."
    if is_question:
        # It is complete by now if no user was left.
        text += f" {_settled_text(settled, services.store.runs.get(run))}"
    print_result(text, services.store.runs.summary(run).as_json(), wants_json=wants_json)


def _settled_text(users: int, run: Run) -> str:
    """Return that a correction does not reach users that the run has settled, and what does."""
    who = f"{users} users have an outcome already and keep it"
    if users == 1:
        who = "1 user has an outcome already and keeps it"
    if run.mode is Mode.UNDO:
        return f"{who}. To try again for those that failed: 'update-sync runs undo {run.reverts_run_id}'."
    ways = [f"'update-sync trigger {run.tenant}'"]
    if run.status in (*OPEN_STATUSES, Status.HALTED):
        ways.insert(0, f"'update-sync runs cancel {run.id}'")
    return f"{who}, whatever was corrected since. To look at all anew: {', then '.join(ways)}."
