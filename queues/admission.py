"""Checks received messages: any publisher may have put anything into a queue."""

from __future__ import annotations

import time
from typing import Any

from dramatiq import Message
from dramatiq.common import dq_name, q_name

from queues.library_internals import monotonic_millis
from queues.middleware.message_history import trusted_options
from queues.queue_names import main_queue
from schemas.messages.envelope import UndecodableError, read_envelope
from schemas.messages.messages import ACTORS

#: Argument names that Python's call of an actor would take for its own parameters.
_RESERVED = "self"


def admit(body: bytes, queue: str) -> Message[Any]:
    """Return a message received from `queue`, addressed to that queue, with our own options only.

    dramatiq acknowledges through the consumer of the queue that a message names, runs the actor that it
    names, and obeys its options. A publisher may have forged all of these.
    Raises `UndecodableError` for anything but a message for the queue's one actor.
    """
    message: Message[Any] = Message(**read_envelope(body))
    actor = ACTORS.get(main_queue(q_name(queue)), message.actor_name)
    if message.actor_name != actor:
        raise UndecodableError(f"the message is for another actor than {actor}")
    if _RESERVED in message.kwargs:
        raise UndecodableError("the message has an argument that no actor takes")
    waits = queue == dq_name(queue)
    return Message(
        queue_name=queue,
        actor_name=actor,
        args=message.args,
        kwargs=message.kwargs,
        options=trusted_options(
            message, waits=waits, now=time.time(), monotonic_now=monotonic_millis() / 1000
        ),
        message_id=message.message_id,
        message_timestamp=message.message_timestamp,
    )
