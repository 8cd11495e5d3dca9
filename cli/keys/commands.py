"""`update-sync keys`: which keys are still needed, and re-encryption with the newest one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from administration.keys import key_status, rotate_keys
from cli.context import current_services
from cli.output import echo, json_option, print_json, print_table
from schemas.crypto.encryption import KeyAge
from schemas.settings import Requirement

if TYPE_CHECKING:
    from administration.keys import KeyReport


@click.group()
def keys() -> None:
    """Replace the keys in UPDATE_SYNC_SECRET_KEYS.

    The first key encrypts, all of them decrypt. Put a new key in front, restart every process, run 'keys
    rotate', and let each tenant have a full run. When 'keys status' counts nothing under "older key" any
    more, remove the old key.
    """


@keys.command()
@json_option
def status(*, wants_json: bool) -> None:
    """Show how many values each key is needed for, and how many no key decrypts.

    Nothing is changed. It exits with 1 if no key decrypts a value, or if the
    dead letters could not be counted.
    """
    report = key_status(current_services(Requirement.DATABASE, Requirement.KEYS))
    _show(report, wants_json=wants_json)
    if report.dead_letters is None:
        raise click.exceptions.Exit(1)


@keys.command()
@json_option
def rotate(*, wants_json: bool) -> None:
    """Encrypt with the first key what older keys encrypted.

    Safe while workers run. If interrupted, the next 'keys rotate' continues.
    """
    _show(rotate_keys(current_services(Requirement.DATABASE, Requirement.KEYS)), wants_json=wants_json)


def _show(report: KeyReport, *, wants_json: bool) -> None:
    if wants_json:
        print_json(report.as_json())
    else:
        if report.rotated is not None:
            echo(f"Encrypted {report.rotated} values with the first key.", "")
        _print(report)
    if report.undecryptable:
        raise click.exceptions.Exit(1)


def _print(report: KeyReport) -> None:
    dead_letters = report.dead_letters
    rows: list[tuple[object, ...]] = [
        (column.column, *(column.ages[age] for age in KeyAge)) for column in report.columns
    ]
    if dead_letters is not None:
        rows.append(("dead letters", *(dead_letters[age] for age in KeyAge)))
    print_table(("encrypted in", "newest key", "older key", "no key"), rows)
    for trace in report.traces:
        if trace.identity_digests or trace.verifications:
            echo(
                f"{trace.tenant}: digests of {trace.identity_digests} users (to find equal values) and of "
                f"{trace.verifications} (to skip verified users) need an older key until the next full run."
            )
    if dead_letters is None:
        echo(
            "Dead letters are not counted: RabbitMQ is away, or UPDATE_SYNC_AMQP_URL is not set or wrong. "
            "They may need an older key: keep it until they are counted."
        )
    if dead_letters and dead_letters[KeyAge.OLDER]:
        echo(
            "A dead letter needs its key until it is replayed or discarded; a replay reads the user again. A "
            "stale one, which no list shows, is removed by a producer within minutes."
        )
    if dead_letters and dead_letters[KeyAge.NONE]:
        echo(
            f"{dead_letters[KeyAge.NONE]} dead letters cannot be decrypted with any key. A replay needs "
            "none: it reads the users again from Entra. Only --original-payload needs the former key."
        )
    echo(
        "Messages in queues are not counted: they need the key that was first when they were published. Keep "
        "the old key until the runs that were open then have ended."
    )
    if report.undecryptable:
        echo(
            f"{report.undecryptable} values cannot be decrypted with any key: put the former key behind the "
            "others. Replace a tenant's lost secret with 'tenants set TENANT --client-secret'."
        )
