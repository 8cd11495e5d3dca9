"""`update-sync database prune`, as a process on a database file with runs of some days ago."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import update

from devtools.commands import json_output, update_sync
from schemas.messages.messages import SyncRequest
from schemas.outcomes import Outcome
from schemas.runs.sync_result import SyncResult
from store import tables
from tests.integration.cli.command_line import (
    run_on_terminal,
)

if TYPE_CHECKING:
    from store.store import Store

USERS = tuple(f"00000000-0000-4000-8000-00000000000{number}" for number in range(3))


def run_days_ago(store: Store, days: int) -> int:
    """Have a complete run that was done so many days ago."""
    run = store.triggers.open(SyncRequest(tenant="exempel"), f"event {days}").run.id
    store.receipts.create_pending(run, USERS)
    for user in USERS:
        store.receipts.finish(run, user, SyncResult(outcome=Outcome.UNCHANGED))
    store.runs.finish_reading(run)
    store.runs.complete_if_done(run)
    moment = dt.datetime.now(dt.UTC) - dt.timedelta(days=days)
    with store.database.transaction() as connection:
        connection.execute(update(tables.runs).where(tables.runs.c.id == run).values(finished=moment))
        of_run = tables.receipts.c.run_id == run
        connection.execute(update(tables.receipts).where(of_run).values(finished_at=moment))
    return run


def test_what_is_older_goes(env: dict[str, str], store: Store) -> None:
    """P3: old receipts go; a run of less than 30 days keeps its sums, an older one goes; twice is once."""
    oldest, old, *_ = (run_days_ago(store, days) for days in (40, 20, 5, 1))
    foreseen = json_output("database", "prune", "--keep-days", "10", "--dry-run", env=env)
    before = json_output("runs", "show", str(old), env=env)
    done = json_output("database", "prune", "--keep-days", "10", env=env)
    assert done == {**foreseen, "dry_run": False, "before": done["before"]}
    assert (done["complete"], done["results"], done["runs"]) == (True, 6, 1)
    assert update_sync("runs", "show", str(oldest), env=env).returncode == 2
    # The run before it is gone, so there is nothing to compare with.
    alone = {**before["scope_change"], "run_before": None, "in_scope_before": None}
    assert json_output("runs", "show", str(old), env=env) == {**before, "pruned": 3, "scope_change": alone}
    assert "3 results of users are removed" in update_sync("runs", "show", str(old), env=env).stdout
    again = update_sync("database", "prune", "--keep-days", "10", env=env)
    assert (again.returncode, again.stdout.split(" (")[0]) == (0, "Removed 0 results of users and 0 runs")


def test_a_terminal_gets_one_line(env: dict[str, str], store: Store) -> None:
    """With a bar that is gone when it ends, a person sees what was removed."""
    for days in (50, 40, 1):
        run_days_ago(store, days)
    code, seen = run_on_terminal("database", "prune", "--keep-days", "10", env=env)
    assert code == 0, seen
    assert "Removed 6 results of users and 2 runs (of 2 that ended before " in seen


@pytest.mark.parametrize("arguments", [(), ("--keep-days", "0"), ("--keep-days", "soon")])
def test_how_long_must_be_said(env: dict[str, str], arguments: tuple[str, ...]) -> None:
    """There is no default for what is thrown away, and everything is no choice: wrong use, exit 2."""
    done = update_sync("database", "prune", *arguments, env=env)
    assert (done.returncode, done.stdout) == (2, "")
    assert "--keep-days" in done.stderr
