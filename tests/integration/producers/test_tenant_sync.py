"""Triggers as clients send them, in one process with all stand-ins."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

import pytest
from dramatiq import Message

from cli.sandbox.in_process_sync import InProcessSync, in_process_sync
from sandbox.environment import TENANT_KEY, serve_environment
from schemas.dead_letter_reasons import Reason
from schemas.messages.dead_letter import read_dead_letter
from schemas.messages.envelope import read_envelope
from schemas.messages.messages import TENANT_SYNC_EVENT_TYPE, TENANT_SYNC_QUEUE
from schemas.outcomes import Status

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from schemas.messages.dead_letter import DeadLetter

#: Seconds. Nothing here takes longer, on a machine that is busy with something else.
DEADLINE = 60


@pytest.fixture
def sync(tmp_path: Path) -> Iterator[InProcessSync]:
    with (
        serve_environment(tmp_path, users=3) as made_up,
        in_process_sync(made_up, TENANT_KEY, tmp_path) as one,
    ):
        yield one


def cloud_event(event_id: str, **data: Any) -> Message[None]:
    """Return the CloudEvent of a client, as it comes out of the queue."""
    event = {
        "specversion": "1.0",
        "id": event_id,
        "source": "/municipality",
        "type": TENANT_SYNC_EVENT_TYPE,
        "data": {"tenant": TENANT_KEY, **data},
    }
    return Message(**read_envelope(json.dumps(event).encode()))


def dead_triggers(sync: InProcessSync) -> list[DeadLetter]:
    with sync.broker.browse_dead_letters(TENANT_SYNC_QUEUE) as browser:
        return [
            read_dead_letter(TENANT_SYNC_QUEUE, found.dead_letter.body, found.headers) for found in browser
        ]


def wait_until_dead(sync: InProcessSync, event_id: str) -> DeadLetter:
    deadline = time.monotonic() + DEADLINE
    while not (found := [each for each in dead_triggers(sync) if each.id == event_id]):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    return found[0]


@pytest.mark.parametrize("data", [{}, {"mode": "delta"}, {"dry_run": True}])
def test_a_disabled_tenant_gets_no_run(sync: InProcessSync, data: dict[str, Any]) -> None:
    """P9: a client's CloudEvent for a disabled tenant is a dead letter that says so, and opens no run."""
    sync.store.tenants.change(TENANT_KEY, {"enabled": False})
    sync.broker.publish([cloud_event("for-a-disabled-tenant", **data)])
    dead_letter = wait_until_dead(sync, "for-a-disabled-tenant")
    assert dead_letter.failure.reason is Reason.INVALID_TRIGGER
    assert dead_letter.failure.detail == f"tenant: {TENANT_KEY} is not enabled"
    assert dead_letter.tenant == TENANT_KEY
    assert sync.store.runs.list() == []
    assert sync.store.triggers.find_run("for-a-disabled-tenant") is None

    sync.store.tenants.change(TENANT_KEY, {"enabled": True})
    sync.broker.publish([cloud_event("for-an-enabled-tenant", **data)])
    deadline = time.monotonic() + DEADLINE
    while (run := sync.store.triggers.find_run("for-an-enabled-tenant")) is None:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    assert sync.wait(run.id).run.status is Status.COMPLETED
