"""What the tests of delta runs do and look at."""

from __future__ import annotations

import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from producers.resume import publish_pending
from sandbox.microsoft.faults import Effect, Fault
from sandbox.microsoft.http_messages import Kind
from sandbox.municipality.changes import changed_users
from schemas.messages.messages import USER_SYNC_QUEUE
from schemas.outcomes import Mode, Outcome, Status

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from cli.sandbox.in_process_sync import InProcessSync
    from sandbox.environment import Environment
    from sandbox.microsoft.directory import Directory
    from schemas.runs.run import RunSummary

#: Seconds. Nothing in these tests takes longer, on a machine that is busy with something else.
DEADLINE = 60


def directory(made_up: Environment) -> Directory:
    return next(iter(made_up.microsoft.directories.values()))


def delta(sync: InProcessSync, **request: Any) -> RunSummary:
    return sync.run(mode=Mode.DELTA, **request)


def asked(made_up: Environment) -> dict[str, int]:
    """Return how many requests Graph got since the last look, tokens apart."""
    counts = made_up.microsoft.requests.counts()
    made_up.microsoft.requests.reset()
    return {kind: count for kind, count in counts.items() if kind not in (Kind.TOKEN, Kind.DISCOVERY)}


def counts(summary: RunSummary) -> dict[str, int]:
    return {str(outcome): count for outcome, count in summary.counts.items() if count}


def change(made_up: Environment, count: int, seed: int = 1) -> list[str]:
    """Change something about so many people in Entra; return their ids."""
    users = changed_users(made_up.municipality, count, seed=seed)
    for user in users:
        directory(made_up).change(user["id"], user)
    return [user["id"] for user in users]


def rename(made_up: Environment, user_id: str, surname: str) -> None:
    directory(made_up).change(user_id, {"surname": surname})


def crowd(made_up: Environment, people: int) -> None:
    """Add people of whom nothing is asked but that they be counted."""
    for number in range(people):
        user_id = f"00000000-0000-4000-8000-{number:012d}"
        directory(made_up).add({"id": user_id, "accountEnabled": False, "userType": "Member"})


def surnames(made_up: Environment) -> dict[str, str]:
    """Return the surnames that Skolon holds, by Entra id."""
    return {user.get("externalId", ""): user["name"]["familyName"] for user in made_up.skolon_users()}


def all_is_right(sync: InProcessSync) -> None:
    """Assert that Skolon equals Entra: a full run changes no user."""
    summary = sync.run()
    assert summary.run.status is Status.COMPLETED
    assert Outcome.UPDATED not in summary.counts


def resume(sync: InProcessSync, halted: RunSummary) -> RunSummary:
    sync.broker.join(USER_SYNC_QUEUE, timeout=60_000, fail_fast=False)
    run = sync.store.runs.resume(halted.run.id)
    publish_pending(run, store=sync.store, publisher=sync.broker)
    return sync.wait(run.id)


def until(seen: Callable[[], object]) -> None:
    """Look until something is so."""
    deadline = time.monotonic() + DEADLINE
    while not seen():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def settled(sync: InProcessSync, run: int, user: str) -> bool:
    """Say whether a run is done with a user."""
    receipt = sync.store.receipts.get(run, user)
    return receipt is not None and receipt.finished is not None


@contextmanager
def held_before(made_up: Environment, page: int, kind: Kind) -> Iterator[None]:
    """Have Graph be away when it is asked for a page, until the block ends."""
    faults = made_up.microsoft.faults
    away = Fault(effect=Effect.ERROR, kind=kind, page=page, status=503, times=None)
    faults.add(away)
    yield
    faults.remove(away)
