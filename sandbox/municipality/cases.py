"""Defines a case: what is special about some users, and their expected outcome.

A case changes a user that was in sync. It gets the user's facts, the
Entra user and the Skolon user, changes them in place, and returns the Skolon users that
are there before the sync.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sandbox.municipality.made_up_user import SKOLON_SCHEMA, Facts

User = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class CaseUser:
    """A user who is about to be bent: ``number`` counts the users of one case from nought."""

    facts: Facts
    entra: User
    skolon: User
    number: int
    seed: int

    @property
    def extension(self) -> User:
        """Skolon's own attributes."""
        extension: User = self.skolon[SKOLON_SCHEMA]
        return extension


ApplyCase = Callable[[CaseUser], list[User]]


@dataclass(frozen=True, kw_only=True)
class Case:
    """One case: its name, what a first and a second run make of it, and why when it fails."""

    name: str
    outcome: str
    apply: ApplyCase
    reason: str | None = None
    #: The attributes whose value in Entra breaks a rule: they stay as they are in Skolon.
    unwritten: tuple[str, ...] = ()
    #: How many users make up one instance of the case.
    people: int = 1

    @property
    def outcome_again(self) -> str:
        """What a second run makes of it: what was updated is right by then, the rest is as before."""
        return "unchanged" if self.outcome == "updated" else self.outcome
