"""How a plain function becomes an actor: named, on its queue, with somebody who keeps its books."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import dramatiq
from dramatiq.middleware import CurrentMessage

from queues.failure_routing import foreseen
from schemas.errors import UpdateSyncError

if TYPE_CHECKING:
    from collections.abc import Callable

    from queues.failure_routing import Recorder


def declare_actor(
    broker: dramatiq.Broker,
    function: Callable[..., None],
    *,
    name: str,
    queue: str,
    recorder: Recorder,
) -> None:
    """Have `broker` call `function` with the arguments of each message for actor `name` on `queue`."""
    declare = dramatiq.actor(
        broker=broker, actor_name=name, queue_name=queue, recorder=recorder, throws=UpdateSyncError
    )
    declare(foreseen(function))


def current_message_id() -> str:
    """Return the id of the message that this thread is working on."""
    message: dramatiq.Message[Any] | None = CurrentMessage.get_current_message()
    if message is None:
        raise RuntimeError("this thread is not working on a message")
    return message.message_id
