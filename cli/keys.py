"""`update-sync keys`: which keys are still needed, and sealing with the newest one what older ones hold."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final

import click

from cli.context import current_services
from cli.output import echo, json_option, print_json, print_table
from queues.dead_letters import read_at_once
from schemas.crypto.encryption import FieldCipher, KeyAge
from schemas.errors import TransientError
from schemas.messages.messages import QUEUES
from schemas.settings import Requirement
from store.encryption.digest_keys import trace_status
from store.encryption.encrypted_values import ColumnStatus

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bootstrap.services import Services
    from store.encryption.digest_keys import TraceStatus

#: What is locked by a worker in one pass is free in the next.
_PASSES: Final = 3


@click.group()
def keys() -> None:
    """Replace the keys in UPDATE_SYNC_SECRET_KEYS: the first one seals, all of them open.

    Put a new key in front, restart every process, 'keys rotate', and let each tenant have a full run. When
    'keys status' counts nothing under "older" any more, the old key can go.
    """


@keys.command()
@json_option
def status(*, wants_json: bool) -> None:
    """Say how many values each key is needed for, and which none of the keys opens. Nothing is changed."""
    services = _services()
    _report(services, services.store.sealed_values.status(), wants_json=wants_json)


@keys.command()
@json_option
def rotate(*, wants_json: bool) -> None:
    """Seal with the first key whatever in the database an older one has sealed.

    Workers may go on meanwhile, and it may be broken off at any time: the next one goes on.
    """
    services = _services()
    rotated, columns = 0, list[ColumnStatus]()
    for _ in range(_PASSES):
        columns = list(services.store.sealed_values.rotate())
        rotated += sum(column.rotated for column in columns)
        if not any(column.ages[KeyAge.OLDER] or column.ages[KeyAge.CLEAR] for column in columns):
            break
    _report(services, columns, rotated=rotated, wants_json=wants_json)


def _report(
    services: Services, columns: Sequence[ColumnStatus], *, rotated: int | None = None, wants_json: bool
) -> None:
    traces = trace_status(services.store.database, _cipher(services).index)
    dead_letters = _dead_letters(services)
    unopenable = sum(column.ages[KeyAge.NONE] for column in columns)
    if wants_json:
        print_json(
            {
                **({} if rotated is None else {"rotated": rotated}),
                "values": [column.as_json() for column in columns],
                "traces": [trace.as_json() for trace in traces],
                "dead_letters": None
                if dead_letters is None
                else {str(age): dead_letters[age] for age in KeyAge},
            }
        )
    else:
        if rotated is not None:
            echo(f"{rotated} values are sealed with the first key now.", "")
        _print(columns, traces, dead_letters, unopenable)
    if unopenable:
        raise click.exceptions.Exit(1)


def _print(
    columns: Sequence[ColumnStatus],
    traces: Sequence[TraceStatus],
    dead_letters: Counter[KeyAge] | None,
    unopenable: int,
) -> None:
    rows: list[tuple[object, ...]] = [
        (column.column, *(column.ages[age] for age in KeyAge)) for column in columns
    ]
    if dead_letters is not None:
        rows.append(("dead letters", *(dead_letters[age] for age in KeyAge)))
    print_table(("sealed in", "by the newest key", "by an older key", "by no key", "in the clear"), rows)
    for trace in traces:
        if trace.marks or trace.confirmations:
            echo(
                f"{trace.tenant}: traces of {trace.marks} people (to find equal values) and of "
                f"{trace.confirmations} (to trust receipts) need an older key until the next full run."
            )
    if dead_letters is None:
        echo("Dead letters are not counted: RabbitMQ is away, or UPDATE_SYNC_AMQP_URL is not set.")
    if dead_letters and dead_letters[KeyAge.OLDER]:
        echo("A dead letter keeps its key until it is replayed or discarded; a replay reads the user afresh.")
    echo(
        "Messages in queues are not counted: they have the key that was first when they were published. Keep "
        "the old key until the runs that were open then have ended."
    )
    if unopenable:
        echo(
            f"{unopenable} values are opened by none of the keys: put the former key behind the others. "
            "A tenant's lost secret is set anew with 'tenants set TENANT --client-secret'."
        )


def _dead_letters(services: Services) -> Counter[KeyAge] | None:
    """Return how many dead letters' payloads need which key, None where they cannot be looked at."""
    if not services.settings.amqp_url:
        return None
    cipher = _cipher(services)
    found: Counter[KeyAge] = Counter()
    try:
        for portion in read_at_once(services.broker, QUEUES):
            found.update(
                cipher.key_age(dead_letter.payload)
                for dead_letter in portion
                if dead_letter.payload is not None
            )
    except TransientError:
        return None
    return found


def _cipher(services: Services) -> FieldCipher:
    return FieldCipher(services.settings.secret_keys)


def _services() -> Services:
    return current_services(Requirement.DATABASE, Requirement.KEYS)
