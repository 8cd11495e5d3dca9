"""Messages that none of ours has made as they are: they change, halt and complete nobody's run."""

from __future__ import annotations

import dataclasses
import json
from typing import TYPE_CHECKING, Any

import pytest

from queues.message import tenant_page_message, tenant_sync_message, user_sync_message, with_proof
from sandbox.environment import TENANT_KEY, Environment
from schemas.crypto.encryption import FieldCipher, new_key
from schemas.dead_letter_reasons import Reason
from schemas.messages.dead_letter import read_dead_letter
from schemas.messages.messages import (
    TENANT_PAGES_QUEUE,
    TENANT_SYNC_QUEUE,
    USER_SYNC_QUEUE,
    SyncRequest,
    TenantPage,
    UserSync,
)
from schemas.outcomes import Mode, Outcome, Status

if TYPE_CHECKING:
    from dramatiq import Message

    from cli.sandbox.in_process_sync import InProcessSync
    from schemas.messages.dead_letter import DeadLetter

PEOPLE = 5


@pytest.fixture
def run(sync: InProcessSync, user: str, other: str) -> int:
    """Give an open run of two people who wait for their messages."""
    opened = sync.store.triggers.open(SyncRequest(tenant=TENANT_KEY), "an event").run
    sync.store.receipts.create_pending(opened.id, [user, other])
    return opened.id


@pytest.fixture
def user(made_up: Environment) -> str:
    return next(str(each.entra["id"]) for each in made_up.municipality if each.outcome == "updated")


@pytest.fixture
def other(made_up: Environment, user: str) -> str:
    return next(str(each.entra["id"]) for each in made_up.municipality if each.entra["id"] != user)


def dead_letters(sync: InProcessSync, queue: str = USER_SYNC_QUEUE) -> list[DeadLetter]:
    with sync.broker.browse_dead_letters(queue) as browser:
        return [read_dead_letter(queue, found.dead_letter.body, found.headers) for found in browser]


def is_refused(sync: InProcessSync, message: Message[None]) -> None:
    """Assert that a message is a dead letter, and that it is all that came of it."""
    runs = sync.store.runs.list()
    sync.broker.publish([message])
    sync.broker.join(message.queue_name, timeout=60_000, fail_fast=False)
    sync.broker.join(USER_SYNC_QUEUE, timeout=60_000, fail_fast=False)
    (dead_letter,) = dead_letters(sync, message.queue_name)
    assert dead_letter.failure.reason is Reason.FORGED_MESSAGE
    assert dead_letter.receipt_key is None
    assert sync.store.runs.list() == runs
    assert {
        queue
        for queue in (TENANT_SYNC_QUEUE, USER_SYNC_QUEUE, TENANT_PAGES_QUEUE)
        if dead_letters(sync, queue)
    } == {message.queue_name}


def user_message(fields: UserSync) -> Message[None]:
    return user_sync_message(fields, give_up_after_hours=24)


@pytest.mark.parametrize("what", ["nothing", "garbage", "a strange key", "a page's proof", "a stored value"])
def test_a_users_message_without_a_seal_of_ours_does_nothing(
    sync: InProcessSync, run: int, user: str, what: str
) -> None:
    """P1: whoever may publish, and has no key, changes nobody: neither in Skolon nor in the books."""
    page = TenantPage(tenant=TENANT_KEY, run=run, attempt=1, number=1, link=None)
    fields = UserSync(tenant=TENANT_KEY, run=run, user=user, payload=None)
    strange = FieldCipher([new_key()]).encrypt_json(
        {"kind": "user", "tenant": TENANT_KEY, "run": run, "user": user}
    )
    payload = {
        "nothing": None,
        "garbage": "gAAAA" + "x" * 100,
        "a strange key": strange,
        "a page's proof": sync.store.message_cipher.sign_page(page).proof,
        "a stored value": sync.store.message_cipher._cipher.encrypt_json([1]),  # noqa: SLF001 - what the database holds
    }[what]
    sync.store.message_cipher.sign_page(page)
    is_refused(sync, user_message(dataclasses.replace(fields, payload=payload)))


@pytest.mark.parametrize("changed", [{"user": "other"}, {"run": 1}, {"tenant": "another"}])
def test_a_payload_is_of_its_message_alone(
    sync: InProcessSync, run: int, user: str, other: str, changed: dict[str, Any]
) -> None:
    """P1: a payload in another user's message, another run's or another tenant's is not opened."""
    elsewhere = sync.store.triggers.open(
        SyncRequest(tenant=TENANT_KEY, dry_run=True, settings={}), "second"
    ).run
    sync.store.receipts.create_pending(elsewhere.id, [user, other])
    genuine = UserSync(tenant=TENANT_KEY, run=run, user=user, payload=None)
    wrong: dict[str, Any] = {"user": {"user": other}, "run": {"run": elsewhere.id}, "tenant": changed}
    put = wrong[next(iter(changed))]
    sealed = sync.store.message_cipher.encrypt_user(genuine, {"id": user, "givenName": "Gammalt"})
    is_refused(sync, user_message(dataclasses.replace(sealed, **put)))
    assert sync.store.receipts.get(run, user).outcome is Outcome.PENDING  # type: ignore[union-attr] # it is there


