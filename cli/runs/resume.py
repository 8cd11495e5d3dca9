"""`update-sync runs resume`: a halted run continues."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from cli.context import current_services
from cli.output import json_option, print_result
from cli.runs.options import run_argument
from producers.resume import resume_run
from schemas.outcomes import OPEN_STATUSES, QUESTION_CAUSES, Status
from schemas.settings import Requirement

if TYPE_CHECKING:
    from schemas.runs.run import Run


@click.command()
@run_argument
@click.option(
    "--override-guard", is_flag=True, help="Continue past the guard's limit; the run is no longer checked."
)
@json_option
def resume(*, run: int, override_guard: bool, wants_json: bool) -> None:
    """Resume a halted RUN; remaining users are read again and requeued."""
    services = current_services(Requirement.DATABASE, Requirement.BROKER, Requirement.KEYS)
    services.broker.check()
    halted = services.store.runs.summary(run)
    resumed, published = resume_run(
        run, store=services.store, publisher=services.broker, override_guard=override_guard
    )
    text = f"Run {run} resumed; {published} users requeued."
    if resumed.status is Status.READING:
        text += " It also reads the list of users again."
    settled = halted.published - halted.pending
    if settled and halted.run.cause in QUESTION_CAUSES:
        # It is complete by now if no user was left.
        text += f" {_settled_text(settled, services.store.runs.get(run))}"
    print_result(text, services.store.runs.summary(run).as_json(), wants_json=wants_json)


def _settled_text(users: int, run: Run) -> str:
    """Return that a correction does not reach users that the run has settled, and what does."""
    who = f"{users} users have an outcome already and keep it"
    if users == 1:
        who = "1 user has an outcome already and keeps it"
    ways = [f"'update-sync trigger {run.tenant}'"]
    if run.status in OPEN_STATUSES:
        ways.insert(0, f"'update-sync runs cancel {run.id}'")
    return f"{who}, whatever was corrected since. To look at all anew: {', then '.join(ways)}."
