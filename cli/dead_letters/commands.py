"""`update-sync dead-letters`: lists, shows and exports failed messages."""

from __future__ import annotations

import base64
import datetime as dt
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from administration.dead_letters.browse import browse
from administration.dead_letters.details import details_of
from administration.dead_letters.discarded import missing_dead_letters, users_without_dead_letter
from administration.dead_letters.failed_users import failed_users
from administration.dead_letters.groups import DeadLetterGroups
from administration.dead_letters.known_ids import check_known_ids
from administration.remedies import FailureOwners
from bootstrap.private_files import permission_fix
from cli.context import current_services
from cli.dead_letters.options import dead_letter_options, filter_from, none_found
from cli.dead_letters.report import (
    print_dead_letters,
    print_details,
    print_failed_users,
    print_groups,
    print_missing,
    print_unanswered,
)
from cli.lazy_group import LazyCommand, LazyGroup
from cli.numbers import WholeNumber
from cli.output import echo, json_option, print_json
from schemas.safe_text import safe_json
from schemas.settings import Requirement

if TYPE_CHECKING:
    from bootstrap.services import Services
    from schemas.messages.dead_letter_filter import DeadLetterFilter

#: Dead letters that are shown by default.
_SHOWN: Final = 20
_LISTED: Final = 100
_MOST: Final = 1_000_000

_STDOUT: Final = "-"

_LAZY: Final = {
    "discard": LazyCommand(
        "cli.dead_letters.discard:discard", "Discard failed messages, after showing them by kind and asking."
    ),
    "replay": LazyCommand(
        "cli.dead_letters.replay:replay", "Try failed messages again, within the run in which they failed."
    ),
    "set-aside": LazyCommand(
        "cli.dead_letters.set_aside:set_aside_group",
        "Leave users that fail for one reason out of 'status' until a day.",
    ),
}


@click.group("dead-letters", cls=LazyGroup, lazy=_LAZY)
def dead_letters() -> None:
    """Show, replay or discard messages that failed for good.

    Such a message is a dead letter. It is kept until it is replayed or discarded, or a newer run settles its
    user. RabbitMQ itself makes a dead letter of a message that crashes workers again and again. Its user
    counts as failed minutes later, or as soon as one of these commands reads the message.
    """


@dead_letters.command("list")
@dead_letter_options
@click.option("--users", "by_user", is_flag=True, help="List the users that failed, each once.")
@click.option("--ungrouped", is_flag=True, help="List each dead letter instead of the groups.")
@click.option(
    "--limit",
    type=WholeNumber(1, _MOST),
    metavar="N",
    show_default="all, and 100 with --ungrouped",
    help="Dead letters to count or list; with --users, users to list.",
)
@json_option
def list_dead_letters(
    *, by_user: bool, ungrouped: bool, limit: int | None, wants_json: bool, **options: Any
) -> None:
    """Count failed messages by queue, tenant and reason, and show who must act, and how.

    With --users it lists the users that failed, also those whose dead letter was discarded: why, since when,
    and who must act. With several options such as --tenant and --reason, it takes what fits all of them.
    Failures that a halted run found are left out until the run is resumed or cancelled; the command names the
    run.
    """
    if by_user and ungrouped:
        raise click.UsageError("Give either --users or --ungrouped.")
    services, now = current_services(Requirement.DATABASE, Requirement.BROKER), dt.datetime.now(dt.UTC)
    wanted = filter_from(options, now=now)
    if by_user:
        _list_users(wanted, services, limit, wants_json=wants_json)
        return
    if ungrouped:
        _list_ungrouped(wanted, services, limit or _LISTED, wants_json=wants_json)
        return
    groups = DeadLetterGroups()
    for dead_letter, _ in browse(
        wanted, store=services.store, broker=services.broker, limit=limit, lock=True
    ):
        groups.add(dead_letter)
    if not groups.dead_letters:
        check_known_ids(wanted, store=services.store)
    unanswered = services.store.tenant_overviews.unanswered(wanted.tenants)
    owners = FailureOwners(services.store, groups.tenants())
    missing = [] if limit else missing_dead_letters(wanted, groups, store=services.store)
    if wants_json:
        print_json(
            {
                "dead_letters": groups.dead_letters,
                "groups": groups.as_json(owners),
                "without_dead_letter": [each.as_json() for each in missing],
                "unanswered_runs": [str(run.id) for run in unanswered],
            }
        )
        return
    if not groups.dead_letters:
        echo(none_found(wanted))
    else:
        print_groups(groups, owners, now)
    print_missing(missing)
    print_unanswered(unanswered)


