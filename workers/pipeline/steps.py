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
    from workers.rules.mapping import Picked
    from workers.rules.matching import Hits, Match
    from workers.rules.scope import Ruling


@dataclass(frozen=True, kw_only=True)
class Read:
    """Who it is in Entra, None when nobody there has the id; `by_id` if Graph was asked for this one user."""

    user: GraphUser | None
    by_id: bool


@dataclass(frozen=True, kw_only=True)
class Scoped:
    """What the tenant's scope says of the user: rule by rule, the last of them decides."""

    rulings: tuple[Ruling, ...]


@dataclass(frozen=True, kw_only=True)
class Mapped:
    """Which source decides each attribute that the tenant syncs, and what value it gives; not yet checked."""

    picked: Mapping[Attribute, Picked]


@dataclass(frozen=True, kw_only=True)
class Searched:
    """Who in Skolon has the value of each match key that has one, in the tenant's order."""

    hits: tuple[Hits, ...]


@dataclass(frozen=True, kw_only=True)
class Matched:
    """Whom of those the user is, None for nobody."""

    match: Match | None


@dataclass(frozen=True, kw_only=True)
class Owned:
    """Whose the Skolon user is by its External Id, and whether it is somebody else who is in Entra."""

    external_id: str | None
    is_others: bool


@dataclass(frozen=True, kw_only=True)
class BirthDateRead:
    """What Graph said of the birthday: it tells that of one user alone."""

    birthday: Birthday


@dataclass(frozen=True, kw_only=True)
class Compared:
    """What differs: the Skolon user as it is, what would be written, and which blanks do not erase."""

    user: SkolonUser
    changes: Mapping[Attribute, str | None]
    kept: tuple[Attribute, ...]


Step = Read | Scoped | Mapped | Searched | Matched | Owned | BirthDateRead | Compared

#: Is told of each step.
Tell = Callable[[Step], None]


def tell_nobody(step: Step) -> None:
    """Take a step that nobody asked about."""
