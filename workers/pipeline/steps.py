"""The results of a user's sync steps, and the listeners for them.

The pipeline decides by these values, and a preview explains by them. A listener is called after each step.
An error that ends the sync comes after the steps before it. The values hold personal data, so none is
logged (P6).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from schemas.runs.identity_digests import IdentityDigests, identity_digests_of
from workers.rules.mapping import mapped_values

if TYPE_CHECKING:
    from collections.abc import Mapping

    from clients.graph.birthdays import Birthday
    from schemas.crypto.blind_index import BlindIndex
    from schemas.users.attributes import Attribute
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


class DigestObserver:
    """Keeps the identity digests of a user from the mapping step; `digests` are empty until then."""

    def __init__(self, tenant: str, index: BlindIndex) -> None:
        self.digests = IdentityDigests()
        self._tenant = tenant
        self._index = index

    def __call__(self, step: Step) -> None:
        """Keep the digests, if this is the mapping step."""
        if isinstance(step, MapStep):
            year = dt.datetime.now(dt.UTC).year
            self.digests = identity_digests_of(mapped_values(step.sources), self._tenant, self._index, year)