def _list_ungrouped(wanted: DeadLetterFilter, services: Services, limit: int, *, wants_json: bool) -> None:
    """List each dead letter, the first `limit` of them."""
    found = list(browse(wanted, store=services.store, broker=services.broker, limit=limit))
    if not found:
        check_known_ids(wanted, store=services.store)
    if wants_json:
        print_json(
            [{**dead_letter.as_json(), "result": state and state.as_json()} for dead_letter, state in found]
        )
    elif not found:
        echo(none_found(wanted))
    else:
        print_dead_letters([dead_letter for dead_letter, _ in found])


def _list_users(wanted: DeadLetterFilter, services: Services, limit: int | None, *, wants_json: bool) -> None:
    """List the users that failed, the first `limit` of them."""
    dead_letters = browse(wanted, store=services.store, broker=services.broker, limit=None, lock=True)
    owners = FailureOwners(services.store, wanted.tenants)
    failed = failed_users((dead_letter for dead_letter, _ in dead_letters), owners)
    failed += users_without_dead_letter(wanted, failed, owners, store=services.store)
    if not failed:
        check_known_ids(wanted, store=services.store)
    unanswered = services.store.tenant_overviews.unanswered(wanted.tenants)
    if wants_json:
        print_json(
            {
                "count": len(failed),
                "users": [each.as_json() for each in failed[:limit]],
                "unanswered_runs": [str(run.id) for run in unanswered],
            }
        )
        return
    if not failed:
        echo("No user has failed." if wanted.chooses_all else "No user that failed fits these options.")
    else:
        print_failed_users(failed[:limit], count=len(failed))
    print_unanswered(unanswered)


@dead_letters.command()
@dead_letter_options
@click.option(
    "--limit",
    default=_SHOWN,
    show_default=True,
    type=WholeNumber(1, _MOST),
    metavar="N",
    help="Dead letters to show, the oldest first.",
)
@click.option(
    "--all-bytes",
    is_flag=True,
    help="Show every byte of a message that is not the sync's, and not only the first 256.",
)
@json_option
def show(*, limit: int, all_bytes: bool, wants_json: bool, **options: Any) -> None:
    """Show failed messages, with personal values hidden.

    A message that is not the sync's is shown as text and in hex, whatever it contains. With
    UPDATE_SYNC_SECRET_KEYS set, the names of a user's properties are shown too. With several options such
    as --tenant and --reason, it takes what fits all of them.
    """
    services, now = current_services(Requirement.DATABASE, Requirement.BROKER), dt.datetime.now(dt.UTC)
    cipher = services.cipher if services.settings.secret_keys else None
    wanted = filter_from(options, now=now)
    owners, shown = FailureOwners(services.store, wanted.tenants), list[dict[str, Any]]()
    for dead_letter, receipt in browse(wanted, store=services.store, broker=services.broker, limit=limit):
        details = details_of(dead_letter, receipt, owners, cipher=cipher, all_bytes=all_bytes)
        if not wants_json:
            if shown:
                echo()
            print_details(details, now)
        shown.append(details.as_json())
    if not shown:
        check_known_ids(wanted, store=services.store)
    if wants_json:
        print_json(shown)
    elif not shown:
        echo(none_found(wanted))


@dead_letters.command()
@dead_letter_options
@click.option(
    "--to",
    "target",
    required=True,
    type=click.Path(allow_dash=True, dir_okay=False),
    metavar="FILE",
    help="The file to write; - is standard output.",
)
@click.option(
    "--limit",
    type=WholeNumber(1, _MOST),
    metavar="N",
    show_default="all",
    help="Dead letters to write, the oldest first.",
)
@click.option("--force", is_flag=True, help="Write over FILE if there is one.")
def export(*, target: str, limit: int | None, force: bool, **options: Any) -> None:
    """Write failed messages to a file, one line of JSON each, with the message in base64.

    The messages stay in their queue. A new file can be read by its owner alone (mode 0600). Users' data stays
    encrypted, but a message that is not the sync's may contain anything. With several options such as
    --tenant and --reason, it takes what fits all of them.
    """
    services, count = current_services(Requirement.DATABASE, Requirement.BROKER), 0
    if target != _STDOUT and Path(target).is_file() and not force:
        raise click.UsageError(
            f"There is a file {target} already: choose another one, or write over it with --force."
        )
    if target != _STDOUT and (fix := permission_fix(Path(target))) is not None:
        echo(f"Other users of this machine can read the file: {fix}", err=True)
    wanted = filter_from(options, now=dt.datetime.now(dt.UTC))
    with click.open_file(target, "w", encoding="utf-8") as file:
        for dead_letter, _ in browse(wanted, store=services.store, broker=services.broker, limit=limit):
            line = {
                **dead_letter.as_json(),
                "headers": dead_letter.headers,
                "body": base64.b64encode(dead_letter.body).decode("ascii"),
            }
            file.write(safe_json(line) + "\n")
            count += 1
    if not count:
        check_known_ids(wanted, store=services.store)
    echo(f"Exported {'1 dead letter' if count == 1 else f'{count} dead letters'}.", err=True)
