"""Receipts that are trusted: who is not asked about again, and who is all the same."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import update

from cli.sandbox.in_process_sync import InProcessSync, in_process_sync
from sandbox.environment import TENANT_KEY, Environment, serve_environment
from schemas.outcomes import Outcome, Status
from store import tables

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from schemas.runs.run import RunSummary

PEOPLE = 40


@pytest.fixture(scope="module")
def made_up(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Environment]:
    with serve_environment(tmp_path_factory.mktemp("world"), users=PEOPLE) as served:
        yield served


@pytest.fixture
def sync(made_up: Environment, tmp_path: Path) -> Iterator[InProcessSync]:
    with in_process_sync(made_up, TENANT_KEY, tmp_path) as together:
        together.store.tenants.change(TENANT_KEY, {"trust_receipts_days": 7})
        yield together


def right(summary: RunSummary) -> int:
    assert summary.run.status is Status.COMPLETED
    return summary.counts.get(Outcome.UPDATED, 0) + summary.counts.get(Outcome.UNCHANGED, 0)


def unchanged_user(sync: InProcessSync, summary: RunSummary) -> str:
    return sync.store.receipts.list(summary.run.id, outcome=Outcome.UNCHANGED)[0].entra_id


def asked_about(made_up: Environment) -> int:
    counts = made_up.microsoft.requests.counts()
    made_up.microsoft.requests.reset()
    return counts.get("birthday", 0) + counts.get("batched birthday", 0)


def test_who_was_found_right_is_not_asked_about_again(made_up: Environment, sync: InProcessSync) -> None:
    """P4: a second run trusts each receipt that says so, keeps the Skolon users, and asks no birthday."""
    first = sync.run()
    asked_about(made_up)
    second, third = sync.run(), sync.run()
    assert first.skipped_verified == 0
    assert second.skipped_verified == third.skipped_verified == right(first) == right(second)
    assert second.counts[Outcome.UNCHANGED] == second.skipped_verified
    assert asked_about(made_up) == 0
    one = sync.store.receipts.get(second.run.id, unchanged_user(sync, second))
    assert one is not None
    assert one.skolon_id
    assert "verified recently" in (one.detail or "")


def test_whoever_changed_is_asked_about(made_up: Environment, sync: InProcessSync) -> None:
    """A value that differs in Entra is written, whatever the last receipt says; the others are trusted."""
    first = sync.run()
    directory = next(iter(made_up.microsoft.directories.values()))
    directory.change(unchanged_user(sync, first), {"surname": "Nyberg"})
    second = sync.run()
    assert second.counts[Outcome.UPDATED] == 1
    assert second.skipped_verified == right(first) - 1


def test_trust_ends_and_does_not_prolong_itself(sync: InProcessSync) -> None:
    """What a trusted receipt passes on is when Skolon was really asked."""
    first = sync.run()
    receipts = tables.receipts
    with sync.store.database.transaction() as connection:
        connection.execute(
            update(receipts).values(verified_at=dt.datetime.now(dt.UTC) - dt.timedelta(days=6, hours=23))
        )
    assert sync.run().skipped_verified == right(first)
    with sync.store.database.transaction() as connection:
        connection.execute(
            update(receipts).values(verified_at=dt.datetime.now(dt.UTC) - dt.timedelta(days=7, hours=1))
        )
    assert sync.run().skipped_verified == 0


@pytest.mark.parametrize("why", ["recheck_all", "named", "settings", "off"])
def test_who_wants_to_know_asks(sync: InProcessSync, why: str) -> None:
    """A thorough run, one of named users, other settings, and a tenant without trust ask about all."""
    first = sync.run()
    unchanged = unchanged_user(sync, first)
    if why == "settings":
        sync.store.tenants.change(TENANT_KEY, {"erase_blank": ["city"]})
    if why == "off":
        sync.store.tenants.change(TENANT_KEY, {"trust_receipts_days": 0})
    second = sync.run(users=(unchanged,)) if why == "named" else sync.run(recheck_all=why == "recheck_all")
    assert second.skipped_verified == 0


@pytest.mark.parametrize(
    "last",
    [{"outcome": Outcome.DEAD_LETTERED}, {"outcome": Outcome.NOT_FOUND}, {"verified_fingerprint": None}],
)
def test_a_last_receipt_that_says_otherwise(sync: InProcessSync, last: dict[str, object]) -> None:
    """After a dead letter, a user that was not found, or an undo, nothing older is trusted."""
    sync.run()
    second = sync.run()
    unchanged, receipts = unchanged_user(sync, second), tables.receipts
    with sync.store.database.transaction() as connection:
        connection.execute(
            update(receipts)
            .where(receipts.c.entra_id == unchanged, receipts.c.run_id == second.run.id)
            .values(last)
        )
    assert sync.run().skipped_verified == second.skipped_verified - 1


def test_a_dry_run_confirms_nothing(sync: InProcessSync) -> None:
    """A dry run is trusted by nobody, and trusts as the run after it will."""
    sync.run(dry_run=True)
    first = sync.run()
    assert first.skipped_verified == 0
    assert sync.run(dry_run=True).skipped_verified == right(first)
