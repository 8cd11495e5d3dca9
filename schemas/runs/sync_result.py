"""Result of syncing one user: the outcome, or why there is none."""

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

#: The receipt's detail for a user that is no longer in Entra.
NO_LONGER_IN_ENTRA: Final = "no longer in Entra"

#: The receipt's detail for a user without any match key.
NO_MATCH_KEY: Final = "no match key has a value"


@dataclass(frozen=True, kw_only=True)
class SyncResult:
    """What became of a user; `detail` is a text for people, without values.

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
    #: Warnings of the whole run, recorded once and not for each user.
    warnings: tuple[RunWarning, ...] = ()
    #: That Skolon was asked and is in sync, so that later runs may skip the user.
    verification: Verification | None = None


@dataclass(frozen=True, kw_only=True)
class Failure:
    """Why a message can never be processed."""

    reason: Reason
    stage: Stage
    detail: str


@dataclass(frozen=True, kw_only=True)
class Forecast:
    """The outcome that a user would have; `reason` if that is a dead letter."""

    outcome: Outcome
    reason: Reason | None = None
    change_kinds: Mapping[Attribute, ChangeKind] = field(default_factory=dict)
