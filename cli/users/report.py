"""One person as people read about it: how it stands, why, and what the runs did."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from cli.dead_letters.groups import explanation
from cli.durations import format_age
from cli.output import echo, print_fields, print_table
from schemas.reports.remedies import Language, remedy_for
from schemas.reports.user_status import SyncState
from schemas.timestamps import timestamp

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Sequence

    from schemas.reports.user_status import HistoryEntry, UserStatus

_ANSWERS: Final = {
    SyncState.IN_SYNC: "yes",
    SyncState.DEAD_LETTERED: "no: it could not be updated",
    SyncState.NOT_IN_SKOLON: "no Skolon user is known to be this person; the sync creates none",
    SyncState.EXCLUDED: "left alone: out of the tenant's scope, or no longer in Entra",
    SyncState.REVERTED: "put back by an undo: Skolon holds what it held before",
    SyncState.UNKNOWN: "not known: no run has come to an end with this person",
}


def user_json(user: str, standing: UserStatus, history: Sequence[HistoryEntry]) -> dict[str, Any]:
    """Return all that is known of a person: ids and words, no values."""
    told, confirmed, waits = standing.latest, standing.last_verification, standing.pending
    reason = told and told.reason
    return {
        "user": user,
        "skolon_user": _skolon_user(history),
        "state": str(standing.state),
        "in_sync": standing.in_sync,
        "since": standing.since and timestamp(standing.since),
        "verified": confirmed and confirmed.as_json(),
        "pending_run": waits and str(waits.run),
        "reason": reason and str(reason),
        "detail": told and told.detail,
        **(explanation(reason) if reason else {"owner": None, "explanation": None}),
        "history": [entry.as_json() for entry in history],
    }


def print_user(user: str, standing: UserStatus, history: Sequence[HistoryEntry], *, now: dt.datetime) -> None:
    """Print a person for people."""
    told, confirmed = standing.latest, standing.last_verification
    fields: dict[str, object] = {
        "user": user,
        "skolon user": _skolon_user(history),
        "in sync": _ANSWERS[standing.state],
        "since": _when(standing.since, now),
        "verified": "never"
        if confirmed is None
        else f"{_when(confirmed.at, now)} by run {confirmed.run}, {confirmed.outcome}",
        "pending": _waits(standing.pending),
    }
    if told is not None and told.reason is not None:
        explained = remedy_for(told.reason)
        fields |= {"reason": told.reason, "owner": explained.owner}
        for language in Language:
            fields[f"what ({language})"] = explained.texts[language].what_happened
            fields[f"fix ({language})"] = explained.texts[language].fix
    if told is not None:
        fields["detail"] = told.detail
    print_fields({name: value for name, value in fields.items() if value is not None})
    echo()
    rows = [
        (
            entry.run,
            f"{entry.mode}{' (dry)' if entry.dry_run else ''}",
            entry.at and timestamp(entry.at),
            f"{entry.outcome}{f': {entry.reason}' if entry.reason else ''}",
            ", ".join(entry.changed),
        )
        for entry in history
    ]
    print_table(("run", "mode", "at", "outcome", "changed"), rows)


def _skolon_user(history: Sequence[HistoryEntry]) -> str | None:
    return next((entry.skolon_id for entry in history if entry.skolon_id is not None), None)


def _when(moment: dt.datetime | None, now: dt.datetime) -> str | None:
    return None if moment is None else f"{timestamp(moment)} ({format_age(moment, now)} ago)"


def _waits(entry: HistoryEntry | None) -> str | None:
    if entry is None:
        return None
    return f"for run {entry.run}, which is {entry.status}{f' ({entry.cause})' if entry.cause else ''}"
