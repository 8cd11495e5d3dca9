"""Runs a schedule of faults: each at its share of progress, then waits for the end of the run."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from devtools.chaos.fault_types import FaultType
from devtools.chaos.faults import clock_jumps, crashes, forgeries, other_tenants, outages, upstream

if TYPE_CHECKING:
    from collections.abc import Callable

    from devtools.chaos.environment import Environment, Progress
    from devtools.chaos.schedule import Event, Schedule

#: Seconds without progress after which the next fault comes although its share has not been reached.
STALLED: Final = 20.0
#: Seconds from the last fault's lifting to the end of the run.
RECOVERY: Final = 300.0
#: Seconds for a fault to be done with; none lasts nearly so long.
LONGEST: Final = 400.0
#: Seconds for the faults of a round that is broken off to be lifted.
LIFTED: Final = 60.0

CARRY_OUT: Final[dict[FaultType, Callable[[Environment, Event], bool]]] = {
    FaultType.KILL_WORKER: crashes.kill_worker,
    FaultType.KILL_POOL: crashes.kill_pool,
    FaultType.KILL_BEFORE_PATCH: crashes.kill_before_patch,
    FaultType.KILL_AFTER_PATCH: crashes.kill_after_patch,
    FaultType.KILL_BEFORE_RECEIPT: crashes.kill_before_receipt,
    FaultType.KILL_AFTER_RECEIPT: crashes.kill_after_receipt,
    FaultType.KILL_PRODUCER: crashes.kill_producer,
    FaultType.BROKER_RESTART: outages.restart_broker,
    FaultType.BROKER_KILL: outages.kill_broker,
    FaultType.BROKER_ALARM: outages.alarm_broker,
    FaultType.BROKER_ALARM_AND_ERRORS: outages.alarm_broker_among_errors,
    FaultType.BROKER_CUT: outages.cut_broker,
    FaultType.BROKER_HUNG: outages.hang_broker,
    FaultType.BROKER_NAME_LOST: outages.lose_name_of_broker,
    FaultType.DATABASE_RESTART: outages.restart_database,
    FaultType.DATABASE_KILL: outages.kill_database,
    FaultType.DATABASE_CUT: outages.cut_database,
    FaultType.SKOLON_ERROR: upstream.skolon_error,
    FaultType.SKOLON_THROTTLED: upstream.skolon_throttled,
    FaultType.SKOLON_DOWN: upstream.skolon_down,
    FaultType.SKOLON_BLACK_HOLE: upstream.skolon_black_hole,
    FaultType.SKOLON_SLOW: upstream.skolon_slow,
    FaultType.SKOLON_RESET: upstream.skolon_reset,
    FaultType.SKOLON_HALF_ANSWER: upstream.skolon_half_answer,
    FaultType.SKOLON_TOKEN: upstream.skolon_token,
    FaultType.GRAPH_THROTTLED: upstream.graph_throttled,
    FaultType.GRAPH_ERROR: upstream.graph_error,
    FaultType.GRAPH_DOWN: upstream.graph_down,
    FaultType.GRAPH_HALF_ANSWER: upstream.graph_half_answer,
    FaultType.GRAPH_PAGE_TOKEN: upstream.graph_page_token,
    FaultType.GRAPH_REPEATED_LINK: upstream.graph_repeated_link,
    FaultType.GRAPH_EMPTY_PAGE: upstream.graph_empty_page,
    FaultType.GRAPH_CLAIMS: upstream.graph_claims,
    FaultType.FEW_FILES: outages.leave_few_files,
    FaultType.CLOCK_JUMP: clock_jumps.clock_jump,
    FaultType.FORGED_MESSAGES: forgeries.forge_messages,
    FaultType.ORGANISATION_BROKEN: other_tenants.break_organisation,
}
#: What has to be done before the run begins for a fault that comes during it.
PREPARE: Final[dict[FaultType, Callable[[Environment, Event], None]]] = {
    FaultType.KILL_PRODUCER: crashes.watch_producer
}

#: The causes for which a kind of fault may halt the run, and an operator is to resume it.
HALTS: Final[dict[FaultType, str]] = {FaultType.GRAPH_REPEATED_LINK: "page_loop"}


@dataclass(kw_only=True)
class RoundLog:
    """How a round went: what was carried out, what came too late, and how the run ended.

    `recovery` is in seconds from the moment when the last fault was lifted to the end of the run;
    it is 0 when the run ended before that. A broken organisation is healed after that end, and its own
    run's is what counts, if that takes longer. `broken` tells of faults that could not be carried out.
    """

    carried_out: list[Event] = field(default_factory=list)
    missed: list[Event] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)
    #: Causes for which the run was halted and that none of the schedule's faults brings about.
    unforeseen_halts: list[str] = field(default_factory=list)
    #: Causes for which the run was halted as foreseen, and resumed as an operator would.
    resumed: list[str] = field(default_factory=list)
    ended: bool = False
    recovery: float = 0.0


def run_schedule(environment: Environment, schedule: Schedule) -> RoundLog:
    """Trigger the run, let the schedule happen to it, and wait until it has ended."""
    return _Runner(environment, schedule).run_schedule()


class _Runner:
    def __init__(self, environment: Environment, schedule: Schedule) -> None:
        self._scene = environment
        self._schedule = schedule
        self._course = RoundLog()
        #: When the last fault was lifted that is not to outlast the run.
        self._lifted: float | None = None
        self._lock = threading.Lock()
        self._threads: list[threading.Thread] = []
        self._people = environment.municipality.size

    def run_schedule(self) -> RoundLog:
        try:
            self._run()
        finally:
            # Faults that still last, because the round was broken off, are lifted before anything is ended.
            self._scene.stopped.set()
            for thread in self._threads:
                thread.join(LIFTED)
        return self._course

    def _run(self) -> None:
        before = [event for event in self._schedule.events if event.at == 0]
        for event in before:
            if event.fault in PREPARE:
                PREPARE[event.fault](self._scene, event)
        for event in before:
            self._begin(event)
        self._scene.trigger()
        for event in self._schedule.events:
            if event.at > 0:
                if self._await_share(event.at):
                    self._begin(event)
                else:
                    self._course.missed.append(event)
        for thread in self._threads:
            self._await_thread(thread)
        self._await_end()
        self._await_other_tenants()

    def _begin(self, event: Event) -> None:
        thread = threading.Thread(target=self._carry_out, args=(event,), name=str(event.fault), daemon=True)
        thread.start()
        self._threads.append(thread)

    def _carry_out(self, event: Event) -> None:
        try:
            done = CARRY_OUT[event.fault](self._scene, event)
        except Exception as error:  # noqa: BLE001 - a fault that does not work is told, not hidden
            with self._lock:
                self._course.broken.append(f"{event.fault}: {type(error).__name__}: {error}")
            return
        with self._lock:
            (self._course.carried_out if done else self._course.missed).append(event)
            if done and event.fault is not FaultType.ORGANISATION_BROKEN:
                self._lifted = time.monotonic()

    def _await_share(self, share: float) -> bool:
        """Wait until so many have an outcome, or nothing moves any more; False when the run has ended."""
        settled, since = -1, time.monotonic()
        while True:
            progress = self._progress()
            if progress is not None:
                if progress.ended:
                    return False
                if progress.settled >= share * self._people:
                    return True
                if progress.settled != settled:
                    settled, since = progress.settled, time.monotonic()
            if time.monotonic() - since > STALLED:
                return True
            self._scene.stopped.wait(0.1)

    def _await_thread(self, thread: threading.Thread) -> None:
        end = time.monotonic() + LONGEST
        while thread.is_alive() and time.monotonic() < end:
            self._progress()
            thread.join(0.1)
        if thread.is_alive():
            with self._lock:
                self._course.broken.append(f"{thread.name} does not end")

    def _await_end(self) -> None:
        end = time.monotonic() + RECOVERY
        while time.monotonic() < end:
            progress = self._progress()
            if progress is not None and progress.ended:
                self._course.ended = True
                break
            self._scene.stopped.wait(0.1)
        if self._lifted is not None:
            self._course.recovery = time.monotonic() - self._lifted

    def _await_other_tenants(self) -> None:
        if self._scene.breakage is None:
            return
        outlasted = other_tenants.await_aftermath(self._scene, self._scene.breakage)
        self._course.broken += outlasted.surprises
        self._course.recovery = max(self._course.recovery, outlasted.recovery)

    def _progress(self) -> Progress | None:
        """Look at the run, and resume it where that is the operator's part."""
        progress = self._scene.progress()
        if progress is None or progress.status != "halted":
            return progress
        cause = str(progress.cause)
        expected = {HALTS.get(event.fault) for event in self._schedule.events}
        if cause not in expected:
            if cause not in self._course.unforeseen_halts:
                self._course.unforeseen_halts.append(cause)
            return progress
        if self._scene.command("runs", "resume", "1"):
            self._course.resumed.append(cause)
        return None