@pytest.mark.parametrize(
    "changed", [{"link": "https://evil.example/users"}, {"number": 9}, {"attempt": 2}, {"proof": None}]
)
def test_a_forged_page_completes_and_halts_nothing(
    sync: InProcessSync, run: int, changed: dict[str, Any]
) -> None:
    """P3: a page that is not ours is not read, and the run goes on as if it had not come."""
    page = TenantPage(tenant=TENANT_KEY, run=run, attempt=1, number=1, link=None)
    forged = dataclasses.replace(sync.store.message_cipher.sign_page(page), **changed)
    is_refused(sync, tenant_page_message(forged, give_up_after_hours=24))


def test_a_forged_message_is_in_nobodys_way(made_up: Environment, sync: InProcessSync, user: str) -> None:
    """P3, P4: whoever is named by a forged message is worked on by the genuine one, and the run completes."""
    forged = UserSync(tenant=TENANT_KEY, run=1, user=user, payload="x")
    sync.broker.publish([user_message(forged)])
    page = TenantPage(tenant=TENANT_KEY, run=1, attempt=1, number=1, link="https://evil.example/")
    sync.broker.publish([tenant_page_message(page, give_up_after_hours=24)])
    summary = sync.run()
    assert summary.run.status is Status.COMPLETED
    assert {str(name): count for name, count in summary.counts.items() if count} == (
        made_up.municipality.expected_outcomes("first")
    )
    assert made_up.wrong_users() == []


@pytest.mark.parametrize(
    "asked",
    [
        {"mode": "undo", "reverts_run_id": 1},
        {"mode": "undo", "reverts_run_id": 1, "override_guard": True},
        {"dry_run": True, "settings": {}},
    ],
)
@pytest.mark.parametrize("way", ["plain", "event", "another event's proof", "other fields' proof", "garbage"])
def test_who_may_trigger_may_only_trigger(
    sync: InProcessSync, run: int, asked: dict[str, Any], way: str
) -> None:
    """What more an operator may ask for is taken with the command line's proof alone, for that very event."""
    seals = sync.store.message_cipher
    fields = {"tenant": TENANT_KEY, **asked}
    body: dict[str, Any] = {
        "queue_name": "tenant-sync",
        "actor_name": "tenant_sync",
        "args": [],
        "kwargs": {
            **fields,
            **{
                "plain": {},
                "event": {},
                "another event's proof": {"proof": seals.sign_trigger("another", fields)},
                "other fields' proof": {"proof": seals.sign_trigger("mine", {**fields, "recheck_all": True})},
                "garbage": {"proof": "x"},
            }[way],
        },
        "options": {},
        "message_id": "mine",
    }
    if way == "event":
        data = {**fields, "proof": seals.sign_trigger("mine", fields)}
        kind = "com.skolon.tenant-sync.requested"
        body = {"specversion": "1.0", "id": "mine", "source": "/x", "type": kind, "data": data}
    sync.broker.put(TENANT_SYNC_QUEUE, json.dumps(body).encode())
    sync.broker.join(TENANT_SYNC_QUEUE, timeout=60_000, fail_fast=False)
    (dead_letter,) = dead_letters(sync, TENANT_SYNC_QUEUE)
    assert dead_letter.failure.reason is Reason.INVALID_TRIGGER
    assert "not taken from clients" in dead_letter.failure.detail
    assert [each.run.id for each in sync.store.runs.list()] == [run]


def test_what_operators_ask_for_is_done(sync: InProcessSync) -> None:
    """An undo with the command line's proof opens its run."""
    done = sync.run()
    request = SyncRequest(tenant=TENANT_KEY, mode=Mode.UNDO, reverts_run_id=done.run.id)
    sync.broker.publish(
        [with_proof(tenant_sync_message(request, event_id="undo"), sync.store.message_cipher.sign_trigger)]
    )
    sync.broker.join(TENANT_SYNC_QUEUE, timeout=60_000, fail_fast=False)
    undoing = sync.store.triggers.find_run("undo")
    assert undoing is not None
    assert sync.wait(undoing.id).run.reverts_run_id == done.run.id
