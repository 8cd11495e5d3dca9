"""The results of a user's sync steps, and the listeners for them.

The pipeline decides by these values, and a preview explains by them. A listener is called after each step.
An error that ends the sync comes after the steps before it. The values hold personal data, so none is
logged (P6).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from schemas.runs.identity_digests import IdentityDigests, identity_digests_of
from schemas.runs.sign_in import IMMUTABLE_ID, MAIL, SignInMatch, ValueMatch, compare_values
from schemas.users.attributes import ATTRIBUTE_TABLE, Attribute
from workers.rules.mapping import mapped_values
from workers.rules.national_ids import has_personal_number

if TYPE_CHECKING:
    from collections.abc import Mapping

    from clients.graph.birthdays import Birthday
    from schemas.crypto.blind_index import BlindIndex
    from schemas.runs.sync_result import SyncResult
    from schemas.users.graph_user import GraphUser
    from schemas.users.skolon_user import SkolonUser
    from workers.rules.evidence import Evidence
    from workers.rules.mapping import ResolvedSource
    from workers.rules.matching import KeyMatches, Match
    from workers.rules.scope import RuleResult


@dataclass(frozen=True, kw_only=True)
class ReadStep:
    """The user in Entra, or None; `by_id` if Graph was asked for this user alone."""

    user: GraphUser | None
    by_id: bool


@dataclass(frozen=True, kw_only=True)
class ScopeStep:
    """What each rule of the tenant's scope says about the user; the last one decides."""

    results: tuple[RuleResult, ...]


@dataclass(frozen=True, kw_only=True)
class MapStep:
    """The source and the value of each synced attribute, before validation."""

    sources: Mapping[Attribute, ResolvedSource]


@dataclass(frozen=True, kw_only=True)
class SearchStep:
    """The Skolon users that have the value of each match key, in the tenant's order."""

    key_matches: tuple[KeyMatches, ...]


@dataclass(frozen=True, kw_only=True)
class MatchStep:
    """The matched Skolon user, or None."""

    match: Match | None


@dataclass(frozen=True, kw_only=True)
class OwnerStep:
    """The External Id of the Skolon user, and whether it belongs to another user in Entra."""

    external_id: str | None
    is_others: bool


@dataclass(frozen=True, kw_only=True)
class BirthDateStep:
    """Graph's answer about the user's birthday."""

    birthday: Birthday


@dataclass(frozen=True, kw_only=True)
class EvidenceStep:
    """What says that the two users are one person, or two; of a match by another key than External Id."""

    evidence: Evidence
    is_proven: bool


@dataclass(frozen=True, kw_only=True)
class CompareStep:
    """The current Skolon user, the changes to write, and the blank attributes that keep their values."""

    user: SkolonUser
    changes: Mapping[Attribute, str | None]
    kept: tuple[Attribute, ...]


Step = (
    ReadStep
    | ScopeStep
    | MapStep
    | SearchStep
    | MatchStep
    | OwnerStep
    | BirthDateStep
    | EvidenceStep
    | CompareStep
)

#: A function that is called after each step.
StepListener = Callable[[Step], None]


def ignore_step(step: Step) -> None:
    """Do nothing: the listener of a pipeline without one."""


class FactObserver:
    """Keeps what a receipt notes of a user beside the outcome; each is empty until its step."""

    def __init__(self, tenant: str, index: BlindIndex, then: StepListener = ignore_step) -> None:
        """Take the tenant's key, the index for digests, and what is told of each step too."""
        self.digests = IdentityDigests()
        self.eppn_has_number: bool | None = None
        self.sign_in: SignInMatch | None = None
        self.kept_blanks: tuple[Attribute, ...] | None = None
        self._tenant = tenant
        self._index = index
        self._then = then
        self._user: GraphUser | None = None

    def __call__(self, step: Step) -> None:
        """Keep what the step tells."""
        self._then(step)
        match step:
            case ReadStep():
                self._user = step.user
            case MapStep():
                self._keep_digests(mapped_values(step.sources))
            case CompareStep() if self._user is not None:
                self.kept_blanks = tuple(each for each in step.kept if ATTRIBUTE_TABLE[each].configurable)
                held = {**step.user.attributes, **step.changes}
                self.sign_in = SignInMatch(
                    email=_compared(self._user, MAIL, held.get(Attribute.EMAIL)),
                    idp_identifier=_compared(self._user, IMMUTABLE_ID, held.get(Attribute.IDP_IDENTIFIER)),
                )

    def noted(self, result: SyncResult, mapping_comparison: str | None) -> SyncResult:
        """Return a result with what was kept, and with how a preview's settings map the user.

        A result that trusts an earlier one keeps what was compared then.
        """
        return replace(
            result,
            mapping_comparison=mapping_comparison,
            digests=self.digests,
            eppn_has_number=self.eppn_has_number,
            sign_in=self.sign_in or result.sign_in,
            kept_blanks=result.kept_blanks if self.kept_blanks is None else self.kept_blanks,
        )

    def _keep_digests(self, mapped: Mapping[Attribute, str | None]) -> None:
        mails = () if self._user is None else self._user.texts(MAIL) or ()
        year = dt.datetime.now(dt.UTC).year
        self.digests = identity_digests_of(
            mapped, self._tenant, self._index, year, mail=mails[0] if mails else None
        )
        eppn = mapped.get(Attribute.EPPN)
        self.eppn_has_number = None if eppn is None else has_personal_number(eppn)


def _compared(user: GraphUser, source: str, in_skolon: str | None) -> ValueMatch | None:
    texts = user.texts(source)
    return None if texts is None else compare_values(in_skolon, texts[0] if texts else None)
