"""What each step of a user's way has found out: a worker decides by these values, a preview explains by them.

Whoever wants to know is told of each step as soon as it is done; an error that ends the way comes after the
steps before it. The values hold people's data: none of them goes into a log (promise P6).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from clients.graph.birthday import Birthday
    from schemas.users.attributes import Attribute
    from schemas.users.graph_user import GraphUser
    from schemas.users.skolon_user import SkolonUser
    from workers.rules.mapping import ResolvedSource
    from workers.rules.matching import KeyMatches, Match
    from workers.rules.scope import RuleResult


@dataclass(frozen=True, kw_only=True)
class ReadStep:
    """Who it is in Entra, None when nobody there has the id; `by_id` if Graph was asked for this one user."""

    user: GraphUser | None
    by_id: bool


@dataclass(frozen=True, kw_only=True)
class ScopeStep:
    """What the tenant's scope says of the user: rule by rule, the last of them decides."""

    results: tuple[RuleResult, ...]


@dataclass(frozen=True, kw_only=True)
class MapStep:
    """Which source decides each attribute that the tenant syncs, and what value it gives; not yet checked."""

    sources: Mapping[Attribute, ResolvedSource]


@dataclass(frozen=True, kw_only=True)
class SearchStep:
    """Who in Skolon has the value of each match key that has one, in the tenant's order."""

    key_matches: tuple[KeyMatches, ...]


@dataclass(frozen=True, kw_only=True)
class MatchStep:
    """Whom of those the user is, None for nobody."""

    match: Match | None


@dataclass(frozen=True, kw_only=True)
class OwnerStep:
    """Whose the Skolon user is by its External Id, and whether it is somebody else who is in Entra."""

    external_id: str | None
    is_others: bool


@dataclass(frozen=True, kw_only=True)
class BirthDateStep:
    """What Graph said of the birthday: it tells that of one user alone."""

    birthday: Birthday


@dataclass(frozen=True, kw_only=True)
class CompareStep:
    """What differs: the Skolon user as it is, what would be written, and which blanks do not erase."""

    user: SkolonUser
    changes: Mapping[Attribute, str | None]
    kept: tuple[Attribute, ...]


Step = ReadStep | ScopeStep | MapStep | SearchStep | MatchStep | OwnerStep | BirthDateStep | CompareStep

#: Is told of each step.
StepListener = Callable[[Step], None]


def ignore_step(step: Step) -> None:
    """Take a step that nobody asked about."""
