"""What a worker says of a user when it is done: the outcome, or why there is none."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

    from schemas.outcomes import Outcome, Reason, Stage
    from schemas.runs.changes import ChangeKind
    from schemas.runs.identity_digests import IdentityDigests
    from schemas.runs.run import RunWarning
    from schemas.runs.verification import Verification
    from schemas.users.attributes import Attribute

#: What a receipt says of somebody who has left Entra.
NO_LONGER_IN_ENTRA: Final = "no longer in Entra"

#: What a receipt says of somebody who cannot be looked for.
NO_MATCH_KEY: Final = "no match key has a value"


@dataclass(frozen=True, kw_only=True)
class SyncResult:
    """What became of a user; `detail` is for a person to read and holds no values.

    `change_kinds` says of what is `changed` how it did.
    `left` are the attributes that an undo has not put back, because they changed since.
    """

    outcome: Outcome
    skolon_id: str | None = None
    skolon_version: str | None = None
    changed: tuple[Attribute, ...] = ()
    change_kinds: Mapping[Attribute, ChangeKind] = field(default_factory=dict)
    skipped: tuple[Attribute, ...] = ()
    detail: str | None = None
    digests: IdentityDigests | None = None
    #: What is to be said once of the whole run, and not of each user.
    warnings: tuple[RunWarning, ...] = ()
    #: That Skolon was asked and is right, for later runs to trust.
    verification: Verification | None = None


@dataclass(frozen=True, kw_only=True)
class Failure:
    """Why a message is never going to work."""

    reason: Reason
    stage: Stage
    detail: str


@dataclass(frozen=True, kw_only=True)
class Forecast:
    """What would have become of a user; `reason` if that is a dead letter."""

    outcome: Outcome
    reason: Reason | None = None
    change_kinds: Mapping[Attribute, ChangeKind] = field(default_factory=dict)
