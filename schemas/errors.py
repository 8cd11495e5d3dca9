"""What can go wrong, named after what happens next.

::

    UpdateSyncError
    ├── TransientError      try again later          (the message goes back to its queue)
    │   ├── OperatorError       once an operator has mended something  (a command ends with 2)
    │   └── UnreachableError    nothing was even asked, whoever it is for
    ├── PermanentError      never going to work      (the message becomes a dead letter)
    ├── HaltError           nothing can work         (the run is halted, once, with a cause)
    ├── PageTokenExpiredError   read the list afresh
    ├── DeltaLinkExpiredError   read everybody
    ├── VersionConflictError    read the Skolon user again
    └── UsageError       somebody asked wrongly   (the command line ends with 2)
        ├── InvalidSettingsError
        └── InvalidTenantError

The text of an error is read by operators and administrators and ends in logs, receipts and dead
letters: it names ids, fields, status codes, and never a value of a person (promise P6). Ids are others'
words, so every detail is made one line that a database and a terminal can take.
"""

from __future__ import annotations

import traceback
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

from schemas.safe_text import one_line

if TYPE_CHECKING:
    from collections.abc import Sequence

    from schemas.outcomes import Cause, Reason, Stage


class Dependency(StrEnum):
    """A system that we need and that can be away."""

    ENTRA = "entra"
    GRAPH = "graph"
    SKOLON = "skolon"
    DATABASE = "database"
    BROKER = "broker"
    #: Not a system: another message of ours has to be done first.
    ORDER = "order"
    #: The machine that the process runs on, when it has no open file left for anything.
    MACHINE = "machine"


class FailureKind(StrEnum):
    """How a system failed to answer, where no HTTP status says it."""

    #: It could not be reached, or the connection broke.
    NO_CONNECTION = "no_connection"
    #: It did not answer in time.
    TIMEOUT = "timeout"
    #: Its certificate is not trusted, or TLS failed in another way.
    TLS = "tls"
    #: It answered in a form that makes no sense.
    UNREADABLE = "unreadable"
    #: It answered that it does not do it now.
    REFUSED = "refused"


class UpdateSyncError(Exception):
    """The root of all errors of ours."""


class TransientError(UpdateSyncError):
    """It did not work now and may work later.

    `retry_after` is in seconds, as the other side asked for it, or None when it said nothing. `status` is
    the HTTP status of its answer, and `kind` says how it failed to give one; both are None when nothing was
    asked. `stage` is set when a request for one single user met it: it may be that user's doing, and is if
    others succeed meanwhile (promise P7).
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
    ) -> None:
        self.detail = one_line(detail)
        super().__init__(f"{dependency}: {self.detail}")
        self.dependency = dependency
        self.retry_after = retry_after
        self.status = status
        self.stage = stage
        self.kind = kind


class OperatorError(TransientError):
    """A server refuses us, or lacks something, until an operator mends it.

    `detail` is one line: what happened, and what to do. A command that starts ends with it (exit code 2):
    to wait would mend nothing. With a message in hand it is waited for like any outage (promise P8): a
    password that is being changed must not make dead letters.
    """


class UnreachableError(TransientError):
    """The way to the other side is closed (name, connection, TLS, token), whatever is asked for."""


class PermanentError(UpdateSyncError):
    """It will never work for this message as it stands: a dead letter with a reason."""

    def __init__(self, reason: Reason, stage: Stage, detail: str) -> None:
        self.detail = one_line(detail)
        super().__init__(f"{reason} at {stage}: {self.detail}")
        self.reason = reason
        self.stage = stage


class HaltError(UpdateSyncError):
    """It cannot work for anybody of this run until a person mends something (promise P7).

    `status` and `stage` are as in `TransientError`: what a request for one single user was answered may be
    that user's matter after all.
    """

    def __init__(
        self, cause: Cause, detail: str, *, status: int | None = None, stage: Stage | None = None
    ) -> None:
        self.detail = one_line(detail)
        super().__init__(f"{cause}: {self.detail}")
        self.cause = cause
        self.status = status
        self.stage = stage


class PageTokenExpiredError(UpdateSyncError):
    """Graph no longer knows the page's token: the list has to be read from its first page again."""


class DeltaLinkExpiredError(UpdateSyncError):
    """Graph no longer knows what a delta link stands for: everybody has to be read, not only who changed."""


class VersionConflictError(UpdateSyncError):
    """The Skolon user is no longer at the version that we read (HTTP 412)."""


def error_location(error: BaseException) -> str:
    """Return where an error came from, nearest first: functions, files and lines, and no value (P6)."""
    frames = reversed(traceback.extract_tb(error.__traceback__)[-4:])
    places = [f"{frame.name} ({Path(frame.filename).name}:{frame.lineno})" for frame in frames]
    return " < ".join(places) or "an unknown place"


class UsageError(UpdateSyncError):
    """Somebody asked for something that cannot be: `faults` has one line for each thing to mend."""

    def __init__(self, summary: str, faults: Sequence[str] = ()) -> None:
        super().__init__("\n".join([summary, *(f"  - {fault}" for fault in faults)]))
        self.summary = summary
        self.faults = tuple(faults)


class InvalidSettingsError(UsageError):
    """The environment's variables are incomplete or wrong."""


class InvalidTenantError(UsageError):
    """A tenant's settings are incomplete or wrong."""
