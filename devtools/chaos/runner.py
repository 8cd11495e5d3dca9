"""Carries a schedule out on a scene: each fault at its share of progress, then the wait for the run's end."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from devtools.chaos import clock
from devtools.chaos.fault_types import Kind
from devtools.chaos.faults import crashes, forgeries, outages
from devtools.chaos.faults import other_tenants as company
from devtools.chaos.faults import upstream as neighbours

if TYPE_CHECKING:
    from collections.abc import Callable

    from devtools.chaos.environment import Progress, Scene
    from devtools.chaos.schedule import Event, Schedule

#: Seconds without progress after which the next fault comes although its share has not been reached.
STALLED: Final = 20.0
#: Seconds from the last fault's lifting to the end of the run.
RECOVERY: Final = 300.0
#: Seconds for a fault to be done with; none lasts nearly so long.
LONGEST: Final = 400.0
#: Seconds for the faults of a round that is broken off to be lifted.
LIFTED: Final = 60.0

CARRY_OUT: Final[dict[Kind, Callable[[Scene, Event], bool]]] = {
    Kind.KILL_WORKER: crashes.kill_worker,
    Kind.KILL_POOL: crashes.kill_pool,
    Kind.KILL_BEFORE_PATCH: crashes.kill_before_patch,
    Kind.KILL_AFTER_PATCH: crashes.kill_after_patch,
    Kind.KILL_BEFORE_RECEIPT: crashes.kill_before_receipt,
    Kind.KILL_AFTER_RECEIPT: crashes.kill_after_receipt,
    Kind.KILL_PRODUCER: crashes.kill_producer,
    Kind.BROKER_RESTART: outages.restart_broker,
    Kind.BROKER_KILL: outages.kill_broker,
    Kind.BROKER_ALARM: outages.alarm_broker,
    Kind.BROKER_ALARM_AND_ERRORS: outages.alarm_broker_among_errors,
    Kind.BROKER_CUT: outages.cut_broker,
    Kind.BROKER_HUNG: outages.hang_broker,
    Kind.BROKER_NAME_LOST: outages.lose_name_of_broker,
    Kind.DATABASE_RESTART: outages.restart_database,
    Kind.DATABASE_KILL: outages.kill_database,
    Kind.DATABASE_CUT: outages.cut_database,
    Kind.SKOLON_ERROR: neighbours.skolon_error,
    Kind.SKOLON_THROTTLED: neighbours.skolon_throttled,
    Kind.SKOLON_DOWN: neighbours.skolon_down,
    Kind.SKOLON_BLACK_HOLE: neighbours.skolon_black_hole,
    Kind.SKOLON_SLOW: neighbours.skolon_slow,
    Kind.SKOLON_RESET: neighbours.skolon_reset,
    Kind.SKOLON_HALF_ANSWER: neighbours.skolon_half_answer,
    Kind.SKOLON_TOKEN: neighbours.skolon_token,
    Kind.GRAPH_THROTTLED: neighbours.graph_throttled,
    Kind.GRAPH_ERROR: neighbours.graph_error,
    Kind.GRAPH_DOWN: neighbours.graph_down,
    Kind.GRAPH_HALF_ANSWER: neighbours.graph_half_answer,
    Kind.GRAPH_PAGE_TOKEN: neighbours.graph_page_token,
    Kind.GRAPH_REPEATED_LINK: neighbours.graph_repeated_link,
    Kind.GRAPH_EMPTY_PAGE: neighbours.graph_empty_page,
    Kind.GRAPH_CLAIMS: neighbours.graph_claims,
    Kind.FEW_FILES: outages.leave_few_files,
    Kind.CLOCK_JUMP: clock.clock_jump,
    Kind.FORGED_MESSAGES: forgeries.forge_messages,
    Kind.ORGANISATION_BROKEN: company.break_organisation,
}
#: What has to be done before the run begins for a fault that comes during it.
PREPARE: Final[dict[Kind, Callable[[Scene, Event], None]]] = {Kind.KILL_PRODUCER: crashes.watch_producer}

#: The causes for which a kind of fault may halt the run, and an operator is to resume it.
HALTS: Final[dict[Kind, str]] = {Kind.GRAPH_REPEATED_LINK: "page_loop"}


@dataclass(kw_only=True)
class Course:
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


def conduct(scene: Scene, schedule: Schedule) -> Course:
    """Trigger the run, let the schedule happen to it, and wait until it has ended."""
    return _Conductor(scene, schedule).conduct()


class _Conductor:
    def __init__(self, scene: Scene, schedule: Schedule) -> None:
        self._scene = scene
        self._schedule = schedule
        self._course = Course()
        #: When the last fault was lifted that is not to outlast the run.
        self._lifted: float | None = None
        self._lock = threading.Lock()
        self._threads: list[threading.Thread] = []
        self._people = scene.municipality.size

    def conduct(self) -> Course:
        try:
            self._conduct()
        finally:
            # Faults that still last, because the round was broken off, are lifted before anything is ended.
            self._scene.stopped.set()
            for thread in self._threads:
                thread.join(LIFTED)
        return self._course

    def _conduct(self) -> None:
        before = [event for event in self._schedule.events if event.at == 0]
        for event in before:
            if event.kind in PREPARE:
                PREPARE[event.kind](self._scene, event)
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
        self._await_company()

    def _begin(self, event: Event) -> None:
        thread = threading.Thread(target=self._carry_out, args=(event,), name=str(event.kind), daemon=True)
        thread.start()
        self._threads.append(thread)

    def _carry_out(self, event: Event) -> None:
        try:
            done = CARRY_OUT[event.kind](self._scene, event)
        except Exception as error:  # noqa: BLE001 - a fault that does not work is told, not hidden
            with self._lock:
                self._course.broken.append(f"{event.kind}: {type(error).__name__}: {error}")
            return
        with self._lock:
            (self._course.carried_out if done else self._course.missed).append(event)
            if done and event.kind is not Kind.ORGANISATION_BROKEN:
                self._lifted = time.monotonic()

    def _await_share(self, share: float) -> bool:
        """Wait until so many have an outcome, or nothing moves any more; False when the run has ended."""
        settled, since = -1, time.monotonic()
        while True:
            progress = self._look()
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
            self._look()
            thread.join(0.1)
        if thread.is_alive():
            with self._lock:
                self._course.broken.append(f"{thread.name} does not end")

    def _await_end(self) -> None:
        end = time.monotonic() + RECOVERY
        while time.monotonic() < end:
            progress = self._look()
            if progress is not None and progress.ended:
                self._course.ended = True
                break
            self._scene.stopped.wait(0.1)
        if self._lifted is not None:
            self._course.recovery = time.monotonic() - self._lifted

    def _await_company(self) -> None:
        if self._scene.breakage is None:
            return
        outlasted = company.outlast(self._scene, self._scene.breakage)
        self._course.broken += outlasted.surprises
        self._course.recovery = max(self._course.recovery, outlasted.recovery)

    def _look(self) -> Progress | None:
        """Look at the run, and resume it where that is the operator's part."""
        progress = self._scene.progress()
        if progress is None or progress.status != "halted":
            return progress
        cause = str(progress.cause)
        expected = {HALTS.get(event.kind) for event in self._schedule.events}
        if cause not in expected:
            if cause not in self._course.unforeseen_halts:
                self._course.unforeseen_halts.append(cause)
            return progress
        if self._scene.command("runs", "resume", "1"):
            self._course.resumed.append(cause)
        return None
