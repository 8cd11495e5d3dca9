"""`update-sync dead-letters replay --dry-run`: what would become of whom."""

from __future__ import annotations

from itertools import chain, islice
from typing import TYPE_CHECKING, NoReturn

import click

from cli.output import echo, print_json
from queues.dead_letters import read_in_portions
from schemas.crypto.encryption import FieldCipher
from schemas.messages.messages import USER_SYNC_QUEUE
from workers.dry_run.replay_forecast import ReplayForecast, forecast_replay
from workers.user_sync import UserSyncHandler

if TYPE_CHECKING:
    from bootstrap.services import Services
    from schemas.messages.dead_letter_filter import DeadLetterFilter


def dry_run_replay(
    services: Services,
    wanted: DeadLetterFilter,
    limit: int | None,
    *,
    original_payload: bool,
    wants_json: bool,
) -> NoReturn:
    """Try the users' letters that are wanted, say what would become of them, and end the command."""
    dead_letters = chain.from_iterable(read_in_portions(services.broker, (USER_SYNC_QUEUE,)))
    chosen = islice(
        (
            dead_letter
            for dead_letter in dead_letters
            if dead_letter.receipt_key is not None and wanted.matches(dead_letter)
        ),
        limit,
    )
    handler = UserSyncHandler(
        store=services.store, gateways=services.gateways, cipher=FieldCipher(services.settings.secret_keys)
    )
    found = forecast_replay(chosen, handler, original_payload=original_payload)
    if wants_json:
        print_json(as_json(found))
    else:
        _print(found)
    raise click.exceptions.Exit(0 if found.succeeded == found.tried else 1)


def as_json(found: ReplayForecast) -> dict[str, object]:
    """Return what was found out."""
    return {
        "users": found.tried,
        "would_succeed": found.succeeded,
        "outcomes": {str(outcome): count for outcome, count in sorted(found.outcomes.items())},
        "reasons": {str(reason): count for reason, count in sorted(found.failures.items())},
        "away": dict(sorted(found.away.items())),
    }


def _print(found: ReplayForecast) -> None:
    echo(f"Of {found.tried} users, {found.succeeded} would now succeed. Nothing has been changed.")
    for outcome, count in sorted(found.outcomes.items()):
        echo(f"  {count:>7}  {outcome}")
    for reason, count in sorted(found.failures.items()):
        echo(f"  {count:>7}  dead_lettered: {reason}")
    for service, count in sorted(found.away.items()):
        echo(f"  {count:>7}  not known: {service} is away")
