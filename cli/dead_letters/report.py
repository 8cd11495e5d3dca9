"""Prints dead letters: in groups, as a table, and one in full."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cli.dead_letters.hexdump import hexdump
from cli.durations import format_age
from cli.matches.failed_undos import undo_again
from cli.output import echo, localized, print_fields, print_table
from schemas.dead_letter_reasons import Reason
from schemas.details.detail import texts_of
from schemas.reports.remedies import remedy_for
from schemas.reports.remedy import Language
from schemas.timestamps import timestamp

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Collection, Sequence

    from administration.dead_letters.details import Body, DeadLetterDetails
    from administration.dead_letters.discarded import Missing
    from administration.dead_letters.failed_users import FailedUser
    from administration.dead_letters.groups import DeadLetterGroups
    from administration.remedies import FailureOwners
    from schemas.messages.dead_letter import DeadLetter
    from schemas.reports.remedy import Owner, Remedy
    from schemas.runs.run import Run
    from store.receipts.replays import ReceiptState


def print_groups(groups: DeadLetterGroups, owners: FailureOwners, now: dt.datetime) -> None:
    """Print groups of dead letters, and below them what to do about each reason."""
    by_reason: dict[Reason, set[Owner]] = {}
    rows = []
    for (queue, tenant, reason), group in groups.items():
        owner = owners.of_group(tenant, reason, is_held_in_entra=group.is_held_in_entra)
        by_reason.setdefault(reason, set()).add(owner)
        rows.append(
            (
                queue,
                tenant,
                reason,
                group.dead_letters,
                format_age(group.oldest, now),
                group.oldest and timestamp(group.oldest),
                group.newest and timestamp(group.newest),
                owner,
            )
        )
    print_table(
        ("queue", "tenant", "reason", "dead letters", "oldest", "first since", "last since", "owner"), rows
    )
    for reason in sorted(by_reason):
        _print_remedies(reason, by_reason[reason])


def print_failed_users(users: Sequence[FailedUser], *, count: int) -> None:
    """Print users that failed, of `count` in all, and below them what to do about each reason."""
    kept = [each for each in users if each.has_dead_letter]
    gone = [each for each in users if not each.has_dead_letter]
    if kept:
        _print_users(kept)
    if gone:
        echo(
            *([""] if kept else []),
            f"{'Failed too' if kept else 'Failed'}, but the dead letter was discarded or lost: there is "
            "nothing to replay. The next run that reads these users tries again; 'update-sync trigger TENANT "
            "--user USER' does it now.",
        )
        _print_users(gone)
    if count > len(users):
        echo(f"… and {count - len(users)} more; --limit shows them.")
    for reason in sorted({each.reason for each in users}):
        _print_remedies(reason, {each.owner for each in users if each.reason is reason})


def _print_users(users: Sequence[FailedUser]) -> None:
    rows = [
        (
            each.tenant,
            each.user,
            each.reason,
            each.owner,
            each.since and timestamp(each.since),
            *texts_of(each.detail).values(),
        )
        for each in users
    ]
    details = (f"detail ({language})" for language in Language)
    print_table(("tenant", "user", "reason", "owner", "since", *details), rows)


def print_missing(missing: Sequence[Missing]) -> None:
    """Print which users fail without a dead letter, and the command that lists them."""
    for each in missing:
        fail = "1 user fails" if each.users == 1 else f"{each.users} users fail"
        echo(
            "",
            f"{each.tenant}: {fail} for {each.reason} without a dead letter: it was discarded or lost, or is "
            f"being replayed. To list who: update-sync dead-letters list --users --tenant {each.tenant} "
            f"--reason {each.reason}",
        )


def print_unanswered(runs: Sequence[Run]) -> None:
    """Print which halted runs wait for an answer: what they only judged is not listed."""
    for run in runs:
        echo(
            "",
            f"Run {run.id} of {run.tenant} is halted and waits for an answer. Failures that it found are not "
            f"listed for users that earlier runs tell of: update-sync runs show {run.id}",
        )


def _print_remedies(reason: Reason, owners: Collection[Owner]) -> None:
    """Print what to do about a reason: once for all owners whose advice is the same."""
    by_advice: dict[int, tuple[Remedy, list[Owner]]] = {}
    for owner in sorted(owners):
        explained = remedy_for(reason, owner=owner)
        by_advice.setdefault(id(explained), (explained, []))[1].append(owner)
    for explained, alike in by_advice.values():
        echo("", f"{reason} (who must act: {', '.join(alike)})")
        for language in Language:
            text = explained.texts[language]
            echo(f"  {language}  {text.what_happened} {text.fix}")


def print_dead_letters(dead_letters: Sequence[DeadLetter]) -> None:
    """Print dead letters as a table."""
    rows = [
        (
            dead_letter.id,
            dead_letter.queue,
            dead_letter.tenant,
            dead_letter.run,
            dead_letter.user,
            dead_letter.failure.reason,
            dead_letter.dead_since and timestamp(dead_letter.dead_since),
            *texts_of(dead_letter.failure.detail).values(),
        )
        for dead_letter in dead_letters
    ]
    details = (f"detail ({language})" for language in Language)
    print_table(("id", "queue", "tenant", "run", "user", "reason", "since", *details), rows)


def print_details(details: DeadLetterDetails, now: dt.datetime) -> None:
    """Print a dead letter in full, with personal values hidden."""
    dead_letter = details.dead_letter
    explained = remedy_for(dead_letter.failure.reason, owner=details.owner)
    since = dead_letter.dead_since
    fields: dict[str, object] = {
        "id": dead_letter.id,
        "queue": dead_letter.queue,
        "tenant": dead_letter.tenant,
        "run": dead_letter.run,
        "user": dead_letter.user,
        "reason": f"{dead_letter.failure.reason} at {dead_letter.failure.stage}",
        **localized("detail", dead_letter.failure.detail),
        "attempts": dead_letter.attempts,
        "first failed": dead_letter.first_failed and timestamp(dead_letter.first_failed),
        "since": since and f"{timestamp(since)} ({format_age(since, now)})",
        "made by": "RabbitMQ" if dead_letter.by_broker else f"update-sync {dead_letter.version}",
        "replay": dead_letter.operation,
        "result": _receipt_text(dead_letter, details.receipt),
        "owner": details.owner,
    }
    for language in Language:
        text = explained.texts[language]
        fields[f"what ({language})"] = text.what_happened
        fields[f"fix ({language})"] = text.fix
    if dead_letter.failure.reason is Reason.UNDO_FAILED and dead_letter.user is not None:
        fields |= undo_again(dead_letter.failure.detail, dead_letter.tenant, dead_letter.user)
    if details.payload is not None:
        fields["payload"] = _payload_text(details.payload)
    print_fields({name: value for name, value in fields.items() if value is not None})
    if details.body is not None:
        _print_body(details.body)


def _print_body(body: Body) -> None:
    echo(f"text: {body.text}")
    for line in hexdump(body.shown):
        echo(line)
    if body.more:
        echo(f"… and {body.more} bytes more; --all-bytes shows them.")


def _receipt_text(dead_letter: DeadLetter, receipt: ReceiptState | None) -> str | None:
    if receipt is not None:
        state = f"{receipt.outcome}, being replayed" if receipt.replaying else str(receipt.outcome)
        return f"{state}; its run is {receipt.status}"
    return "none: it was pruned, or its tenant was removed" if dead_letter.receipt_key is not None else None


def _payload_text(payload: dict[str, Any]) -> str:
    size = f"encrypted, {payload['encrypted_bytes']} bytes"
    if payload["properties"] is None:
        return size
    names = [f"{name} {value or '(blank)'}" for name, value in payload["properties"].items()]
    return f"{size}: {', '.join(names)}"
