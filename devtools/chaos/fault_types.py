"""What can go wrong: the kinds of faults, and the ranges from which a schedule draws their numbers."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from devtools.chaos.faults.broken_organisation import VARIANTS


class Kind(StrEnum):
    """One way for something to go wrong."""

    KILL_WORKER = "kill-worker"
    KILL_POOL = "kill-pool"
    KILL_BEFORE_PATCH = "kill-before-patch"
    KILL_AFTER_PATCH = "kill-after-patch"
    KILL_BEFORE_RECEIPT = "kill-before-receipt"
    KILL_AFTER_RECEIPT = "kill-after-receipt"
    KILL_PRODUCER = "kill-producer"
    BROKER_RESTART = "broker-restart"
    BROKER_KILL = "broker-kill"
    BROKER_ALARM = "broker-alarm"
    BROKER_ALARM_AND_ERRORS = "broker-alarm-and-errors"
    BROKER_CUT = "broker-cut"
    BROKER_HUNG = "broker-hung"
    BROKER_NAME_LOST = "broker-name-lost"
    DATABASE_RESTART = "database-restart"
    DATABASE_KILL = "database-kill"
    DATABASE_CUT = "database-cut"
    SKOLON_ERROR = "skolon-error"
    SKOLON_THROTTLED = "skolon-throttled"
    SKOLON_DOWN = "skolon-down"
    SKOLON_BLACK_HOLE = "skolon-black-hole"
    SKOLON_SLOW = "skolon-slow"
    SKOLON_RESET = "skolon-reset"
    SKOLON_HALF_ANSWER = "skolon-half-answer"
    SKOLON_TOKEN = "skolon-token"  # noqa: S105 - the name of a fault
    GRAPH_THROTTLED = "graph-throttled"
    GRAPH_ERROR = "graph-error"
    GRAPH_DOWN = "graph-down"
    GRAPH_HALF_ANSWER = "graph-half-answer"
    GRAPH_PAGE_TOKEN = "graph-page-token"  # noqa: S105 - as above
    GRAPH_REPEATED_LINK = "graph-repeated-link"
    GRAPH_EMPTY_PAGE = "graph-empty-page"
    GRAPH_CLAIMS = "graph-claims"
    CLOCK_JUMP = "clock-jump"
    FEW_FILES = "few-files"
    FORGED_MESSAGES = "forged-messages"
    ORGANISATION_BROKEN = "organisation-broken"


@dataclass(frozen=True, kw_only=True)
class Draw:
    """From what a schedule draws an event of a kind.

    `at` is the share of the people that have an outcome when it happens, from and to; from 0 to 0 is
    before the run begins. `seconds` is how long it lasts, `times` how many requests it strikes, also
    from and to; with both, the first that is reached ends it. One of `variants` is chosen, where there
    are any.
    """

    at: tuple[float, float] = (0.05, 0.9)
    seconds: tuple[float, float] = (0.0, 0.0)
    times: tuple[int, int] = (1, 1)
    variants: tuple[str, ...] = ("",)


_BEFORE = (0.0, 0.0)
#: Longer than a minute, which is what the product waits for an answer, or for RabbitMQ to take a message.
_SELDOM_LONG = (*["short"] * 9, "long")
_RETRY_AFTER = ("0", "0.4", "1", "2.128", "none")

DRAWS: dict[Kind, Draw] = {
    Kind.KILL_WORKER: Draw(),
    Kind.KILL_POOL: Draw(),
    Kind.KILL_BEFORE_PATCH: Draw(variants=("lost", "carried-out")),
    Kind.KILL_AFTER_PATCH: Draw(),
    Kind.KILL_BEFORE_RECEIPT: Draw(),
    Kind.KILL_AFTER_RECEIPT: Draw(),
    Kind.KILL_PRODUCER: Draw(at=_BEFORE, seconds=(0.0, 0.3)),
    Kind.BROKER_RESTART: Draw(),
    Kind.BROKER_KILL: Draw(),
    Kind.BROKER_ALARM: Draw(seconds=(2.0, 8.0), variants=_SELDOM_LONG),
    Kind.BROKER_ALARM_AND_ERRORS: Draw(seconds=(4.0, 10.0), times=(5, 60), variants=_SELDOM_LONG),
    Kind.BROKER_CUT: Draw(times=(1, 3), variants=("workers", "producer")),
    Kind.BROKER_HUNG: Draw(seconds=(4.0, 25.0), times=(5, 60), variants=_SELDOM_LONG),
    Kind.BROKER_NAME_LOST: Draw(seconds=(4.0, 15.0), times=(5, 60)),
    Kind.DATABASE_RESTART: Draw(seconds=(0.0, 4.0)),
    Kind.DATABASE_KILL: Draw(seconds=(0.0, 4.0)),
    Kind.DATABASE_CUT: Draw(times=(1, 3)),
    Kind.SKOLON_ERROR: Draw(
        seconds=(2.0, 10.0), times=(5, 60), variants=("500", "503", "502-page", "not-json")
    ),
    Kind.SKOLON_THROTTLED: Draw(seconds=(2.0, 10.0), times=(5, 60), variants=_RETRY_AFTER),
    Kind.SKOLON_DOWN: Draw(seconds=(3.0, 15.0)),
    Kind.SKOLON_BLACK_HOLE: Draw(seconds=(3.0, 10.0), variants=_SELDOM_LONG),
    Kind.SKOLON_SLOW: Draw(seconds=(3.0, 8.0)),
    Kind.SKOLON_RESET: Draw(times=(1, 5), variants=("reset", "half-close")),
    Kind.SKOLON_HALF_ANSWER: Draw(times=(3, 30), variants=("reset", "end")),
    Kind.SKOLON_TOKEN: Draw(times=(1, 3)),
    Kind.GRAPH_THROTTLED: Draw(at=(0.0, 0.8), seconds=(2.0, 10.0), times=(2, 30), variants=_RETRY_AFTER),
    Kind.GRAPH_ERROR: Draw(
        at=(0.0, 0.8), seconds=(2.0, 10.0), times=(2, 20), variants=("500", "503", "504", "502-page")
    ),
    Kind.GRAPH_DOWN: Draw(at=(0.0, 0.8), seconds=(2.0, 10.0)),
    Kind.GRAPH_HALF_ANSWER: Draw(at=(0.0, 0.8), times=(1, 10)),
    Kind.GRAPH_PAGE_TOKEN: Draw(at=_BEFORE),
    Kind.GRAPH_REPEATED_LINK: Draw(at=_BEFORE),
    Kind.GRAPH_EMPTY_PAGE: Draw(at=_BEFORE, times=(1, 3)),
    Kind.GRAPH_CLAIMS: Draw(at=(0.0, 0.8)),
    Kind.FEW_FILES: Draw(seconds=(3.0, 10.0), times=(5, 60)),
    Kind.FORGED_MESSAGES: Draw(times=(10, 40)),
    Kind.ORGANISATION_BROKEN: Draw(at=(0.05, 0.5), seconds=(5.0, 70.0), times=(2, 12), variants=VARIANTS),
    Kind.CLOCK_JUMP: Draw(seconds=(4.0, 12.0), times=(1, 20), variants=("+3600", "+90000", "-900", "-90000")),
}
