"""`update-sync dead-letters discard`."""

from __future__ import annotations

import datetime as dt
import getpass
from typing import Any

import click

from administration.dead_letters.discard import discard_planned, plan_discard
from administration.dead_letters.known_ids import check_known_ids
from cli.confirmation import confirm
from cli.context import current_services
from cli.dead_letters.options import dead_letter_options, filter_from, none_found
from cli.numbers import WholeNumber
from cli.output import echo, json_option, print_json
from schemas.messages.messages import USER_SYNC_QUEUE
from schemas.settings import Requirement


@click.command()
@dead_letter_options
@click.option(
    "--limit",
    type=WholeNumber(1),
    metavar="N",
    show_default="all",
    help="Dead letters to discard, the oldest first.",
)
@click.option("--yes", is_flag=True, help="Do not ask for confirmation.")
@json_option
def discard(*, limit: int | None, yes: bool, wants_json: bool, **options: Any) -> None:
    """Discard failed messages, after showing them by kind and asking.

    It discards all of them, unless options such as --tenant and --reason select some. With several options,
    it takes what fits all of them. The users keep the outcome dead_lettered, and still count as failed. Make
    a copy first with 'dead-letters export'. The database keeps what was done, and by which user of this
    machine.
    """
    services, now = (
        current_services(Requirement.DATABASE, Requirement.BROKER, Requirement.KEYS),
        dt.datetime.now(dt.UTC),
    )
    wanted = filter_from(options, now=now)
    plan = plan_discard(wanted, limit=limit, store=services.store, broker=services.broker)
    groups = plan.groups
    if groups.dead_letters:
        for name, dead_letters in groups.counts().items():
            echo(f"  {dead_letters:>7}  {name}", err=True)
        confirm(f"Discard these {groups.dead_letters} dead letters for good?", yes=yes)
    if not groups.dead_letters:
        check_known_ids(wanted, store=services.store)
        if wants_json:
            print_json({"operation": None, "counts": {}})
        else:
            echo(none_found(wanted))
        return
    operation = discard_planned(plan, operator=operator_name(), store=services.store, broker=services.broker)
    if wants_json:
        print_json(operation.as_json())
        return
    gone = sum(operation.counts.values())
    echo(f"Discarded {gone} dead letters, as operation {operation.id}.")
    if any(queue == USER_SYNC_QUEUE for (queue, _, _), _ in groups.items()):
        echo("Their users still count as failed, until a run that reads them brings another outcome.")
    if gone < groups.dead_letters:
        echo(f"{groups.dead_letters - gone} were gone already: another command replayed or discarded them.")


def operator_name() -> str | None:
    """Return the name of the user who gives the command."""
    try:
        return getpass.getuser()[:100]
    except (KeyError, OSError):
        # A container may run as a user id that has no name.
        return None
