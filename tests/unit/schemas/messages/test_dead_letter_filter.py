"""Which letters a filter means."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

import pytest

from schemas.dead_letter_reasons import Reason
from schemas.messages.dead_letter import DeadLetter, read_dead_letter
from schemas.messages.dead_letter_filter import DeadLetterFilter
from schemas.messages.messages import QUEUES, TENANT_PAGES_QUEUE, USER_SYNC_QUEUE

NOON = dt.datetime(2026, 11, 23, 12, 0, tzinfo=dt.UTC)
HOUR = dt.timedelta(hours=1)


def dead_letter(since: dt.datetime | None = NOON) -> DeadLetter:
    section = {"reason": "collision", "stage": "match", "detail": "", "dead_since": since and str(since)}
    envelope = {
        "queue_name": USER_SYNC_QUEUE,
        "actor_name": "user_sync",
        "args": [],
        "kwargs": {"tenant": "kommun", "run": 7, "user": "u1"},
        "options": {"update_sync": section},
        "message_id": "m1",
    }
    return read_dead_letter(USER_SYNC_QUEUE, json.dumps(envelope).encode())


def matches(wanted: DeadLetterFilter, one: DeadLetter) -> bool:
    return wanted.matches_properties(one) and wanted.matches_age(one)


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ({}, {"tenants": ("other",)}),
        ({"queues": (USER_SYNC_QUEUE,)}, {"queues": (TENANT_PAGES_QUEUE,)}),
        ({"tenants": ("other", "kommun")}, {"tenants": ("other", "another")}),
        ({"runs": (7,)}, {"runs": (8,)}),
        ({"reasons": (Reason.COLLISION,)}, {"reasons": (Reason.BUG,)}),
        ({"users": ("u1",)}, {"users": ("u2",)}),
        ({"ids": ("m1",)}, {"ids": ("m2",)}),
        ({"before": NOON + HOUR}, {"before": NOON}),
        ({"after": NOON - HOUR}, {"after": NOON}),
        ({"after": NOON - HOUR, "before": NOON + HOUR}, {"after": NOON + HOUR, "before": NOON + 2 * HOUR}),
        ({"tenants": ("kommun",), "runs": (7,)}, {"tenants": ("kommun",), "runs": (8,)}),
    ],
)
def test_all_that_is_asked_must_hold(right: dict[str, Any], wrong: dict[str, Any]) -> None:
    """Each property that is asked for must have one of the values; what is not asked for may be anything."""
    assert matches(DeadLetterFilter(**right), dead_letter())
    assert not matches(DeadLetterFilter(**wrong), dead_letter())
    assert DeadLetterFilter(**right).chooses_all is (right == {})


def test_no_age_is_no_match() -> None:
    """A letter that does not tell when it died is neither old nor new."""
    assert matches(DeadLetterFilter(), dead_letter(None))
    assert not matches(DeadLetterFilter(before=NOON), dead_letter(None))
    assert not matches(DeadLetterFilter(after=NOON), dead_letter(None))


def test_only_some_queues_need_to_be_walked() -> None:
    """Queues that are not asked for are left alone."""
    assert DeadLetterFilter().queues_to_browse == QUEUES
    assert DeadLetterFilter(queues=(USER_SYNC_QUEUE,)).queues_to_browse == (USER_SYNC_QUEUE,)


def test_what_was_asked_can_be_kept() -> None:
    """The audit row says what was asked for and nothing else."""
    asked = DeadLetterFilter(runs=(7,), reasons=(Reason.BUG,), before=NOON)
    kept = {"runs": ["7"], "reasons": ["bug"], "before": "2026-11-23T12:00:00Z"}
    assert json.loads(json.dumps(asked.as_json())) == kept
    assert DeadLetterFilter().as_json() == {}
