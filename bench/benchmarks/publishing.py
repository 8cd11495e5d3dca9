"""Compares the rate of publishing users with dramatiq's `send`."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

from bench.baselines.noop_actor import QUEUE_ARGUMENTS, URL_VARIABLE
from bench.baselines.running import PAYLOAD, body, declared, printed
from bench.benchmarks.figure import Figure, Group
from bench.broker import check_sizes, kind_of, size_of_first
from bench.environment import product_environment
from bench.measures import BenchError
from bench.stubs.users import Population
from devtools.commands import COMMAND, command_environment

if TYPE_CHECKING:
    from bench.context import Bench

#: One page that is published first, so that the producer has started before the measurement.
_WARM_UP: Final = Population(number=1, people=999)
_USERS: Final = "user-sync"


def ours(bench: Bench) -> dict[str, float]:
    """Measure from the opening of a run to the last confirmation, with pages read and receipts written."""
    measured = Population(number=2, people=bench.sizes.publish)
    bench.stand_ins.prepare(_WARM_UP, measured)
    with product_environment(bench) as place, place.producer():
        for population in (_WARM_UP, measured):
            place.add(population)
        place.trigger(_WARM_UP)
        place.published(_WARM_UP)
        with bench.shares("publish") as shares:
            place.trigger(measured)
            run = place.published(measured)
            seconds = time.time() - run.started
        if bench.command == COMMAND:
            # dramatiq's messages are as long as this version's; another version's may differ in length.
            check_sizes(size_of_first(place.amqp_url, _USERS), len(body(1)))
        if kind_of(bench.servers, place.amqp_url, _USERS) != QUEUE_ARGUMENTS:
            raise BenchError(f"our queue was declared with something else than {QUEUE_ARGUMENTS}")
        place.expect(run.number, pending=measured.people)
    return {"publish: ours": measured.people / seconds, **shares}


def theirs(bench: Bench) -> dict[str, float]:
    """Measure messages of the same size on the same kind of queue, each confirmed by itself."""
    with declared(bench) as url:
        env = command_environment(**{URL_VARIABLE: url})
        found = printed("bench.baselines.send", str(bench.sizes.send), str(PAYLOAD), env=env)
    return {"publish: theirs": float(found)}


PUBLISH: Final = Group(
    name="publish",
    figures=(
        Figure(
            name="publish",
            ours="publish: ours",
            theirs="publish: theirs",
            unit="users/s",
            at_least=4,
            against="dramatiq's `send` with confirms, one by one",
        ),
    ),
    sides=(ours, theirs),
)
