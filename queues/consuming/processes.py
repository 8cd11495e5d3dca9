"""Worker processes: forked, watched over and ended together; SIGTERM ends them, SIGHUP starts them afresh."""

from __future__ import annotations

import gc
import os
import random
import signal
import sys
import time
from importlib import import_module
from typing import TYPE_CHECKING, Final, NoReturn

import structlog
from dramatiq import Worker, get_broker, set_broker

from queues.consuming.gevent_patch import exit_code_of, fork
from queues.consuming.liveness import Liveness
from queues.consuming.worker_shutdown import stop_worker
from queues.queue_names import main_queue, work_queues
from runtime.stop_signals import STOP_SIGNALS, SignalPipe, handle_stop_signals
from runtime.version import VERSION
from schemas.errors import UpdateSyncError, error_location

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from dramatiq import Broker

#: Seconds after SIGTERM for what a process has in hand to be done; then it is given back.
GRACE_PERIOD: Final = 4.0
#: Seconds after SIGTERM until a worker process ends in any case, until the kernel ends it for us, and until
#: the master ends in any case, whatever it is at. Containers are killed after ten.
WORKER_DEADLINE: Final = 7.5
KILL_DEADLINE: Final = 8.5
MASTER_DEADLINE: Final = 9.0

#: Seconds between two looks whether to end.
_POLL_INTERVAL: Final = 0.1

_FAILED: Final = 1

#: New objects between two looks for garbage: one user makes some hundred.
_NEW_OBJECTS: Final = 10_000

#: What a master hears besides: to start afresh, and that a child has ended.
_NOTED: Final = (signal.SIGHUP, signal.SIGCHLD)
_WATCHED: Final = (*STOP_SIGNALS, *_NOTED)

_log = structlog.get_logger(__name__)


def run_processes(build: str, *, queues: Sequence[str], processes: int, threads: int) -> int:
    """Work off `queues` until a signal ends it, and return the exit code: 0 when it was asked to end.

    `build` names the function (`package.module:function`) that puts a process together. When one of the
    processes ends by itself the others are ended too, and the code is 1: what supervises starts all again.
    """
    module, _, function = build.partition(":")
    # Here, once, so that the processes share what it takes in memory.
    work = getattr(import_module(module), function)
    signals, children, master = SignalPipe(), set[int](), os.getpid()
    for number in _NOTED:
        # What came is read from the pipe; without a handler the kernel would decide.
        signal.signal(number, _ignore_signal)
    handle_stop_signals(
        _ignore_signal, exit_code=0, deadline=MASTER_DEADLINE, children=children, relay=signals
    )
    for _ in range(processes):
        # A child is not to take for its own what comes before it has handlers of its own. No longer than
        # that: until it is let through, no time begins to run.
        signal.pthread_sigmask(signal.SIG_BLOCK, _WATCHED)
        child = fork()
        if child == 0:
            _run_worker_process(
                work, [each for queue in queues for each in work_queues(queue)], threads, master
            )
        children.add(child)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _WATCHED)
    code, restart = _Pool(children, signals).watch()
    if restart:
        # What comes meanwhile waits for `cli.entrypoint`, which lets the signals through again.
        signal.pthread_sigmask(signal.SIG_BLOCK, STOP_SIGNALS)
        os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:]])  # noqa: S606 - ourselves once more
    return code


def set_process_broker(broker: Broker) -> None:
    """Give this process's broker to `run_processes`, and have its threads looked after; `build` calls it."""
    broker.add_middleware(Liveness())
    set_broker(broker)


