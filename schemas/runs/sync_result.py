"""Result of syncing one user: the outcome, or why there is none."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from schemas.details.detail import Detail
from schemas.details.kinds import DetailKind
from schemas.outcomes import NotFoundReason, Outcome

if TYPE_CHECKING:
    from collections.abc import Mapping

    from schemas.dead_letter_reasons import Reason
    from schemas.errors import PermanentError
    from schemas.outcomes import Stage
    from schemas.runs.changes import ChangeKind
    from schemas.runs.collision import Collision
    from schemas.runs.identity_digests import IdentityDigests
    from schemas.runs.run import RunWarning
    from schemas.runs.sign_in import SignInMatch
    from schemas.runs.verification import Verification
    from schemas.users.attributes import Attribute


@dataclass(frozen=True, kw_only=True)
class Unwritten:
    """Why one attribute was not written while the others were; `fault` names the attribute, and no value.

    `collision` is set if another Skolon user has the value.
    """

    reason: Reason
    stage: Stage
    fault: Detail
    collision: Collision | None = None


@dataclass(frozen=True, kw_only=True)
class SyncResult:
    """What became of a user; `detail` is a text for people, without values.

    `change_kinds` says of what is `changed` how it did.
    `skipped` are the attributes that an undo has not put back, because they changed since.
    `unwritten` are the attributes that should have been written, and why they were not.
    `not_found_reason` says where a user was not found that is `not_found`, or no longer in Entra.
    `candidates` are the ids of Skolon users that match and that a decision excludes.
    """

    outcome: Outcome
    skolon_id: str | None = None
    skolon_version: str | None = None
    changed: tuple[Attribute, ...] = ()
    change_kinds: Mapping[Attribute, ChangeKind] = field(default_factory=dict)
    skipped: tuple[Attribute, ...] = ()
    #: Attributes that Skolon does not show as they were written; the second ones are new.
    altered: tuple[Attribute, ...] = ()
    newly_altered: tuple[Attribute, ...] = ()
    #: Attributes that keep their value, because an earlier source of theirs is blank.
    identity_kept: tuple[Attribute, ...] = ()
    #: Which values come from another source than the default's first, as a text
    #: (schemas/users/value_sources.py); None if nothing was compared.
    value_sources: str | None = None
    #: Attributes without a value in Entra whose value in Skolon stays, of those whose sources can be chosen;
    #: None if nothing was compared.
    kept_blanks: tuple[Attribute, ...] | None = None
    #: Of a preview: how its settings and the saved ones map the user, as a text
    #: (schemas/runs/totals/mapping_comparison.py).
    mapping_comparison: str | None = None
    #: Of a preview: what the properties of Entra hold (schemas/runs/totals/source_facts.py).
    source_facts: str | None = None
    unwritten: Mapping[Attribute, Unwritten] = field(default_factory=dict)
    detail: str | None = None
    not_found_reason: NotFoundReason | None = None
    candidates: tuple[str, ...] = ()
    digests: IdentityDigests | None = None
    #: Whether the EPPN has a personal number in it, None without an EPPN.
    eppn_has_number: bool | None = None
    #: How the user's values for sign-in compare, None if they were not compared.
    sign_in: SignInMatch | None = None
    #: Warnings of the whole run, recorded once and not for each user.
    warnings: tuple[RunWarning, ...] = ()
    #: That Skolon was asked and is in sync, so that later runs may skip the user.
    verification: Verification | None = None


#: The result of a user that is no longer in Entra.
NO_LONGER_IN_ENTRA: Final = SyncResult(
    outcome=Outcome.OUT_OF_SCOPE,
    not_found_reason=NotFoundReason.NO_LONGER_IN_ENTRA,
    detail=Detail(DetailKind.NO_LONGER_IN_ENTRA),
)

#: The result of a user that has nothing to be found by in Skolon.
NO_MATCH_KEY: Final = SyncResult(
    outcome=Outcome.NOT_FOUND,
    not_found_reason=NotFoundReason.NO_MATCH_KEY,
    detail=Detail(DetailKind.NO_MATCH_KEY),
)


@dataclass(frozen=True, kw_only=True)
class Failure:
    """Why a message can never be processed; `collision` is set if its user's Skolon user is another's.

    `candidates` are the ids of the Skolon users that a match found and did not take.
    """

    reason: Reason
    stage: Stage
    detail: str
    collision: Collision | None = None
    candidates: tuple[str, ...] = ()


def failure_of(error: PermanentError) -> Failure:
    """Return the failure that an error means for its message."""
    return Failure(
        reason=error.reason,
        stage=error.stage,
        detail=error.detail,
        collision=error.collision,
        candidates=error.candidates,
    )


@dataclass(frozen=True, kw_only=True)
class Forecast:
    """The outcome that a user would have; `reason` if that is a dead letter."""

    outcome: Outcome
    reason: Reason | None = None
    change_kinds: Mapping[Attribute, ChangeKind] = field(default_factory=dict)
