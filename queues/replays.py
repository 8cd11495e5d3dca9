"""Messages that replays publish: they say in our section which replay, and why they were dead letters."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dramatiq import Message

from queues.message import GIVE_UP_AFTER, user_sync_message
from schemas.messages.messages import METADATA_KEY, OPERATION, REPLAY, UserSync

if TYPE_CHECKING:
    from schemas.messages.dead_letter import DeadLetter


def replay_message(
    dead_letter: DeadLetter, user: UserSync, *, operation: int, give_up_after_hours: float
) -> Message[Any]:
    """Return the message that has the user of a dead letter worked on once more, under the letter's id."""
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
        options={METADATA_KEY: {**_limit(envelope), REPLAY: _replay(dead_letter, operation)}},
        message_id=dead_letter.id,
    )


def _limit(envelope: Any) -> dict[str, Any]:
    section = envelope["options"].get(METADATA_KEY)
    known = isinstance(section, dict) and GIVE_UP_AFTER in section
    return {GIVE_UP_AFTER: section[GIVE_UP_AFTER]} if known else {}


def _replay(dead_letter: DeadLetter, operation: int) -> dict[str, Any]:
    return {
        OPERATION: operation,
        "reason": str(dead_letter.failure.reason),
        "stage": str(dead_letter.failure.stage),
    }
