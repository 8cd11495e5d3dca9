"""What a dead letter says, whatever the bytes are."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.dead_letter_reasons import Reason
from schemas.messages.dead_letter import DeadLetter, read_dead_letter
from schemas.messages.messages import QUEUES, TENANT_PAGES_QUEUE, TENANT_SYNC_QUEUE, USER_SYNC_QUEUE
from schemas.outcomes import Stage
from schemas.runs.collision import Collision
from tests.unit.schemas.arbitrary import JSON

NOON = dt.datetime(2026, 11, 23, 12, 0, tzinfo=dt.UTC)

METADATA_KEY = {
    "give_up_after_hours": 24,
    "reason": "invalid_user",
    "stage": "map",
    "detail": "eppn: must have exactly one @",
    "attempts": 3,
    "first_failed": "2026-11-22T11:00:00+00:00",
    "dead_since": "2026-11-23T13:00:00+01:00",
    "version": "0.1.0",
}


def body(**changes: Any) -> bytes:
    envelope = {
        "queue_name": "user-sync",
        "actor_name": "user_sync",
        "args": [],
        "kwargs": {"tenant": "kommun", "run": 7, "user": "u1", "payload": "sealed"},
        "options": {},
        "message_id": "m1",
        "message_timestamp": 1,
    }
    return json.dumps({**envelope, **changes}).encode()


def read(
    queue: str = USER_SYNC_QUEUE, /, *, death: dict[str, Any] | None = None, **changes: Any
) -> DeadLetter:
    return read_dead_letter(queue, body(**changes), {"x-death": [death]} if death else None)


def section(**changes: Any) -> dict[str, Any]:
    return {"options": {"update_sync": {**METADATA_KEY, **changes}}}


def test_a_letter_of_ours_says_it_all() -> None:
    """P9: who, which run, why, since when, after how many tries."""
    dead_letter = read(**section(replay={"operation": 4, "reason": "bug", "stage": "map"}))
    assert (dead_letter.id, dead_letter.tenant, dead_letter.run, dead_letter.user) == (
        "m1",
        "kommun",
        7,
        "u1",
    )
    assert dead_letter.receipt_key == (7, "u1")
    assert (dead_letter.failure.reason, dead_letter.failure.stage) == (Reason.INVALID_USER, Stage.MAP)
    assert dead_letter.failure.detail == METADATA_KEY["detail"]
    assert (dead_letter.attempts, dead_letter.version, dead_letter.operation) == (3, "0.1.0", 4)
    assert dead_letter.dead_since == NOON
    assert dead_letter.first_failed == dt.datetime(2026, 11, 22, 11, 0, tzinfo=dt.UTC)
    assert not dead_letter.by_broker
    assert dead_letter.payload == "sealed"
    assert "sealed" not in f"{dead_letter!r} {dead_letter.as_json()}"


@pytest.mark.parametrize(
    ("changes", "death", "reason", "words"),
    [
        ({}, {"reason": "delivery_limit"}, Reason.CRASHED_WORKER, "more often than RabbitMQ allows"),
        ({}, {"reason": "rejected"}, Reason.BUG, "rejected"),
        ({}, None, Reason.BUG, "rejected"),
        ({"actor_name": "nobody"}, {"reason": "rejected"}, Reason.UNDECODABLE, "the actor nobody"),
        ({"actor_name": "a\nb"}, {"reason": "rejected"}, Reason.UNDECODABLE, "an unreadable name"),
        ({"actor_name": "tenant_sync"}, {"reason": "rejected"}, Reason.UNDECODABLE, "user-sync"),
        ({"kwargs": 1}, {"reason": "rejected"}, Reason.UNDECODABLE, "kwargs"),
        (section(reason="of a newer version"), None, Reason.BUG, "rejected"),
    ],
)
def test_what_rabbitmq_made_has_a_derived_reason(
    changes: dict[str, Any], death: dict[str, Any] | None, reason: Reason, words: str
) -> None:
    """P9: a letter that nobody of ours wrote says what it can be by its body and by `x-death`."""
    dead_letter = read(death=death and {**death, "time": NOON}, **changes)
    assert dead_letter.by_broker
    assert dead_letter.failure.reason is reason
    assert words in dead_letter.failure.detail
    assert dead_letter.dead_since == (death and NOON)


@pytest.mark.parametrize("tenant", [None, "personal"])
def test_a_collision_is_read_back(tenant: str | None) -> None:
    """P9: a dead letter keeps which user has the Skolon user, whatever the Skolon user's id is."""
    collision = Collision(holder_entra_id="anna", skolon_id="skolon user 1; x", holder_tenant=tenant)
    dead_letter = read(**section(reason="collision", collision=collision.as_json()))
    assert dead_letter.failure.collision == collision
    assert dead_letter.as_json()["collision"] == {
        "skolon_user": "skolon user 1; x",
        "holder": "anna",
        "holder_tenant": tenant,
    }


