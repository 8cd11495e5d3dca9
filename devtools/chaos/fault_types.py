"""The kinds of faults, and the ranges from which a schedule draws their numbers."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from devtools.chaos.faults.broken_organisation import VARIANTS


class FaultType(StrEnum):
    """One kind of fault."""

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
class FaultParameters:
    """The ranges from which a schedule draws an event of a kind.

    `at` is the share of users that have an outcome when it happens, from and to; from 0 to 0 is
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

FAULT_PARAMETERS: dict[FaultType, FaultParameters] = {
    FaultType.KILL_WORKER: FaultParameters(),
    FaultType.KILL_POOL: FaultParameters(),
    FaultType.KILL_BEFORE_PATCH: FaultParameters(variants=("lost", "carried-out")),
    FaultType.KILL_AFTER_PATCH: FaultParameters(),
    FaultType.KILL_BEFORE_RECEIPT: FaultParameters(),
    FaultType.KILL_AFTER_RECEIPT: FaultParameters(),
    FaultType.KILL_PRODUCER: FaultParameters(at=_BEFORE, seconds=(0.0, 0.3)),
    FaultType.BROKER_RESTART: FaultParameters(),
    FaultType.BROKER_KILL: FaultParameters(),
    FaultType.BROKER_ALARM: FaultParameters(seconds=(2.0, 8.0), variants=_SELDOM_LONG),
    FaultType.BROKER_ALARM_AND_ERRORS: FaultParameters(
        seconds=(4.0, 10.0), times=(5, 60), variants=_SELDOM_LONG
    ),
    FaultType.BROKER_CUT: FaultParameters(times=(1, 3), variants=("workers", "producer")),
    FaultType.BROKER_HUNG: FaultParameters(seconds=(4.0, 25.0), times=(5, 60), variants=_SELDOM_LONG),
    FaultType.BROKER_NAME_LOST: FaultParameters(seconds=(4.0, 15.0), times=(5, 60)),
    FaultType.DATABASE_RESTART: FaultParameters(seconds=(0.0, 4.0)),
    FaultType.DATABASE_KILL: FaultParameters(seconds=(0.0, 4.0)),
    FaultType.DATABASE_CUT: FaultParameters(times=(1, 3)),
    FaultType.SKOLON_ERROR: FaultParameters(
        seconds=(2.0, 10.0), times=(5, 60), variants=("500", "503", "502-page", "not-json")
    ),
    FaultType.SKOLON_THROTTLED: FaultParameters(seconds=(2.0, 10.0), times=(5, 60), variants=_RETRY_AFTER),
    FaultType.SKOLON_DOWN: FaultParameters(seconds=(3.0, 15.0)),
    FaultType.SKOLON_BLACK_HOLE: FaultParameters(seconds=(3.0, 10.0), variants=_SELDOM_LONG),
    FaultType.SKOLON_SLOW: FaultParameters(seconds=(3.0, 8.0)),
    FaultType.SKOLON_RESET: FaultParameters(times=(1, 5), variants=("reset", "half-close")),
    FaultType.SKOLON_HALF_ANSWER: FaultParameters(times=(3, 30), variants=("reset", "end")),
    FaultType.SKOLON_TOKEN: FaultParameters(times=(1, 3)),
    FaultType.GRAPH_THROTTLED: FaultParameters(
        at=(0.0, 0.8), seconds=(2.0, 10.0), times=(2, 30), variants=_RETRY_AFTER
    ),
    FaultType.GRAPH_ERROR: FaultParameters(
        at=(0.0, 0.8), seconds=(2.0, 10.0), times=(2, 20), variants=("500", "503", "504", "502-page")
    ),
    FaultType.GRAPH_DOWN: FaultParameters(at=(0.0, 0.8), seconds=(2.0, 10.0)),
    FaultType.GRAPH_HALF_ANSWER: FaultParameters(at=(0.0, 0.8), times=(1, 10)),
    FaultType.GRAPH_PAGE_TOKEN: FaultParameters(at=_BEFORE),
    FaultType.GRAPH_REPEATED_LINK: FaultParameters(at=_BEFORE),
    FaultType.GRAPH_EMPTY_PAGE: FaultParameters(at=_BEFORE, times=(1, 3)),
    FaultType.GRAPH_CLAIMS: FaultParameters(at=(0.0, 0.8)),
    FaultType.FEW_FILES: FaultParameters(seconds=(3.0, 10.0), times=(5, 60)),
    FaultType.FORGED_MESSAGES: FaultParameters(times=(10, 40)),
    FaultType.ORGANISATION_BROKEN: FaultParameters(
        at=(0.05, 0.5), seconds=(5.0, 70.0), times=(2, 12), variants=VARIANTS
    ),
    FaultType.CLOCK_JUMP: FaultParameters(
        seconds=(4.0, 12.0), times=(1, 20), variants=("+3600", "+90000", "-900", "-90000")
    ),
}
