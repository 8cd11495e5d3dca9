"""A clock that is wrong for a while."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from devtools.chaos.environment import Environment
    from devtools.chaos.schedule import Event

#: Seconds after which every process has taken note of a jump.
NOTICED: Final = 1.5


def clock_jump(environment: Environment, event: Event) -> bool:
    """Set the clock of the workers' machine ahead or back, and right again after a while.

    Skolon fails a few times meanwhile, so that there are messages that wait for a time of the wrong clock.
    """
    if environment.clock is None:
        return False
    environment.clock.jump(event.variant)
    try:
        environment.stopped.wait(NOTICED)
        number = environment.stand_ins.skolon_fault(kind="status", status=503, times=event.times)
        environment.stopped.wait(event.seconds)
    finally:
        environment.clock.jump("+0")
    return environment.stand_ins.take_back(number) < event.times
