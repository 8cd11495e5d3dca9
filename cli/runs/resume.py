"""`update-sync runs resume`: a halted run continues."""

from __future__ import annotations

import click

from cli.context import current_services
from cli.output import json_option, print_result
from cli.runs.options import run_argument
from producers.resume import resume_run
from schemas.outcomes import Status
from schemas.settings import Requirement


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
    resumed, published = resume_run(
        run, store=services.store, publisher=services.broker, override_guard=override_guard
    )
    text = f"Run {run} resumed; {published} users requeued."
    if resumed.status is Status.READING:
        text += " It also reads the list of users again."
    print_result(text, services.store.runs.summary(run).as_json(), wants_json=wants_json)
