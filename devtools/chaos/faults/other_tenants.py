"""Two small municipalities beside the big one, and the organisation of one of them that is broken."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from devtools.chaos.faults.broken_organisation import MALFORMED
from sandbox.municipality.municipality import Municipality

if TYPE_CHECKING:
    from collections.abc import Mapping

    from devtools.chaos.environment import Environment
    from devtools.chaos.schedule import Event

HEALTHY: Final = "healthy"
BROKEN: Final = "broken"
PEOPLE: Final = 60

#: Seconds for a run to be there, whatever else the schedule does, and for the organisation to be asked.
BEGUN: Final = 120.0
#: Seconds for the healthy one's run to end once the big one's has, and the broken one's once it is healed.
ENDED: Final = 300.0
#: The share of rounds in which the organisation is broken to the end.
_NEVER_HEALED: Final = 1 / 3


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
        """Whether it answers with users that cannot be read, each of whom may become a dead letter."""
        return self.variant == MALFORMED


@dataclass(kw_only=True)
class Aftermath:
    """How it went on: seconds from the healing to the end of the run, and what was not as it should be."""

    recovery: float = 0.0
    surprises: list[str] = field(default_factory=list)


def break_organisation(environment: Environment, event: Event) -> bool:
    """Trigger the two small runs, and break the organisation of one after `event.times` requests of it.

    It stays broken until `await_aftermath`.
    """
    # The big one's run is the first.
    if not environment.wait(BEGUN, environment.has_begun):
        return False
    environment.stand_ins.break_organisation(BROKEN, event.variant, event.times)
    for key in (BROKEN, HEALTHY):
        environment.trigger(key)
    struck = environment.wait(BEGUN, lambda: environment.stand_ins.organisation_struck() > 0)
    environment.breakage = Breakage(
        variant=event.variant,
        since=time.monotonic(),
        seconds=event.seconds,
        is_healed=event.place >= _NEVER_HEALED,
    )
    return struck


def await_aftermath(environment: Environment, breakage: Breakage) -> Aftermath:
    """Have the healthy one's run end, and only then heal the organisation, or cancel the broken one's run.

    The big one's run has ended, or will not. An organisation that is not healed stays broken to the end.
    """
    found = Aftermath()
    if not environment.wait(ENDED, lambda: environment.has_ended(HEALTHY)):
        found.surprises.append("beside a broken organisation a healthy one's run does not end")
    environment.wait(breakage.since + breakage.seconds - time.monotonic(), lambda: False)
    now = environment.progress(BROKEN)
    # With users that cannot be read each may be a dead letter, and the run be over.
    is_over = now is None or now.status not in {"reading", "updating"}
    if is_over and not breakage.is_malformed and environment.stand_ins.organisation_struck():
        found.surprises.append(f"while its organisation is broken a run is {now and (now.status, now.cause)}")
    if breakage.is_healed:
        environment.stand_ins.heal_organisation()
        began = time.monotonic()
        environment.wait(ENDED, lambda: environment.has_ended(BROKEN))
        found.recovery = time.monotonic() - began
    elif now is not None and not now.ended:
        breakage.is_cancelled = environment.command("runs", "cancel", str(now.run)) is not None
        if not breakage.is_cancelled:
            found.surprises.append("the broken organisation's run is not cancelled")
    return found
