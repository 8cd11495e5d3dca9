"""The organisation of a small municipality breaks beside the big one's run and a healthy small one's."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from devtools.chaos.faults.small_tenants import BROKEN, HEALTHY, Breakage

if TYPE_CHECKING:
    from devtools.chaos.environment import Environment
    from devtools.chaos.schedule import Event

#: Seconds for a run to be there, whatever else the schedule does, and for the organisation to be asked.
BEGUN: Final = 120.0
#: Seconds for the healthy one's run to end once the big one's has, and the broken one's once it is healed.
ENDED: Final = 300.0
#: The share of rounds in which the organisation is broken to the end.
_NEVER_HEALED: Final = 1 / 3


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
