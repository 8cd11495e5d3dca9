"""Outcomes, statuses, causes and stages: the words of the contract. `dead_letter_reasons` has the reasons."""

from __future__ import annotations

from enum import StrEnum


class Mode(StrEnum):
    """What a run does: it reads all Entra users or the changed ones, or it undoes another run."""

    FULL = "full"
    DELTA = "delta"
    UNDO = "undo"


class RunKind(StrEnum):
    """What a run is to a person: each has one word, whatever mode and users it has."""

    FULL = "full"
    DELTA = "delta"
    #: A run of named users.
    USERS = "users"
    #: A run that changes nothing: a dry run, or one that tries settings.
    PREVIEW = "preview"
    UNDO = "undo"


#: The modes of a run that reads Entra.
READING_MODES = (Mode.FULL, Mode.DELTA)


class Outcome(StrEnum):
    """The result of one Entra user in one run; `PENDING` until there is one."""

    PENDING = "pending"
    UPDATED = "updated"
    WOULD_UPDATE = "would_update"
    UNCHANGED = "unchanged"
    NOT_FOUND = "not_found"
    OUT_OF_SCOPE = "out_of_scope"
    SUPERSEDED = "superseded"
    DEAD_LETTERED = "dead_lettered"


#: The outcomes after which nothing more is done for a user in that run.
FINAL_OUTCOMES = tuple(outcome for outcome in Outcome if outcome is not Outcome.PENDING)

#: The outcomes that verify a user: Skolon was asked, and has what Entra says.
VERIFYING_OUTCOMES = (Outcome.UPDATED, Outcome.UNCHANGED)


class NotFoundReason(StrEnum):
    """Where a user was not found, and why."""

    #: Entra no longer has the user; the outcome is `out_of_scope`.
    NO_LONGER_IN_ENTRA = "no_longer_in_entra"
    #: No match key has a value, so that Skolon was not asked.
    NO_MATCH_KEY = "no_match_key"
    #: Skolon was asked, and no Skolon user has a value of the match keys.
    NO_MATCH = "no_match"
    #: Skolon had the user and has it no more.
    NO_LONGER_IN_SKOLON = "no_longer_in_skolon"
    #: An administrator has decided that the Skolon users that match are left alone, or are other users.
    EXCLUDED_BY_DECISION = "excluded_by_decision"


#: Such a user is not missing in Skolon: nothing that is corrected there helps.
NOT_MISSING_IN_SKOLON = (NotFoundReason.NO_MATCH_KEY, NotFoundReason.EXCLUDED_BY_DECISION)


class Status(StrEnum):
    """How far a run has come."""

    READING = "reading"
    UPDATING = "updating"
    COMPLETED = "completed"
    HALTED = "halted"
    CANCELLED = "cancelled"


#: A tenant has at most one run in one of these at a time, beside previews of settings and quick runs.
OPEN_STATUSES = (Status.READING, Status.UPDATING)

#: A run in one of these never goes on; a halted one may be resumed.
ENDED_STATUSES = (Status.COMPLETED, Status.CANCELLED)


class Cause(StrEnum):
    """Why a run was halted."""

    ENTRA_CREDENTIALS = "entra_credentials"
    ENTRA_PERMISSION = "entra_permission"
    SKOLON_CREDENTIALS = "skolon_credentials"
    SKOLON_PERMISSION = "skolon_permission"
    SKOLON_SEARCH = "skolon_search"
    SKOLON_UPDATE = "skolon_update"
    GRAPH_QUERY = "graph_query"
    PAGE_LOOP = "page_loop"
    PAGE_TOKEN = "page_token"  # noqa: S105 - the name of a cause, no secret
    SUSPICIOUS_LIST = "suspicious_list"
    MISSING_KEY = "missing_key"
    GUARD_EXCEEDED = "guard_exceeded"
    GAVE_UP = "gave_up"
    BUG = "bug"


#: Causes that ask a person whether the run judges right: without a yes, its judgements are in doubt.
QUESTION_CAUSES = (Cause.GUARD_EXCEEDED, Cause.SUSPICIOUS_LIST)


class Stage(StrEnum):
    """The step of the pipeline at which something happened."""

    RECEIVE = "receive"
    READ = "read"
    VALIDATE = "validate"
    SCOPE = "scope"
    MAP = "map"
    MATCH = "match"
    GUARD = "guard"
    UPDATE = "update"
    RECORD = "record"
