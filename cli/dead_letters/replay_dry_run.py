"""`update-sync dead-letters replay --dry-run`: what a replay would do."""

from __future__ import annotations

from typing import TYPE_CHECKING, NoReturn

import click

from administration.dead_letters.replay_dry_run import replay_dry_run
from cli.output import echo, print_json
from producers.dead_letters.ramp import BlockReason
from schemas.outcomes import Outcome

if TYPE_CHECKING:
    from bootstrap.services import Services
    from schemas.messages.dead_letter_filter import DeadLetterFilter
    from workers.dry_run.replay_forecast import ReplayForecast


def show_dry_run(
    wanted: DeadLetterFilter,
    *,
    limit: int | None,
    original_payload: bool,
    services: Services,
    wants_json: bool,
) -> NoReturn:
    """Show what a replay of the users' dead letters would do, and exit."""
    found = replay_dry_run(wanted, limit=limit, original_payload=original_payload, services=services)
    if wants_json:
        print_json(_as_json(found))
    else:
        _print(found)
    raise click.exceptions.Exit(0 if found.succeeded + found.obsolete == found.tried else 1)


def _as_json(found: ReplayForecast) -> dict[str, object]:
    return {
        "users": found.tried,
        "would_succeed": found.succeeded,
        "obsolete": found.obsolete,
        "outcomes": {str(outcome): count for outcome, count in sorted(found.outcomes.items())},
        "reasons": {str(reason): count for reason, count in sorted(found.failures.items())},
        "partly_written": found.partly_written,
        "away": {str(service): count for service, count in sorted(found.away.items())},
        "in_other_run": found.in_other_run,
        "awaits_answer": found.awaits_answer,
    }


def _print(found: ReplayForecast) -> None:
    echo(f"Of {found.tried} users, {found.succeeded} would now succeed. Nothing has been changed.")
    for outcome, count in sorted(found.outcomes.items()):
        if outcome is not Outcome.SUPERSEDED:
            echo(f"  {count:>7}  {outcome}")
    if found.obsolete:
        echo(f"  {found.obsolete:>7}  obsolete: a newer run takes care of them, a replay would write nothing")
    for reason, count in sorted(found.failures.items()):
        echo(f"  {count:>7}  dead_lettered: {reason}")
    if found.partly_written:
        echo(f"  {found.partly_written:>7}  of those that would fail: their other values would be written")
    for service, count in sorted(found.away.items()):
        echo(f"  {count:>7}  unknown: {service} is away")
    if found.in_other_run:
        echo(f"  {found.in_other_run:>7}  unknown: another run processes them")
    if found.awaits_answer:
        echo(f"  {found.awaits_answer:>7}  not tried: {BlockReason.AWAITS_ANSWER.text}")
