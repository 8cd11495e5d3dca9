"""Prints a run with its totals."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any, Final

import click

from administration.runs.idle import describe_idle
from administration.runs.wait_descriptions import describe_waiting
from cli.output import localized, localized_texts, print_fields, print_json
from cli.runs.details import print_details
from schemas.details.detail import texts_from
from schemas.details.template import Template
from schemas.outcomes import FINAL_OUTCOMES, Cause, Mode, Outcome, RunKind, Status
from schemas.reports.remedies import remedy_for
from schemas.reports.remedy import Language
from schemas.timestamps import timestamp

if TYPE_CHECKING:
    from collections.abc import Sequence

    from administration.runs.details import RunDetails
    from administration.runs.idle import Idle
    from schemas.runs.run import Run, RunSummary

_NOT_IN_ENTRA: Final = Template(
    "det finns ingen användare i Entra med id {users}; kontrollera att det är rätt",
    "Entra has no user with the id {users}; check that it is right",
)


def run_json(summary: RunSummary, details: RunDetails | None, idle: Sequence[Idle]) -> dict[str, Any]:
    """Return a run's JSON object."""
    return {
        **summary.as_json(),
        **({} if details is None else details.as_json()),
        "idle": [each.as_json() for each in idle],
    }


def show_run(
    summary: RunSummary,
    *,
    wants_json: bool,
    details: RunDetails | None = None,
    idle: Sequence[Idle] = (),
    joined: bool | None = None,
) -> None:
    """Print a run with its totals, and its details and what keeps it from going on, if given.

    `joined` says in JSON whether the command's request has joined the run of an earlier one.
    """
    if wants_json:
        more = {} if joined is None else {"joined": joined}
        print_json({**run_json(summary, details, idle), **more})
        return
    run = summary.run
    fields: dict[str, object] = {
        "run": run.id,
        "tenant": run.tenant,
        "kind": describe_kind(run),
        "status": run.status,
        "started": timestamp(run.started),
        "finished": run.finished and timestamp(run.finished),
        "published": summary.published,
        "pending": _pending_text(summary),
    }
    fields |= _undone_fields(details)
    fields |= _note_fields(summary, details)
    if run.cause is not None:
        fields |= _halt_fields(summary, run.cause)
    elif run.detail is not None:
        fields |= localized("note", run.detail)
    for number, each in enumerate(idle, 1):
        fields |= localized_texts("waiting" if number == 1 else f"waiting {number}", describe_idle(each))
    fields |= _waiting_fields(summary, dt.datetime.now(dt.UTC))
    for warning in summary.warnings:
        texts = remedy_for(warning.kind).texts
        fields |= localized(f"warning {warning.kind}", warning.detail)
        fields |= {f"  fix ({language})": texts[language].fix for language in Language}
    fields |= _outcome_fields(summary, details)
    if details is not None and details.not_in_entra:
        fields |= localized_texts("not in Entra", texts_from(_NOT_IN_ENTRA, users=details.not_in_entra))
    if run.reverts_run_id is not None:
        fields |= _undo_fields(summary)
    print_fields(fields)
    if details is not None:
        print_details(details, cancelled=run.status is Status.CANCELLED)


def _pending_text(summary: RunSummary) -> str:
    is_over = summary.run.status is Status.CANCELLED and summary.pending
    return f"{summary.pending}, left as they are" if is_over else str(summary.pending)


def _halt_fields(summary: RunSummary, cause: Cause) -> dict[str, object]:
    """Return why a run is halted, and the commands that answer it, also those for wrong changes."""
    run = summary.run
    if run.status is not Status.HALTED:
        # Cancelled since: there is nothing to resume.
        return _cause_fields("was halted", cause, run.detail)
    texts = remedy_for(cause, of_undo=run.mode is Mode.UNDO).texts
    fields = _cause_fields("cause", cause, run.detail)
    fields |= {f"fix ({language})": texts[language].fix for language in Language}
    if not (cause is Cause.GUARD_EXCEEDED or (cause is Cause.SUSPICIOUS_LIST and summary.published)):
        return {**fields, "resume": f"update-sync runs resume {run.id}"}
    fields["if it is right"] = (
        f"update-sync runs resume {run.id} --override-guard    goes on unchecked; outcomes so far stay"
    )
    cancel = f"update-sync runs cancel {run.id}    ends it, and leaves what it changed"
    undo = f"update-sync runs undo {run.id}    ends it, and restores what it changed"
    if run.mode is Mode.UNDO:
        return {**fields, "if it is wrong": cancel, "  or": undo}
    return {
        **fields,
        "if it is wrong": "in this order:",
        "  1.": f"update-sync tenants set {run.tenant} …    corrects what is wrong, if it is a setting",
        "  2.": cancel,
        "  or": undo,
        "  3.": f"update-sync trigger {run.tenant}    starts a new run",
    }


