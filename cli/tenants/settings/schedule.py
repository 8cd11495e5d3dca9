"""`update-sync tenants pause-schedule` and `resume-schedule`: no scheduled run starts for a while."""

from __future__ import annotations

import datetime as dt

import click

from administration.tenants.next_run import next_run
from administration.tenants.schedule.pauses import end_pause, local_end, pause_schedule
from cli.context import current_services
from cli.dead_letters.discard import operator_name
from cli.output import json_option, print_result
from cli.tenants.options import key_argument
from schemas.settings import Requirement
from schemas.timestamps import timestamp


@click.command("pause-schedule")
@key_argument
@click.option(
    "--until",
    required=True,
    metavar="'YYYY-MM-DD HH:MM'",
    help="The end of the pause, by the clock of the tenant's time zone.",
)
@click.option("--reason", required=True, help="Why, for the people who see the pause. No names of persons.")
@json_option
def pause(*, key: str, until: str, reason: str, wants_json: bool) -> None:
    """Start no scheduled run of TENANT until a date and time.

    Runs that are started by hand go on as before, and so does a run that is open. The pause ends by itself:
    the next due time after it starts a run, and what was due before is not caught up. A second pause takes
    the place of the first.
    """
    store = current_services(Requirement.DATABASE, Requirement.KEYS).store
    end = local_end(until, store.tenants.outline(key).time_zone)
    pause_schedule(key, end, reason, operator=operator_name(), store=store)
    text = f"Paused the schedule of tenant '{key}' until {timestamp(end)}. {_next(key)}"
    print_result(text, {"tenant": key, "until": timestamp(end)}, wants_json=wants_json)


@click.command("resume-schedule")
@key_argument
@json_option
def resume(*, key: str, wants_json: bool) -> None:
    """End a pause of TENANT's schedule now.

    What was due during the pause is not caught up: the next due time starts a run.
    """
    end_pause(key, store=current_services(Requirement.DATABASE).store)
    print_result(
        f"Resumed the schedule of tenant '{key}'. {_next(key)}", {"tenant": key}, wants_json=wants_json
    )


def _next(key: str) -> str:
    """Return when the next scheduled run is due, in a sentence."""
    store = current_services(Requirement.DATABASE).store
    found = next_run(key, store, dt.datetime.now(dt.UTC))
    if found is None or found.due is None:
        return "No run is due after that: the tenant has no schedule, or is disabled."
    return f"The next scheduled run is due {timestamp(found.due.at)}."
