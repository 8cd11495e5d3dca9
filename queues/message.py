"""Builds our messages, addressed by actor name, so that publishers import no actors."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dramatiq import Message

from queues.queue_names import quick_queue
from schemas.messages.messages import (
    DEAD_SINCE,
    METADATA_KEY,
    OPERATION,
    QUICK,
    REPLAY,
    TENANT_PAGE_ACTOR,
    TENANT_PAGES_QUEUE,
    TENANT_SYNC_ACTOR,
    TENANT_SYNC_QUEUE,
    USER_SYNC_ACTOR,
    USER_SYNC_QUEUE,
    SyncRequest,
    TenantPage,
    UserSync,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from schemas.messages.dead_letter import DeadLetter

#: The key in a message's metadata for the hours during which it may be retried.
GIVE_UP_AFTER = "give_up_after_hours"


def tenant_sync_message(request: SyncRequest, *, event_id: str) -> Message[None]:
    """Return the trigger of a run; the same `event_id` twice is one run."""
    return Message(
        queue_name=TENANT_SYNC_QUEUE,
        actor_name=TENANT_SYNC_ACTOR,
        args=(),
        kwargs={
            "tenant": request.tenant,
            "mode": str(request.mode),
            "dry_run": request.dry_run,
            **({"recheck_all": True} if request.recheck_all else {}),
            "users": list(request.users),
            **({} if request.settings is None else {"settings": dict(request.settings)}),
            **(
                {"reverts_run_id": request.reverts_run_id, "override_guard": request.override_guard}
                if request.reverts_run_id is not None
                else {}
            ),
            **({} if request.proof is None else {"proof": request.proof}),
        },
        options={},
        message_id=event_id,
    )


def with_proof(message: Message[None], proof: Callable[[str, dict[str, Any]], str]) -> Message[None]:
    """Return a trigger with the proof that an operator requested it."""
    kwargs = {**message.kwargs, "proof": proof(message.message_id, message.kwargs)}
    copy: Message[None] = message.copy(kwargs=kwargs)
    return copy


def tenant_page_message(
    page: TenantPage, *, give_up_after_hours: float, is_quick: bool = False
) -> Message[None]:
    """Return the message that reads one page of a run; that of a quick run goes before others."""
    kwargs = {
        "tenant": page.tenant,
        "run": page.run,
        "attempt": page.attempt,
        "number": page.number,
        "link": page.link,
        "proof": page.proof,
    }
    message = _message(TENANT_PAGES_QUEUE, TENANT_PAGE_ACTOR, kwargs, give_up_after_hours)
    return as_quick(message) if is_quick else message


def user_sync_message(user: UserSync, *, give_up_after_hours: float, is_quick: bool = False) -> Message[None]:
    """Return the message that syncs one user of a run; that of a quick run goes before others."""
    kwargs = {"tenant": user.tenant, "run": user.run, "user": user.user, "payload": user.payload}
    message = _message(USER_SYNC_QUEUE, USER_SYNC_ACTOR, kwargs, give_up_after_hours)
    return as_quick(message) if is_quick else message


def as_quick(message: Message[Any]) -> Message[Any]:
    """Return a message that goes before others, also when it has waited to be tried again."""
    section = {**message.options[METADATA_KEY], QUICK: True}
    copy: Message[Any] = message.copy(
        queue_name=quick_queue(message.queue_name), options={METADATA_KEY: section}
    )
    return copy


def _message(queue: str, actor: str, kwargs: dict[str, Any], give_up_after_hours: float) -> Message[None]:
    return Message(
        queue_name=queue,
        actor_name=actor,
        args=(),
        kwargs=kwargs,
        options={METADATA_KEY: {GIVE_UP_AFTER: give_up_after_hours}},
    )


def after_waiting(message: Message[Any]) -> Message[Any]:
    """Return a message whose time has come, for the queue by which it came at first."""
    section = message.options.get(METADATA_KEY)
    is_quick = isinstance(section, dict) and section.get(QUICK) is True
    return as_quick(message) if is_quick else message


def replay_message(
    dead_letter: DeadLetter, user: UserSync, *, operation: int, give_up_after_hours: float
) -> Message[Any]:
    """Return the message that syncs the user of a dead letter again, under the dead letter's id."""
    message = user_sync_message(user, give_up_after_hours=give_up_after_hours)
    section = {GIVE_UP_AFTER: give_up_after_hours, REPLAY: _replay(dead_letter, operation)}
    copy: Message[Any] = message.copy(message_id=dead_letter.id, options={METADATA_KEY: section})
    return copy


def original_replay_message(dead_letter: DeadLetter, *, operation: int) -> Message[Any]:
    """Return the message of a dead letter as it was first published; its body must be a message of ours."""
    envelope = dead_letter.envelope or {}
    return Message(
        queue_name=dead_letter.queue,
        actor_name=envelope["actor_name"],
        args=tuple(envelope["args"]),
        kwargs=dict(envelope["kwargs"]),
        options={METADATA_KEY: {**_give_up_after(envelope), REPLAY: _replay(dead_letter, operation)}},
        message_id=dead_letter.id,
    )


def _give_up_after(envelope: Any) -> dict[str, Any]:
    section = envelope["options"].get(METADATA_KEY)
    known = isinstance(section, dict) and GIVE_UP_AFTER in section
    return {GIVE_UP_AFTER: section[GIVE_UP_AFTER]} if known else {}


def _replay(dead_letter: DeadLetter, operation: int) -> dict[str, Any]:
    since = dead_letter.dead_since
    return {
        OPERATION: operation,
        "reason": str(dead_letter.failure.reason),
        "stage": str(dead_letter.failure.stage),
        **({} if since is None else {DEAD_SINCE: since.isoformat(timespec="seconds")}),
    }
