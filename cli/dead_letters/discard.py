"""`update-sync dead-letters discard`: thrown away, after saying what."""

from __future__ import annotations

import datetime as dt
import getpass
import sys
from typing import TYPE_CHECKING, Any

import click

from cli.context import current_services
from cli.dead_letters.groups import Groups
from cli.dead_letters.options import dead_letter_options, filter_from
from cli.output import echo, json_option, print_json
from producers.dead_letters.discard import discard as discard_letters
from queues.dead_letters import read_at_once
from schemas.settings import Requirement

if TYPE_CHECKING:
    from queues.interfaces import DeadLetters
    from schemas.messages.dead_letter_filter import DeadLetterFilter


@click.command()
@dead_letter_options
@click.option("--limit", type=click.IntRange(min=1), help="Letters to discard at most, the oldest first.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@json_option
def discard(*, limit: int | None, yes: bool, wants_json: bool, **options: Any) -> None:
    """Throw letters away, after saying how many of which kind, and asking.

    Their receipts keep their outcome, dead_lettered. 'export' keeps a copy of the letters. What was
    done, and by whom, is kept in the database.
    """
    if not yes and not sys.stdin.isatty():
        raise click.UsageError("Without a terminal there is nobody to ask: say --yes, after 'list'.")
    services, now = (
        current_services(Requirement.DATABASE, Requirement.BROKER, Requirement.KEYS),
        dt.datetime.now(dt.UTC),
    )
    wanted = filter_from(options, now=now)
    groups, expected = _count(services.broker, wanted, limit)
    if not yes and groups.dead_letters:
        for name, dead_letters in groups.counts().items():
            echo(f"  {dead_letters:>7}  {name}", err=True)
        click.confirm(f"Discard these {groups.dead_letters} dead letters for good?", abort=True, err=True)
    if not groups.dead_letters:
        if wants_json:
            print_json(None)
        else:
            echo("There are no such dead letters.")
        return
    operation = discard_letters(
        wanted, expected=expected, operator=operator_name(), store=services.store, broker=services.broker
    )
    if wants_json:
        print_json(operation.as_json())
        return
    gone = sum(operation.counts.values())
    echo(f"{gone} dead letters are discarded, as operation {operation.id}.")
    if gone < groups.dead_letters:
        echo(f"{groups.dead_letters - gone} were gone already: somebody else took them.")


def operator_name() -> str | None:
    """Return who gives the command, as the machine knows them."""
    try:
        return getpass.getuser()[:100]
    except (KeyError, OSError):
        # A container may run under a number that has no name.
        return None


def _count(broker: DeadLetters, wanted: DeadLetterFilter, limit: int | None) -> tuple[Groups, dict[str, int]]:
    """Return what is meant, by kind and by queue."""
    groups, by_queue = Groups(), dict[str, int]()
    for portion in read_at_once(broker, wanted.queues_to_browse):
        for dead_letter in portion:
            if wanted.matches(dead_letter) and groups.dead_letters != limit:
                groups.add(dead_letter)
                by_queue[dead_letter.queue] = by_queue.get(dead_letter.queue, 0) + 1
    return groups, by_queue
