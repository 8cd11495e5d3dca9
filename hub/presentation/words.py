"""The contract's words as the pages say them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from flask_babel import lazy_gettext as _

from schemas.dead_letter_reasons import Reason
from schemas.errors import Dependency
from schemas.hub.member import Role
from schemas.outcomes import ENDED_STATUSES, NotFoundReason, Outcome, RunKind, Status
from schemas.reports.remedy import Owner
from schemas.reports.user_status import SyncState
from schemas.runs.changes import ChangeKind
from schemas.runs.sign_in import ValueMatch

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flask_babel.speaklater import LazyString

    from schemas.runs.run import Run

OUTCOMES: Final[Mapping[Outcome, LazyString]] = {
    Outcome.PENDING: _("Waiting"),
    Outcome.UPDATED: _("Updated"),
    Outcome.WOULD_UPDATE: _("Would be updated"),
    Outcome.UNCHANGED: _("Already right"),
    Outcome.NOT_FOUND: _("Not in Skolon"),
    Outcome.OUT_OF_SCOPE: _("Left out by your settings"),
    Outcome.SUPERSEDED: _("Done by a newer run"),
    Outcome.DEAD_LETTERED: _("Failed"),
}

#: What a run did that has come to its end.
ENDED: Final[Mapping[Outcome, LazyString]] = {**OUTCOMES, Outcome.PENDING: _("Not reached by the run")}

#: What settings would do that are tried: a user that they leave as it is need not be right.
FORECASTS: Final[Mapping[Outcome, LazyString]] = {**OUTCOMES, Outcome.UNCHANGED: _("Would stay as it is")}

#: Users as they are now, and not as one run found them.
USERS: Final[Mapping[Outcome | SyncState, LazyString]] = {
    Outcome.UNCHANGED: _("Right in Skolon"),
    SyncState.REVERTED: _("As before a run that was undone"),
    Outcome.NOT_FOUND: _("Not in Skolon"),
    Outcome.OUT_OF_SCOPE: _("Left out by your settings"),
    Outcome.DEAD_LETTERED: _("Failed"),
}


def of_run(run: Run) -> Mapping[Outcome, LazyString]:
    """Return what the outcomes of a run's users are called."""
    if run.settings_override:
        return FORECASTS
    return ENDED if run.status in ENDED_STATUSES else OUTCOMES


STATUSES: Final[Mapping[Status, LazyString]] = {
    Status.READING: _("Reading from Entra"),
    Status.UPDATING: _("Updating Skolon"),
    Status.COMPLETED: _("Completed"),
    Status.HALTED: _("Halted"),
    Status.CANCELLED: _("Cancelled"),
}

#: Designsystemet's colours.
STATUS_COLOURS: Final[Mapping[Status, LazyString]] = {
    Status.READING: "info",
    Status.UPDATING: "info",
    Status.COMPLETED: "success",
    Status.HALTED: "danger",
    Status.CANCELLED: "neutral",
}

KINDS: Final[Mapping[RunKind, LazyString]] = {
    RunKind.FULL: _("All users"),
    RunKind.DELTA: _("Changed users"),
    RunKind.USERS: _("Named users"),
    RunKind.PREVIEW: _("Preview, changes nothing"),
    RunKind.UNDO: _("Undo"),
}

NOT_FOUND_REASONS: Final[Mapping[NotFoundReason, LazyString]] = {
    NotFoundReason.NO_LONGER_IN_ENTRA: _("No longer in Entra"),
    NotFoundReason.NO_MATCH_KEY: _("Nothing to look the user up by"),
    NotFoundReason.NO_MATCH: _("No user in Skolon matches"),
    NotFoundReason.NO_LONGER_IN_SKOLON: _("No longer in Skolon"),
    NotFoundReason.EXCLUDED_BY_DECISION: _("Left alone by a decision"),
}

#: What becomes of an attribute of so many users.
CHANGES: Final[Mapping[ChangeKind, LazyString]] = {
    ChangeKind.FILLED: _("Filled"),
    ChangeKind.CHANGED: _("Changed"),
    ChangeKind.ERASED: _("Erased"),
}

VALUE_MATCHES: Final[Mapping[ValueMatch, LazyString]] = {
    ValueMatch.EXACT: _("Equal"),
    ValueMatch.CASE_DIFFERS: _("In other capital or small letters"),
    ValueMatch.DIFFERENT: _("Different"),
    ValueMatch.BLANK_IN_ENTRA: _("Blank in Entra"),
}

OWNERS: Final[Mapping[Owner, LazyString]] = {
    Owner.ENTRA: _("the administrator of Entra"),
    Owner.SKOLON: _("the person who corrects data in Skolon"),
    Owner.ADMINISTRATOR: _("the organisation administrator"),
    Owner.OPERATOR: _("Skolon's operators"),
}

ROLES: Final[Mapping[Role, LazyString]] = {
    Role.OPERATOR: _("Operator"),
    Role.ADMINISTRATOR: _("Organisation administrator"),
    Role.READER: _("Reader"),
}

SERVICES: Final[Mapping[Dependency | None, LazyString]] = {
    None: _("another run or user"),
    Dependency.ENTRA: _("Entra"),
    Dependency.GRAPH: _("Microsoft Graph"),
    Dependency.SKOLON: _("Skolon"),
    Dependency.DATABASE: _("the database"),
    Dependency.BROKER: _("RabbitMQ"),
    Dependency.MACHINE: _("the worker's machine"),
}

REASONS: Final[Mapping[Reason, LazyString]] = {
    Reason.INVALID_USER: _("A value breaks a rule"),
    Reason.AMBIGUOUS_MATCH: _("Several users in Skolon match"),
    Reason.SUSPICIOUS_MATCH: _("The match looks like another user"),
    Reason.COLLISION: _("Two users in Entra match one in Skolon"),
    Reason.VALUE_TAKEN: _("Another user in Skolon has the value"),
    Reason.UNDO_FAILED: _("A run could not be undone completely"),
    Reason.REJECTED_BY_SKOLON: _("Skolon refused the change"),
    Reason.CONFLICT: _("The user kept changing in Skolon"),
    Reason.GAVE_UP: _("The wait was too long"),
    Reason.CRASHED_WORKER: _("A worker crashed"),
    Reason.UNDECODABLE: _("A message cannot be read"),
    Reason.FORGED_MESSAGE: _("A message is not ours"),
    Reason.INVALID_TRIGGER: _("A request for a run is wrong"),
    Reason.UNKNOWN_TENANT: _("There is no such organisation"),
    Reason.GUARD_UNANSWERED: _("The guard waits for an answer"),
    Reason.BUG: _("An error of the sync"),
}
