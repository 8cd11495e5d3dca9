"""Messages that replays publish: they say in our section which replay, and why they were dead letters."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dramatiq.middleware import CurrentMessage

from schemas.messages import SECTION, replay_operation

if TYPE_CHECKING:
    from dramatiq import Message


def current_operation() -> int | None:
    """Return the replay that published the message which this thread is working on, None if none did."""
    message: Message[Any] | None = CurrentMessage.get_current_message()
    return None if message is None else replay_operation(message.options.get(SECTION))
