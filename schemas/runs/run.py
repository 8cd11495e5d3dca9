"""A run with its totals and warnings, as `runs show --json` prints them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from schemas.details.detail import Detail, structured_json
from schemas.details.kinds import DetailKind
from schemas.outcomes import FINAL_OUTCOMES, Cause, Mode, Outcome, RunKind, Status
from schemas.timestamps import timestamp

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping

    from schemas.dead_letter_reasons import Reason
    from schemas.runs.waits import Waiting


class WarningKind(StrEnum):
    """The kinds of warnings that a run can have."""

    #: Graph's count of the directory's users differs from the number that was read.
    COUNT_DIFFERS = "count_differs"
    #: Graph gives no birthdays, so birth dates stay unchanged.
    BIRTHDAYS_REFUSED = "birthdays_refused"
    #: The messages of pending users were lost, and published again.
    MESSAGES_LOST = "messages_lost"
    #: The message of the next page was lost, and the list is read from its beginning.
    PAGE_LOST = "page_lost"
    #: Users keep a user name, e-mail, EPPN or Idp identifier whose source in Entra went blank.
    IDENTITY_KEPT = "identity_kept"
    #: Most users have no value of an attribute in Entra, so that Skolon's values of it are not synced.
    NO_VALUES = "no_values"
    #: Skolon does not show values as they were written: it keeps another form, or has not taken them.
    VALUES_ALTERED = "values_altered"


@dataclass(frozen=True, kw_only=True)
class RunWarning:
    """A warning on a run; `detail` is a text for people, without values.

    `users` is the number of affected users, if the warning is about users.
    """

    kind: WarningKind
    detail: str
    users: int | None = None

    def as_json(self) -> dict[str, object]:
        """Return the JSON object."""
        return {
            "kind": str(self.kind),
            "detail": self.detail,
            "structured_detail": structured_json(self.detail),
            "users": self.users,
        }


@dataclass(frozen=True, kw_only=True)
class Run:
    """One run of a tenant; runs with a higher id are newer.

    `uid` never repeats, not even in another database, where the ids begin anew.

    Empty `users` means all users. `scan` counts how often reading the list of users was begun.
    `settings_override` has the settings that the run tries, as they are stored; None for the tenant's own.
    `reverts_run_id` is the run that this one puts back, if it is an undo.
    """

    id: int
    tenant: str
    mode: Mode
    dry_run: bool
    users: tuple[str, ...]
    attempt: int
    status: Status
    cause: Cause | None
    detail: str | None
    started: dt.datetime
    finished: dt.datetime | None
    settings_override: Mapping[str, Any] | None = None
    reverts_run_id: int | None = None
    uid: str = ""
    #: Skolon is asked about every user, even if a recent run verified the user.
    recheck_all: bool = False
    #: It has a few named users, who go before those of other runs.
    is_quick: bool = False

    @property
    def kind(self) -> RunKind:
        """What the run is, in one word; `store/runs/rows.py` says the same in SQL."""
        if self.dry_run or self.settings_override is not None:
            return RunKind.PREVIEW
        if self.mode is Mode.UNDO:
            return RunKind.UNDO
        return RunKind.USERS if self.users else RunKind(self.mode)


@dataclass(frozen=True, kw_only=True)
class RunSummary:
    """A run with what became of its users (promise P3: `published` is the sum of all the counts).

    `pruned` of them are counted, and have no receipt any more. Of `left` people an undo has left something as
    it is, because it changed since.
    """

    run: Run
    counts: Mapping[Outcome, int]
    reasons: Mapping[Reason, int]
    pruned: int = 0
    #: How many of the unchanged users were skipped, because a recent run verified them.
    skipped_verified: int = 0
    #: How many users a delta run read again by id, because the last run could not bring them up to date.
    read_again: int = 0
    warnings: tuple[RunWarning, ...] = ()
    waiting: tuple[Waiting, ...] = ()
    #: When a user of a waiting run last got an outcome: it shows whether the others progress.
    last_finished: dt.datetime | None = None
    skipped: int = 0
    #: Of an undo: how many users have their former values already, so that nothing was written.
    as_before: int = 0

    @property
    def pending(self) -> int:
        """How many users have no outcome yet."""
        return self.counts.get(Outcome.PENDING, 0)

    @property
    def published(self) -> int:
        """How many different users have been published."""
        return sum(self.counts.values())

    @property
    def succeeded(self) -> bool:
        """Whether the run is complete without dead letters."""
        return self.run.status is Status.COMPLETED and not self.counts.get(Outcome.DEAD_LETTERED)

    def log_fields(self) -> dict[str, Any]:
        """Return what the log says of a complete run: its duration and its sums."""
        run = self.run
        reasons = {str(reason): count for reason, count in self.reasons.items()}
        return {
            "tenant": run.tenant,
            "run": run.id,
            "mode": str(run.mode),
            "dry_run": run.dry_run,
            "seconds": run.finished and round((run.finished - run.started).total_seconds(), 1),
            "users": self.published,
            **{str(outcome): count for outcome, count in self.counts.items() if count},
            **({"reasons": reasons} if reasons else {}),
        }

    def as_json(self) -> dict[str, Any]:
        """Return the JSON object."""
        run = self.run
        return {
            "run": str(run.id),
            "uid": run.uid,
            "tenant": run.tenant,
            "kind": str(run.kind),
            "mode": str(run.mode),
            "dry_run": run.dry_run,
            "reverts_run_id": None if run.reverts_run_id is None else str(run.reverts_run_id),
            "recheck_all": run.recheck_all,
            "skipped_verified": self.skipped_verified,
            "read_again": self.read_again,
            "status": str(run.status),
            "cause": run.cause and str(run.cause),
            "detail": run.detail,
            "structured_detail": structured_json(run.detail),
            "published": self.published,
            "pending": self.pending,
            "outcomes": {str(outcome): self.counts.get(outcome, 0) for outcome in FINAL_OUTCOMES},
            "reasons": {str(reason): count for reason, count in sorted(self.reasons.items())},
            "pruned": self.pruned,
            "warnings": [warning.as_json() for warning in self.warnings],
            "waiting": [waiting.as_json() for waiting in self.waiting],
            "last_finished": self.last_finished and timestamp(self.last_finished),
            "skipped": self.skipped,
            "as_before": self.as_before,
            "started": timestamp(run.started),
            "finished": run.finished and timestamp(run.finished),
        }


def guard_question(run: Run) -> Detail:
    """Return that a run which the guard has halted waits for an answer, and which there are."""
    return Detail(DetailKind.GUARD_UNANSWERED, run=run.id, tenant=run.tenant)


def lost_messages_warning(users: int) -> RunWarning:
    """Return the warning that the messages of so many users were lost."""
    detail = Detail(DetailKind.MESSAGES_LOST, users=users)
    return RunWarning(kind=WarningKind.MESSAGES_LOST, detail=detail, users=users)


def identity_kept_warning(users: int) -> RunWarning:
    """Return the warning that so many users keep an identity value whose source went blank."""
    detail = Detail(DetailKind.IDENTITY_KEPT, users=users)
    return RunWarning(kind=WarningKind.IDENTITY_KEPT, detail=detail, users=users)


def values_altered_warning(users: int) -> RunWarning:
    """Return the warning that Skolon does not show values of so many users as they were written."""
    detail = Detail(DetailKind.SHOWN_OTHERWISE, users=users)
    return RunWarning(kind=WarningKind.VALUES_ALTERED, detail=detail, users=users)
