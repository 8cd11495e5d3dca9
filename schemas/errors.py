"""Errors, named after what happens next.

::

    UpdateSyncError
    ├── TransientError      try again later          (the message goes back to its queue)
    │   ├── OperatorError       an operator must fix something first   (a command ends with 2)
    │   └── UnreachableError    the service was not reached, for any user
    ├── NotYetError         another message comes first    (the message goes back to its queue)
    ├── PermanentError      never going to work      (the message becomes a dead letter)
    ├── HaltError           nothing can work         (the run is halted, once, with a cause)
    ├── PageTokenExpiredError   read the list afresh
    ├── DeltaLinkExpiredError   read all users
    ├── VersionConflictError    read the Skolon user again
    └── UsageError              the request is wrong     (the command line ends with 2)
        ├── UnknownRunError
        ├── InvalidSettingsError
        └── InvalidTenantError

Operators and administrators read the text of an error; it ends in logs, receipts and dead letters. It names
ids, fields and status codes, and never a user's value (promise P6). Ids come from other systems, so every
detail becomes one line that a database and a terminal can take. Most are a `Detail`, whose sentence can be
made in other languages too.
"""

from __future__ import annotations

import traceback
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

from schemas.details.detail import line_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from schemas.dead_letter_reasons import Reason
    from schemas.outcomes import Cause, Stage
    from schemas.runs.collision import Collision


class Dependency(StrEnum):
    """A system that the sync needs and that can be unavailable."""

    ENTRA = "entra"
    GRAPH = "graph"
    SKOLON = "skolon"
    DATABASE = "database"
    BROKER = "broker"
    #: The machine that the process runs on, when it has no free file descriptor.
    MACHINE = "machine"


class FailureKind(StrEnum):
    """How a system failed to answer, where no HTTP status tells."""

    #: It could not be reached, or the connection broke.
    NO_CONNECTION = "no_connection"
    #: It did not answer in time.
    TIMEOUT = "timeout"
    #: Its certificate is not trusted, or TLS failed in another way.
    TLS = "tls"
    #: Its answer could not be parsed.
    UNREADABLE = "unreadable"
    #: It refused to do it now.
    REFUSED = "refused"


class UpdateSyncError(Exception):
    """The root of all errors of ours."""


class TransientError(UpdateSyncError):
    """It did not work now and may work later.

    `retry_after` is the number of seconds that the other side asked for, or None. `status` is the HTTP status
    of its answer, and `kind` says how it failed to give one; both are None when no request was sent. `stage`
    is set when a request for one single user failed: the user may be the cause, and is if the requests for
    other users succeed meanwhile (promise P7). `repeated_cause` is what halts the run if the server goes on
    answering like this: it cannot do what is asked of it.
    """

    def __init__(  # noqa: PLR0913 - what is known of a failure, by name
        self,
        dependency: Dependency,
        detail: str,
        *,
        retry_after: float | None = None,
        status: int | None = None,
        kind: FailureKind | None = None,
        stage: Stage | None = None,
        repeated_cause: Cause | None = None,
    ) -> None:
        self.detail = line_of(detail)
        super().__init__(f"{dependency}: {self.detail}")
        self.dependency = dependency
        self.retry_after = retry_after
        self.status = status
        self.stage = stage
        self.kind = kind
        self.repeated_cause = repeated_cause


class OperatorError(TransientError):
    """A server refuses us, or lacks something, until an operator fixes it.

    `detail` is one line: what happened, and what to do. A command ends with it when it starts (exit code 2),
    for waiting would fix nothing. While a message is processed, it counts as an outage and is waited for
    (promise P8): a password that is being changed must not create dead letters.
    """


class UnreachableError(TransientError):
    """The other side cannot be reached (name, connection, TLS, token), whatever the request."""


class NotYetError(UpdateSyncError):
    """Another message has to be processed first; nothing is unavailable.

    `retry_after` is the number of seconds until the next try, or None.
    """

    def __init__(self, detail: str, *, retry_after: float | None = None) -> None:
        self.detail = line_of(detail)
        super().__init__(self.detail)
        self.retry_after = retry_after


class PermanentError(UpdateSyncError):
    """It will never work for this message as it stands: a dead letter with a reason.

    `collision` says which Entra user keeps the Skolon user, where that is the reason. `candidates` are the
    ids of the Skolon users that a match found and did not take.
    """

    def __init__(
        self,
        reason: Reason,
        stage: Stage,
        detail: str,
        *,
        collision: Collision | None = None,
        candidates: tuple[str, ...] = (),
    ) -> None:
        self.detail = line_of(detail)
        super().__init__(f"{reason} at {stage}: {self.detail}")
        self.reason = reason
        self.stage = stage
        self.collision = collision
        self.candidates = candidates


class HaltError(UpdateSyncError):
    """No user of this run can be synced until an operator fixes something (promise P7).

    `status` and `stage` are as in `TransientError`: one single user may be the cause after all. With
    `may_pass` the same request is sent again for a minute before the run is halted.
    """

    def __init__(
        self,
        cause: Cause,
        detail: str,
        *,
        status: int | None = None,
        stage: Stage | None = None,
        may_pass: bool = False,
    ) -> None:
        self.detail = line_of(detail)
        super().__init__(f"{cause}: {self.detail}")
        self.cause = cause
        self.status = status
        self.stage = stage
        self.may_pass = may_pass


class PageTokenExpiredError(UpdateSyncError):
    """Graph no longer knows the page's token: the list has to be read from its first page again."""


class DeltaLinkExpiredError(UpdateSyncError):
    """Graph no longer knows a delta link: the run reads all users instead of the changed ones."""


class VersionConflictError(UpdateSyncError):
    """The Skolon user is no longer at the version that we read (HTTP 412)."""


def error_location(error: BaseException) -> str:
    """Return where an error came from, nearest first: functions, files and lines, and no value (P6)."""
    frames = reversed(traceback.extract_tb(error.__traceback__)[-4:])
    places = [f"{frame.name} ({Path(frame.filename).name}:{frame.lineno})" for frame in frames]
    return " < ".join(places) or "an unknown place"


class UsageError(UpdateSyncError):
    """A command asks for something impossible; `faults` has one line for each thing to fix."""

    def __init__(self, summary: str, faults: Sequence[str] = ()) -> None:
        super().__init__("\n".join([summary, *(f"  - {fault}" for fault in faults)]))
        self.summary = summary
        self.faults = tuple(faults)


class UnknownRunError(UsageError):
    """A command names a run that there is not, or not yet."""


class InvalidSettingsError(UsageError):
    """The environment's variables are incomplete or wrong."""


class InvalidTenantError(UsageError):
    """A tenant's settings are incomplete or wrong."""
