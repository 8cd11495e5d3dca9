"""A source that fails for all users: the guard halts the run, and says which attribute and why."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from administration.tenants.preview import preview_of
from devtools.commands import command_environment, json_output, update_sync
from sandbox.environment import TENANT_KEY
from schemas.messages.messages import USER_SYNC_QUEUE
from schemas.outcomes import Cause, Outcome, Status
from tests.integration.cli.json_docs import faults

if TYPE_CHECKING:
    from pathlib import Path

    from cli.sandbox.in_process_sync import InProcessSync

PEOPLE = 200
#: A quarter of the users, by default; and those that the sandbox's eight threads work on at that moment.
LIMIT = PEOPLE // 4
IN_HAND = 8
#: The name of a school is no EPPN: it has no domain.
WRONG_SOURCE = {"sources": {"eppn": ["extensionAttribute2"]}}


@pytest.fixture
def env(tmp_path: Path) -> dict[str, str]:
    return command_environment(UPDATE_SYNC_DATABASE_URL=f"sqlite:///{tmp_path / 'sandbox.sqlite'}")


def test_a_run_in_which_all_fail_is_halted(sync: InProcessSync, env: dict[str, str]) -> None:
    """P7: a quarter may fail by default; what a person reads names the attribute and the reason."""
    sync.store.tenants.change(TENANT_KEY, WRONG_SOURCE)

    halted = sync.run()
    sync.broker.join(USER_SYNC_QUEUE, timeout=60_000, fail_fast=False)

    assert (halted.run.status, halted.run.cause) == (Status.HALTED, Cause.GUARD_EXCEEDED)
    settled = sync.store.runs.summary(halted.run.id)
    assert LIMIT < settled.counts[Outcome.DEAD_LETTERED] <= LIMIT + 1 + IN_HAND
    shown = update_sync("runs", "show", str(halted.run.id), env=env)
    text = " ".join(shown.stdout.split())
    limit = rf"(\d+) of {PEOPLE} users cannot be updated; the limit \(guard\.failed\) is 20 users and 25%"
    told = re.search(limit, text)
    assert told is not None, text
    assert LIMIT < int(told[1]) <= LIMIT + 1 + IN_HAND
    assert "most often invalid_user (EPPN)" in text
    found = json_output("runs", "show", str(halted.run.id), env=env)
    assert found["cause"] == "guard_exceeded"
    first = found["failures"][0]
    assert (first["reason"], first["attributes"]) == ("invalid_user", ["eppn"])
    assert sum(group["users"] for group in found["failures"]) == found["outcomes"]["dead_lettered"]


def test_a_preview_says_that_the_guard_would_halt_it(sync: InProcessSync) -> None:
    """The dry run itself is let through, so that it shows all that would fail."""
    dry = sync.run(dry_run=True, settings=WRONG_SOURCE)

    assert dry.run.status is Status.COMPLETED
    found = preview_of(dry, sync.store.tenants.settings(TENANT_KEY), sync.store)
    assert dry.counts[Outcome.DEAD_LETTERED] > 0.9 * (PEOPLE - dry.counts[Outcome.OUT_OF_SCOPE])
    (excess,) = found.would_halt
    assert "(guard.failed)" in excess
    assert found.as_json()["failures"][0]["attributes"] == ["eppn"]
    assert list(faults(found.as_json(), "Preview")) == []


def test_few_failures_are_no_reason_to_halt(sync: InProcessSync) -> None:
    """A run with the made-up municipality's usual faults is completed, and its failures are counted."""
    usual = sync.run()

    assert usual.run.status is Status.COMPLETED
    assert sync.store.guard_counters.counts(usual.run.id).failed == usual.counts[Outcome.DEAD_LETTERED]
