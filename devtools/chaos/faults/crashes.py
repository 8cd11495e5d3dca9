"""Processes that are killed: at any moment, or between two particular steps."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING, Final

from devtools.chaos.environment import PAGES

if TYPE_CHECKING:
    import psycopg

    from devtools.chaos.environment import Environment
    from devtools.chaos.results.request_log import Moment
    from devtools.chaos.schedule import Event

#: Seconds to wait for a particular moment; the run may have passed it for good.
MOMENT: Final = 30.0

#: The number of the suite's own advisory lock in its own database.
_LOCK: Final = 7_003

_INSTALL: Final = f"""
CREATE FUNCTION chaos_hold() RETURNS trigger LANGUAGE plpgsql AS
'BEGIN PERFORM pg_advisory_xact_lock_shared({_LOCK}); RETURN NEW; END';
CREATE TRIGGER chaos_hold BEFORE UPDATE ON receipts FOR EACH ROW
WHEN (OLD.outcome = 'pending' AND NEW.outcome <> 'pending') EXECUTE FUNCTION chaos_hold()
"""
_REMOVE: Final = "DROP TRIGGER IF EXISTS chaos_hold ON receipts; DROP FUNCTION IF EXISTS chaos_hold()"
_HELD: Final = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"


def kill_worker(environment: Environment, event: Event) -> bool:
    """Kill one of the pool's processes; dramatiq ends the others in order, and the pool with them."""
    return environment.wait(MOMENT, lambda: environment.workers.kill_one(event.place))


def kill_pool(environment: Environment, _event: Event) -> bool:
    """Kill all workers at once, as a crash of their machine would."""
    return environment.wait(MOMENT, environment.workers.kill)


def kill_before_patch(environment: Environment, event: Event) -> bool:
    """Kill the workers when a PATCH has come to Skolon, which then loses it or carries it out late."""
    if not _met(environment, "before-patch"):
        return False
    killed = environment.workers.kill()
    environment.stand_ins.decide("before-patch", "cut" if event.variant == "lost" else "go-on")
    return killed


def kill_after_patch(environment: Environment, _event: Event) -> bool:
    """Kill the workers when a PATCH has been carried out, and before its answer is sent."""
    if not _met(environment, "after-patch"):
        return False
    killed = environment.workers.kill()
    environment.stand_ins.decide("after-patch", "go-on")
    return killed


def kill_before_receipt(environment: Environment, _event: Event) -> bool:
    """Kill the workers while their receipts wait in PostgreSQL for leave to be written."""
    with (
        environment.servers.database_lock,
        closing(environment.servers.connect(environment.database_url)) as connection,
    ):
        connection.execute(f"SELECT pg_advisory_lock({_LOCK})".encode())
        connection.execute(_INSTALL.encode())
        try:
            held = environment.comes(MOMENT, lambda: _number(connection, _HELD) > 0)
            return held and environment.workers.kill()
        finally:
            # First the lock: a receipt that waits for it holds the table that the trigger is on.
            connection.execute("SELECT pg_advisory_unlock_all()")
            connection.execute(_REMOVE.encode())


def kill_after_receipt(environment: Environment, _event: Event) -> bool:
    """Kill the workers after receipts were written, with none of the acknowledgements delivered."""
    environment.workers_broker.hold(to_client=False)
    try:
        before = _settled(environment)
        written = environment.comes(MOMENT, lambda: _settled(environment) > before)
        return written and environment.workers.kill()
    finally:
        # What was held is lost with its connection, and never delivered late.
        environment.workers_broker.cut()
        environment.workers_broker.release()


def watch_producer(environment: Environment, event: Event) -> None:
    """Before the run begins: ask to be told of the page at which the producer is to be killed."""
    environment.stand_ins.watch("page", int(event.place * (PAGES - 1)))


def kill_producer(environment: Environment, event: Event) -> bool:
    """Kill the producer around the moment at which Graph sends it a page.

    The answer is on its way for `event.seconds` before the kill; `event.place` says which page it is.
    """
    if not _come(environment, "page"):
        return False
    environment.stand_ins.decide("page", "go-on")
    environment.stopped.wait(event.seconds)
    return environment.producer.kill()


def _met(environment: Environment, moment: Moment) -> bool:
    """Ask for a moment and wait for it; False when the run ends without it."""
    environment.stand_ins.watch(moment)
    return _come(environment, moment)


def _come(environment: Environment, moment: Moment) -> bool:
    come = environment.comes(MOMENT, lambda: environment.stand_ins.has_come(moment))
    if not come:
        environment.stand_ins.forget_moments()
    return come


def _settled(environment: Environment) -> int:
    progress = environment.progress()
    return 0 if progress is None else progress.settled


def _number(connection: psycopg.Connection, query: str) -> int:
    row = connection.execute(query.encode()).fetchone()
    return int(row[0]) if row else 0
