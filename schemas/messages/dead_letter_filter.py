"""Selects dead letters."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from schemas.messages.messages import QUEUES
from schemas.timestamps import timestamp

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Collection

    from schemas.dead_letter_reasons import Reason
    from schemas.messages.dead_letter import DeadLetter


@dataclass(frozen=True, kw_only=True)
class DeadLetterFilter:
    """Matches dead letters by property: one of the given values each; without values any matches.

    `before` and `after` (aware) bound since when a dead letter's user fails, and of a message that is no
    user's since when it is dead. A dead letter without that time matches neither bound. Those that one of
    the operations `not_of` has replayed, and that failed again, are left out.
    """

    queues: tuple[str, ...] = ()
    tenants: tuple[str, ...] = ()
    runs: tuple[int, ...] = ()
    reasons: tuple[Reason, ...] = ()
    users: Collection[str] = ()
    ids: tuple[str, ...] = ()
    before: dt.datetime | None = None
    after: dt.datetime | None = None
    not_of: Collection[int] = ()

    @property
    def chooses_all(self) -> bool:
        """Whether it chooses every dead letter."""
        return not self.as_json()

    @property
    def bounds_age(self) -> bool:
        """Whether it asks for an age."""
        return self.before is not None or self.after is not None

    def matches_properties(self, dead_letter: DeadLetter) -> bool:
        """Say whether a dead letter has the properties; its age is left to `matches_age`."""
        asked = (
            (self.queues, dead_letter.queue),
            (self.tenants, dead_letter.tenant),
            (self.runs, dead_letter.run),
            (self.reasons, dead_letter.failure.reason),
            (self.users, dead_letter.user),
            (self.ids, dead_letter.id),
        )
        return dead_letter.operation not in self.not_of and all(
            not values or value in values for values, value in asked
        )

    def matches_age(self, dead_letter: DeadLetter) -> bool:
        """Say whether a dead letter has the age.

        `producers/dead_letters/since.py` must have dated a user's dead letter: a message tells of one run.
        """
        since = dead_letter.dead_since
        return not self.bounds_age or (
            since is not None
            and (self.before is None or since < self.before)
            and (self.after is None or since > self.after)
        )

    @property
    def queues_to_browse(self) -> tuple[str, ...]:
        """The queues that may contain such dead letters."""
        return tuple(queue for queue in QUEUES if not self.queues or queue in self.queues)

    def as_json(self) -> dict[str, Any]:
        """Return the given properties alone."""
        values: dict[str, Any] = {
            "queues": list(self.queues),
            "tenants": list(self.tenants),
            "runs": [str(run) for run in self.runs],
            "reasons": [str(reason) for reason in self.reasons],
            "users": sorted(self.users),
            "ids": list(self.ids),
            "before": self.before and timestamp(self.before),
            "after": self.after and timestamp(self.after),
        }
        return {name: value for name, value in values.items() if value}
