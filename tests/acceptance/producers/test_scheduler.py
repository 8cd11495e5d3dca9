"""`update-sync scheduler` as real processes: two at once, killed and started again, and the minute itself."""

from __future__ import annotations

import datetime as dt
import json
import signal
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

from devtools.commands import json_output, kill_all, running, update_sync, wait_for
from sandbox.environment import TENANT_KEY
from tests.acceptance.producers.due_times import make_due
from tests.acceptance.runs import ended_run

if TYPE_CHECKING:
    from pathlib import Path

    from devtools.services.postgresql import PostgreSQL
    from sandbox.environment import Environment


def said(log: Path, event: str) -> list[dict[str, Any]]:
    """Return the lines of a log that say something."""
    text = log.read_text(encoding="utf-8") if log.exists() else ""
    lines = [json.loads(line) for line in text.splitlines() if line.endswith("}")]
    return [line for line in lines if line["event"] == event]


def events(postgresql: PostgreSQL, database_url: str) -> list[tuple[str, int]]:
    """Return which events have led to which runs."""
    with postgresql.connect(database_url) as connection:
        return connection.execute("SELECT event_id, run_id FROM triggers ORDER BY event_id").fetchall()


def test_two_schedulers_trigger_one_run_when_its_minute_comes(
    made_up: Environment,
    env: dict[str, str],
    postgresql: PostgreSQL,
    upgraded_database_url: str,
    tmp_path: Path,
) -> None:
    """P4: of two schedulers that wait for the same minute one publishes what is due, and it runs once."""
    logs = [tmp_path / "one.log", tmp_path / "other.log"]
    with ExitStack() as stack:
        stack.enter_context(running("producer", env=env, log=tmp_path / "producer.log"))
        stack.enter_context(running("worker", env=env, log=tmp_path / "worker.log"))
        for log in logs:
            stack.enter_context(running("scheduler", env=env, log=log))
        # Far enough for both to be there by then, or else they catch it up.
        due = (dt.datetime.now(dt.UTC) + dt.timedelta(seconds=70)).replace(second=0, microsecond=0)
        nightly = f"{due.minute} {due.hour} * * *"
        done = update_sync("tenants", "set", TENANT_KEY, "--schedule", nightly, "--time-zone", "UTC", env=env)
        assert done.returncode == 0, done.stderr
        run = ended_run(env, 1)
        # Whoever looks now finds that it is done.
        again = json_output("scheduler", "--once", env=env)

    event = f"schedule/{TENANT_KEY}/{due:%Y-%m-%dT%H:%MZ}"
    assert again == []
    assert events(postgresql, upgraded_database_url) == [(event, int(run["run"]))]
    assert (run["status"], run["mode"], run["published"]) == ("completed", "full", made_up.municipality.size)
    [line] = [line for log in logs for line in said(log, "run_triggered")]
    assert (line["tenant"], line["event_id"], line["mode"]) == (TENANT_KEY, event, "full")


def test_a_killed_scheduler_triggers_nothing_twice(
    env: dict[str, str], postgresql: PostgreSQL, upgraded_database_url: str, tmp_path: Path
) -> None:
    """P4: what was missed is caught up once, however often schedulers are killed and started again."""
    make_due(postgresql, upgraded_database_url, TENANT_KEY, env=env)
    logs = [tmp_path / f"scheduler-{number}.log" for number in range(3)]
    with ExitStack() as stack:
        for log in logs[:2]:
            scheduler = stack.enter_context(running("scheduler", env=env, log=log))
            wait_for(lambda log=log: said(log, "process_started"), "a scheduler")  # type: ignore[misc] # bound at once
            wait_for(lambda: any(said(log, "run_triggered") for log in logs), "a trigger")
            kill_all(scheduler)
        last = stack.enter_context(running("scheduler", env=env, log=logs[2]))
        again = json_output("scheduler", "--once", env=env)
        # Only now somebody takes what was published.
        stack.enter_context(running("producer", env=env, log=tmp_path / "producer.log"))
        wait_for(lambda: json_output("runs", "list", env=env), "a run")
        last.send_signal(signal.SIGTERM)
        code = last.wait(10)

    assert (again, code) == ([], 0)
    assert len(json_output("runs", "list", env=env)) == len(events(postgresql, upgraded_database_url)) == 1
    assert sum(len(said(log, "run_triggered")) for log in logs) == 1
