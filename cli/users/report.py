"""Prints whether a user is in sync, why not, and what the runs did."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cli.durations import format_age
from cli.matches.failed_undos import undo_again
from cli.output import echo, localized, print_fields, print_table
from schemas.dead_letter_reasons import Reason
from schemas.outcomes import NotFoundReason
from schemas.reports.pending_match import MATCH_REASONS
from schemas.reports.remedies import remedy_for
from schemas.reports.remedy import Language
from schemas.reports.user_status import SyncState
from schemas.tenants.match_decision import DecisionKind
from schemas.timestamps import timestamp
from schemas.users.attributes import ATTRIBUTE_TABLE

if TYPE_CHECKING:
    import datetime as dt

    from administration.users.status import UserReport
    from schemas.reports.remedy import Owner
    from schemas.reports.user_status import HistoryEntry, UserStatus
    from schemas.tenants.match_decision import MatchDecision

_ANSWERS: Final = {
    SyncState.IN_SYNC: "yes, in what the sync compares",
    SyncState.DEAD_LETTERED: "no: it could not be updated",
    SyncState.NOT_IN_SKOLON: "no Skolon user was found for this user; the sync creates none",
    SyncState.EXCLUDED: "excluded: out of the tenant's scope, or no longer in Entra",
    SyncState.REVERTED: "no: what a run wrote was undone, and no run has looked at the user since",
    SyncState.UNKNOWN: "unknown: no run has finished this user yet",
}


NOT_FOUND_TEXTS: Final = {
    NotFoundReason.NO_MATCH_KEY: "no match key has a value in Entra, so Skolon was not asked",
    NotFoundReason.NO_LONGER_IN_SKOLON: "Skolon no longer has the user",
    NotFoundReason.EXCLUDED_BY_DECISION: "left alone: a decision excludes the Skolon users that match",
}


def print_user(
    report: UserReport,
    tenant: str,
    *,
    now: dt.datetime,
    explained: tuple[Reason, str | None, Owner | None] | None = None,
    is_right_now: bool = False,
) -> None:
    """Print whether a user is in sync, and what the runs did.

    `is_right_now` says that Skolon was asked just now and is right, whatever the runs have recorded.
    `explained` is a reason with its detail and owner that was told of already, with what to do: it is not
    repeated.
    """
    standing = report.standing
    told, confirmed = standing.latest, standing.last_verification
    fields: dict[str, object] = {
        "user": report.user,
        "skolon user": report.skolon_id,
        "in sync": _answer(standing, is_right_now=is_right_now),
        "not synced": ", ".join(ATTRIBUTE_TABLE[each].title for each in report.not_synced) or None,
        "since": _when(standing.since, now),
        "verified": "never"
        if confirmed is None
        else f"{_when(confirmed.at, now)} by run {confirmed.run}, {confirmed.result_text}",
        "pending": _waits(standing.pending),
    }
    said, said_detail, said_owner = explained or (None, None, None)
    if told is not None and told.reason is not None and told.reason is said:
        fields["reason"] = f"{told.reason}, as above"
        if report.owner is not said_owner:
            fields["owner"] = report.owner
    elif told is not None and told.reason is not None:
        remedy = remedy_for(told.reason, owner=report.owner)
        fields |= {"reason": told.reason, "owner": report.owner}
        for language in Language:
            fields[f"what ({language})"] = remedy.texts[language].what_happened
            fields[f"fix ({language})"] = remedy.texts[language].fix
        if told.reason is Reason.UNDO_FAILED:
            fields |= undo_again(told.detail, tenant, report.user)
        elif told.reason in MATCH_REASONS:
            fields["compare"] = f"update-sync matches show {tenant} {report.user}"
    if told is not None and (told.reason is None or (told.reason, told.detail) != (said, said_detail)):
        fields |= localized("detail", told.detail)
    print_fields({name: value for name, value in fields.items() if value is not None})
    echo()
    rows = [
        (
            entry.run,
            entry.kind,
            entry.at and timestamp(entry.at),
            entry.result_text,
            ", ".join(entry.changed),
        )
        for entry in report.history
    ]
    print_table(("run", "kind", "at", "outcome", "changed"), rows)


def _answer(standing: UserStatus, *, is_right_now: bool) -> str:
    """Return whether the runs have found a user in sync; if it is right by now, both."""
    told = standing.latest
    recorded = (told and told.not_found_reason and NOT_FOUND_TEXTS.get(told.not_found_reason)) or _ANSWERS[
        standing.state
    ]
    if is_right_now and standing.state is not SyncState.IN_SYNC:
        return f"now yes, as above; before that {recorded}. The next run that reads this user records it"
    return recorded


def decision_text(decision: MatchDecision, tenant: str) -> str:
    """Return what was decided, by which user of the machine, since when, and how to take it back."""
    entra, skolon = f"Entra user {decision.entra_id}", f"Skolon user {decision.skolon_id}"
    if decision.kind is DecisionKind.LINK:
        what = f"{entra} is linked to {skolon}"
    else:
        what = f"{skolon if decision.entra_id is None else entra} is ignored"
    option = f"--user {decision.entra_id}" if decision.entra_id else f"--skolon-user {decision.skolon_id}"
    return (
        f"{what} since {timestamp(decision.decided_at)}, by {decision.operator or 'an unknown operator'}. "
        f"To take it back: update-sync matches forget {tenant} {option}"
    )


def _when(moment: dt.datetime | None, now: dt.datetime) -> str | None:
    return None if moment is None else f"{timestamp(moment)} ({format_age(moment, now)} ago)"


def _waits(entry: HistoryEntry | None) -> str | None:
    if entry is None:
        return None
    return f"for run {entry.run}, which is {entry.status}{f' ({entry.cause})' if entry.cause else ''}"