@pytest.mark.parametrize(
    "told",
    [
        None,
        "anna",
        [],
        {},
        {"holder": "anna"},
        {"skolon_user": "s1"},
        {"holder": 1, "skolon_user": "s1"},
        {"holder": "a\nb", "skolon_user": "s1"},
        {"holder": "anna", "skolon_user": ["s1"]},
        {"holder": "anna", "skolon_user": "s\0"},
        {"holder": "anna", "skolon_user": "\ud800"},
        {"holder": "anna", "skolon_user": "s" * 256},
    ],
)
def test_a_collision_that_no_database_takes_is_none(told: object) -> None:
    """P10: any publisher may write anything into a message."""
    dead_letter = read(**section(reason="collision", collision=told))
    assert (dead_letter.failure.reason, dead_letter.failure.collision) == (Reason.COLLISION, None)


@pytest.mark.parametrize(
    ("told", "read_back"),
    [(["s1", "s2"], ("s1", "s2")), (None, ()), ("s1", ()), (["s1", 2, "s\0", "s" * 256, []], ("s1",))],
)
def test_candidates_are_read_back(told: object, read_back: tuple[str, ...]) -> None:
    """P10: the Skolon users that a match found, as far as they can be kept."""
    dead_letter = read(**section(reason="ambiguous_match", candidates=told))
    assert dead_letter.failure.candidates == read_back
    assert dead_letter.as_json()["candidates"] == list(read_back)


def test_bytes_that_are_no_message_have_an_id() -> None:
    """Each letter can be named, and the same bytes are named the same."""
    first, second = read_dead_letter(USER_SYNC_QUEUE, b"\xff"), read_dead_letter(USER_SYNC_QUEUE, b"\xfe")
    assert first.id == read_dead_letter(USER_SYNC_QUEUE, b"\xff").id != second.id
    assert first.id.startswith("body-")
    assert (first.tenant, first.run, first.user, first.receipt_key) == (None, None, None, None)


def test_triggers_name_their_tenant() -> None:
    """A trigger's tenant is found in a message and in a CloudEvent, as it came and as we kept it."""
    event = {"specversion": "1.0", "id": "e1", "data": {"tenant": "kommun"}}
    plain = read(TENANT_SYNC_QUEUE, actor_name="tenant_sync", kwargs={"tenant": "kommun"})
    kept = read(TENANT_SYNC_QUEUE, actor_name="tenant_sync", kwargs={"event": event})
    came = read_dead_letter(TENANT_SYNC_QUEUE, json.dumps(event).encode())
    assert [dead_letter.tenant for dead_letter in (plain, kept, came)] == ["kommun"] * 3
    assert came.id == "e1"
    assert all(
        dead_letter.is_known and dead_letter.receipt_key is None for dead_letter in (plain, kept, came)
    )


def test_a_page_has_a_run_and_no_receipt() -> None:
    """A letter of a page names its run, and nobody's receipt."""
    kwargs = {"tenant": "kommun", "run": 7, "attempt": 1, "number": 2, "link": None}
    dead_letter = read(TENANT_PAGES_QUEUE, actor_name="tenant_page", kwargs=kwargs)
    assert (dead_letter.is_known, dead_letter.run, dead_letter.user, dead_letter.receipt_key) == (
        True,
        7,
        None,
        None,
    )


@pytest.mark.parametrize(
    "kwargs",
    [
        {"tenant": "Anna Andersson", "run": "7", "user": "anna@exempel.example\n"},
        {"tenant": ["kommun"], "run": True, "user": 7},
        {"tenant": None, "run": None, "user": None},
        {},
    ],
)
def test_what_is_no_name_is_not_shown_as_one(kwargs: dict[str, Any]) -> None:
    """P6: only what can be a tenant's key, a run's number or an Entra id is repeated."""
    dead_letter = read(kwargs=kwargs, message_id="a\x1b[31m")
    assert (dead_letter.tenant, dead_letter.run, dead_letter.user, dead_letter.receipt_key) == (
        None,
        None,
        None,
        None,
    )
    assert dead_letter.id.startswith("body-")


@given(
    queue=st.sampled_from(QUEUES),
    kwargs=st.dictionaries(st.text(max_size=5), JSON, max_size=3),
    ours=st.dictionaries(st.sampled_from([*METADATA_KEY, "replay"]), JSON),
    death=JSON,
)
def test_any_letter_can_be_read(
    queue: str, kwargs: dict[str, Any], ours: dict[str, Any], death: object
) -> None:
    """Whatever a letter holds, it is read, and can be printed as JSON."""
    written = body(kwargs=kwargs, options={"update_sync": ours})
    for headers in ({"x-death": death}, {"x-death": [death]}, {}):
        assert json.dumps(read_dead_letter(queue, written, headers).as_json())


@given(st.binary(max_size=40))
def test_any_bytes_can_be_read(junk: bytes) -> None:
    """Whatever bytes lie among the dead letters, they are a letter with a reason."""
    assert json.dumps(read_dead_letter(USER_SYNC_QUEUE, junk).as_json())