def _cause_fields(name: str, cause: Cause, detail: str | None) -> dict[str, object]:
    return {label: f"{cause}: {text}" for label, text in localized(name, detail).items()} or {name: cause}


def _undo_fields(summary: RunSummary) -> dict[str, object]:
    """Return what an undo has not written: of which users of those above, and why; and how to do it."""
    run = summary.run
    fields: dict[str, object] = {
        "  skipped": f"{summary.skipped} with an attribute that has changed since",
        "  as before": f"{summary.as_before} with their former values already",
    }
    if run.status is Status.COMPLETED and not run.dry_run and summary.counts.get(Outcome.DEAD_LETTERED):
        fields["not restored"] = (
            f"update-sync dead-letters list --users --run {run.id}    who, why, what to do"
        )
        fields["undo again"] = f"update-sync runs undo {run.reverts_run_id}    once that is settled"
    return fields


def _undone_fields(details: RunDetails | None) -> dict[str, object]:
    """Return which undos have restored what the run wrote: for their users the totals no longer hold."""
    fields: dict[str, object] = {}
    for undo in details.undos if details is not None else ():
        users = "1 user" if undo.users == 1 else f"{undo.users} users"
        when = f", {timestamp(undo.finished)}" if undo.finished is not None else ""
        fields["undone" if not fields else f"  and by run {undo.run}"] = (
            f"for {users} by run {undo.run} ({undo.status}{when})"
        )
    return fields


def _note_fields(summary: RunSummary, details: RunDetails | None) -> dict[str, object]:
    """Return what is to be known of the users of the run, beside their outcomes."""
    fields: dict[str, object] = {}
    if summary.read_again:
        fields["read again"] = f"{summary.read_again} of them, unresolved before: Graph told of no change"
    if details is not None and (fall := details.scope_change and details.scope_change.text):
        fields["scope"] = fall
    if summary.pruned:
        fields["pruned"] = f"{summary.pruned} results of users are removed, and still counted below"
    return fields


def _outcome_fields(summary: RunSummary, details: RunDetails | None) -> dict[str, object]:
    """Return how many users have which outcome and reason."""
    fields: dict[str, object] = {
        # In one order; the dead letters are the last, so that their reasons stand under them.
        f"  {outcome}": summary.counts[outcome]
        for outcome in FINAL_OUTCOMES
        if outcome in summary.counts
    }
    if summary.skipped_verified:
        unchanged = summary.counts.get(Outcome.UNCHANGED, 0)
        fields[f"  {Outcome.UNCHANGED}"] = (
            f"{unchanged}, of which {summary.skipped_verified} verified recently, not checked again"
        )
    if details is not None and details.settled_later:
        dead = summary.counts.get(Outcome.DEAD_LETTERED, 0)
        fields[f"  {Outcome.DEAD_LETTERED}"] = (
            f"{dead}, of which newer runs have settled {details.settled_later}"
        )
    fields |= {f"    {reason}": count for reason, count in sorted(summary.reasons.items())}
    return fields | _failure_fields(summary, 0 if details is None else details.settled_later)


def _failure_fields(summary: RunSummary, settled: int) -> dict[str, object]:
    """Return the command that names the users that failed; an undo has one of its own."""
    run = summary.run
    if summary.counts.get(Outcome.DEAD_LETTERED, 0) <= settled or run.mode is Mode.UNDO:
        return {}
    if run.dry_run:
        return {"who failed": f"update-sync runs show {run.id} --users --outcome dead_lettered"}
    return {"who failed": f"update-sync dead-letters list --users --tenant {run.tenant}    why, what to do"}


def _waiting_fields(summary: RunSummary, now: dt.datetime) -> dict[str, object]:
    """Return what the run waits for, and when a user last got an outcome, which tells how the others fare."""
    fields: dict[str, object] = {}
    for waiting in summary.waiting:
        fields |= localized_texts(f"waits for {waiting.service or 'others'}", describe_waiting(waiting, now))
    if summary.last_finished is not None:
        fields["last outcome"] = timestamp(summary.last_finished)
    return fields


def describe_kind(run: Run) -> str:
    """Return what a run is: its kind, how many users it names, and for an undo the run that it undoes."""
    if run.reverts_run_id is not None:
        what = f"undo of {run.reverts_run_id}"
        return f"{RunKind.PREVIEW} of {what}" if run.kind is RunKind.PREVIEW else what
    if run.kind is RunKind.USERS:
        return "1 user" if len(run.users) == 1 else f"{len(run.users)} users"
    return str(run.kind)


def exit_with(summary: RunSummary, details: RunDetails) -> None:
    """Exit: with 0 when the run is complete without a dead letter and Entra has all named users, else 1."""
    raise click.exceptions.Exit(0 if summary.succeeded and not details.not_in_entra else 1)
