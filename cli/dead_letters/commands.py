"""`update-sync dead-letters`: what lies in the dead-letter queues, looked at and copied."""

from __future__ import annotations

import base64
import datetime as dt
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from bootstrap.private_files import fix_of_rights
from cli.context import current_services
from cli.dead_letters.discard import discard
from cli.dead_letters.groups import Groups
from cli.dead_letters.options import dead_letter_options, filter_from
from cli.dead_letters.replay import replay
from cli.dead_letters.report import DeadLetterReport
from cli.output import echo, json_option, print_json, print_table
from producers.reconciliation.receipts import reconcile_receipts
from queues.dead_letters import read_at_once, read_in_portions
from schemas.crypto.encryption import FieldCipher
from schemas.reports.remedies import Language, remedy_for
from schemas.safe_text import safe_json
from schemas.settings import Requirement
from schemas.timestamps import timestamp

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from bootstrap.services import Services
    from schemas.messages.dead_letter import DeadLetter
    from schemas.messages.dead_letter_filter import DeadLetterFilter
    from store.receipts.replays import ReceiptState

#: Letters that are shown without being asked for more.
_SHOWN: Final = 20
_LISTED: Final = 100
_MOST: Final = 1_000_000

_STDOUT: Final = "-"


@click.group("dead-letters")
def dead_letters() -> None:
    """Look at the messages that failed for good, try them again, or throw them away.

    A letter that RabbitMQ made by itself leaves a receipt that awaits it. A producer gives such a receipt
    its outcome within minutes, and whoever lists, shows, replays or discards letters does so at once.
    """


dead_letters.add_command(replay)
dead_letters.add_command(discard)


@dead_letters.command("list")
@dead_letter_options
@click.option("--ungrouped", is_flag=True, help="List single letters and not their groups.")
@click.option("--limit", type=click.IntRange(1, _MOST), help="Letters to look at; 100 with --ungrouped.")
@json_option
def list_dead_letters(*, ungrouped: bool, limit: int | None, wants_json: bool, **options: Any) -> None:
    """Count letters by queue, tenant and reason, and say whose turn it is and what to do."""
    services, now = _services(), _now()
    wanted = filter_from(options, now=now)
    if ungrouped:
        _list_single(services, wanted, limit or _LISTED, wants_json=wants_json)
        return
    groups = Groups()
    for dead_letter, _ in _matching(services, wanted, limit, read=read_at_once):
        groups.add(dead_letter)
    if wants_json:
        print_json({"dead_letters": groups.dead_letters, "groups": groups.as_json()})
    elif not groups.dead_letters:
        echo("There are no such dead letters.")
    else:
        groups.print(now)
        for reason in groups.reasons():
            texts = remedy_for(reason).texts
            echo("", f"{reason}")
            for language in Language:
                echo(f"  {language}  {texts[language].what_happened} {texts[language].fix}")


@dead_letters.command()
@dead_letter_options
@click.option("--limit", default=_SHOWN, show_default=True, type=click.IntRange(1, _MOST))
@click.option("--all-bytes", is_flag=True, help="Of what is no message of ours, show every byte.")
@json_option
def show(*, limit: int, all_bytes: bool, wants_json: bool, **options: Any) -> None:
    """Show letters in full, but for values.

    What is no message of ours is shown as text and in hex, whatever it holds. With
    UPDATE_SYNC_SECRET_KEYS set, the names of a payload's properties are shown as well.
    """
    services, now = _services(), _now()
    keys = services.settings.secret_keys
    report = DeadLetterReport(cipher=FieldCipher(keys) if keys else None, now=now, all_bytes=all_bytes)
    shown = []
    for number, (dead_letter, receipt) in enumerate(
        _matching(services, filter_from(options, now=now), limit)
    ):
        if wants_json:
            shown.append(report.as_json(dead_letter, receipt))
            continue
        if number:
            echo()
        report.print(dead_letter, receipt)
    if wants_json:
        print_json(shown)


@dead_letters.command()
@dead_letter_options
@click.option("--to", "target", required=True, type=click.Path(allow_dash=True, dir_okay=False))
@click.option("--limit", type=click.IntRange(1, _MOST), help="Letters to write at most.")
def export(*, target: str, limit: int | None, **options: Any) -> None:
    """Write letters to a file (- is standard output): a line of JSON for each, with its body in base64.

    The letters stay where they are. A file that is made is for its user alone to read (0600). Payloads stay
    sealed, but other bytes may hold anything.
    """
    services, count = _services(), 0
    if target != _STDOUT and (fix := fix_of_rights(Path(target))) is not None:
        echo(f"Others of this machine can read the file: {fix}", err=True)
    with click.open_file(target, "w", encoding="utf-8") as file:
        for dead_letter, _ in _matching(services, filter_from(options, now=_now()), limit):
            line = {
                **dead_letter.as_json(),
                "headers": dead_letter.headers,
                "body": base64.b64encode(dead_letter.body).decode("ascii"),
            }
            file.write(safe_json(line) + "\n")
            count += 1
    echo(f"{count} dead letters are written.", err=True)


def _list_single(services: Services, wanted: DeadLetterFilter, limit: int, *, wants_json: bool) -> None:
    found = list(_matching(services, wanted, limit))
    if wants_json:
        print_json(
            [
                {**dead_letter.as_json(), "receipt": receipt and receipt.as_json()}
                for dead_letter, receipt in found
            ]
        )
        return
    rows = [
        (
            dead_letter.id,
            dead_letter.queue,
            dead_letter.tenant,
            dead_letter.run,
            dead_letter.user,
            dead_letter.failure.reason,
            dead_letter.dead_since and timestamp(dead_letter.dead_since),
            dead_letter.failure.detail,
        )
        for dead_letter, _ in found
    ]
    print_table(("id", "queue", "tenant", "run", "user", "reason", "dead since", "detail"), rows)


def _matching(
    services: Services,
    wanted: DeadLetterFilter,
    limit: int | None,
    *,
    read: Callable[..., Iterator[list[DeadLetter]]] = read_in_portions,
) -> Iterator[tuple[DeadLetter, ReceiptState | None]]:
    """Yield the letters that are meant, each with how its receipt stands."""
    left = limit
    for portion in read(services.broker, wanted.queues_to_browse):
        dead_letters = [dead_letter for dead_letter in portion if wanted.matches(dead_letter)][:left]
        states = reconcile_receipts(dead_letters, store=services.store).states
        for dead_letter in dead_letters:
            yield dead_letter, states.get(dead_letter.receipt_key) if dead_letter.receipt_key else None
        if left is not None:
            left -= len(dead_letters)
            if not left:
                return


def _services() -> Services:
    return current_services(Requirement.DATABASE, Requirement.BROKER)


def _now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)