class _Pool:
    """The worker processes as their master sees them."""

    def __init__(self, running: set[int], signals: SignalPipe) -> None:
        self._running = running
        self._signals = signals
        self._ends: float | None = None
        self._code = 0

    def watch(self) -> tuple[int, bool]:
        """Return when all have ended: the exit code, and whether to start afresh."""
        restart = False
        while self._running:
            came = self._signals.wait(1.0 if self._ends is None else min(1.0, self._ends - time.monotonic()))
            asked = [number for number in came if number in STOP_SIGNALS]
            if asked and self._ends is not None:
                self._send(signal.SIGKILL)
            elif asked or signal.SIGHUP in came:
                restart = not asked
                self._end()
            if self._ends is not None and time.monotonic() >= self._ends:
                self._send(signal.SIGKILL)
            self._collect()
        return self._code, restart and self._code == 0

    def _end(self) -> None:
        if self._ends is None:
            self._ends = time.monotonic() + KILL_DEADLINE
            self._send(signal.SIGTERM)

    def _send(self, number: signal.Signals) -> None:
        for child in self._running:
            # It is ours until its exit code is collected, so the number has not been reused.
            os.kill(child, number)

    def _collect(self) -> None:
        """Take note of who has ended; who was not asked to has the others end as well."""
        for child in tuple(self._running):
            code = exit_code_of(child)
            if code is None:
                continue
            self._running.remove(child)
            if self._ends is None:
                _log.error("worker_process_died", pid=child, code=code)
                self._code = _FAILED
                self._end()
            elif code > 0:
                self._code = _FAILED


def _ignore_signal(*_: object) -> None:
    """Do nothing where a signal finds the main thread."""


class _Stopping:
    """Whether this process has been asked to end; before it works on anything, it ends at once."""

    def __init__(self) -> None:
        self.working = False
        self.asked = False

    def __call__(self, _number: int) -> None:
        self.asked = True
        if not self.working:
            os._exit(0)


def _run_worker_process(
    build: Callable[[], object], queues: Sequence[str], threads: int, master: int
) -> NoReturn:
    """Be one of the processes, from its fork to its end."""
    code = _FAILED
    try:
        for number in (signal.SIGINT, signal.SIGHUP):
            # A terminal sends them to all processes; the master decides what they mean.
            signal.signal(number, signal.SIG_IGN)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        stopping = _Stopping()
        handle_stop_signals(
            stopping, exit_code=0, deadline=WORKER_DEADLINE, parent=master, kill_on_repeat=False
        )
        signal.pthread_sigmask(signal.SIG_UNBLOCK, (signal.SIGHUP, signal.SIGCHLD))
        random.seed()
        _run_worker(build, queues, threads, stopping)
        code = 0
    except SystemExit:
        # Said already, by who raised it (`queues.consuming.liveness`).
        code = _FAILED
    except UpdateSyncError as error:
        _log.error("worker_process_unusable", error=str(error))
    except BaseException as error:  # noqa: BLE001 - said without its text, which may hold anything (P6)
        _log.error("worker_process_failed", error=type(error).__name__, place=error_location(error))
    finally:
        # Not as Python ends: that would wait for threads which wait for others.
        os._exit(code)


def _run_worker(
    build: Callable[[], object], queues: Sequence[str], threads: int, stopping: _Stopping
) -> None:
    build()
    # After `build`, which sets up the log.
    log = _log.bind(pid=os.getpid())
    log.info(
        "process_started",
        version=VERSION,
        queues=sorted({main_queue(each) for each in queues}),
        threads=threads,
    )
    broker = get_broker()
    broker.emit_after("process_boot")
    worker = Worker(broker, queues=set(queues), worker_threads=threads)
    stopping.working = True
    worker.start()
    # What is there now stays. To look through it for garbage again and again took an eighth of the time.
    gc.collect()
    gc.freeze()
    gc.set_threshold(_NEW_OBJECTS)
    log.info("process_ready")
    while not stopping.asked:
        time.sleep(_POLL_INTERVAL)
    log.info("process_stopping", grace_seconds=GRACE_PERIOD)
    stop_worker(worker, grace_period=GRACE_PERIOD)
    broker.close()
    log.info("process_stopped")
