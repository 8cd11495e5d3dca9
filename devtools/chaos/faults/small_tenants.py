"""Two small municipalities beside the big one, and how the organisation of one of them is broken."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from devtools.chaos.faults.broken_organisation import MALFORMED
from sandbox.municipality.municipality import Municipality

if TYPE_CHECKING:
    from collections.abc import Mapping

HEALTHY: Final = "healthy"
BROKEN: Final = "broken"
PEOPLE: Final = 60


def small_municipalities(seed: int) -> Mapping[str, Municipality]:
    """Return the two by their keys, as they follow from the seed of the round."""
    return {key: Municipality(PEOPLE, seed=seed + more) for more, key in enumerate((HEALTHY, BROKEN), 1)}


@dataclass(kw_only=True)
class Breakage:
    """How an organisation is broken: since when (monotonic), for how many seconds at least, how it ends.

    `is_cancelled` is so once the run has been cancelled while the organisation was broken.
    """

    variant: str
    since: float
    seconds: float
    is_healed: bool
    is_cancelled: bool = False

    @property
    def is_malformed(self) -> bool:
        """Whether it answers with unreadable users, each of which may become a dead letter."""
        return self.variant == MALFORMED
