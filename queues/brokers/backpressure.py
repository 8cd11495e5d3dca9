"""What a consumer may hold in bytes: above that it reads nothing more, and TCP holds RabbitMQ back.

AMQP counts messages, and RabbitMQ knows no prefetch in bytes.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

from queues.library_internals import resume_reading, stop_reading

if TYPE_CHECKING:
    from pika import BlockingConnection

#: Bytes of messages that a consumer holds before it reads no more. The prefetch of ours is a part of that.
MAX_BUFFERED_BYTES: Final = 32 * 1024 * 1024

#: Bytes that a value of JSON may take in memory, however few it has as text.
_BYTES_OF_A_VALUE: Final = 128

#: Seconds between two looks whether something was done meanwhile.
_LOOK: Final = 0.1

#: Seconds after which a little is read all the same. pika takes a connection for dead on which nothing has
#: come for as long as two heartbeats.
_SIP_AFTER: Final = 10.0


def memory_size(body: bytes) -> int:
    """Return how many bytes a message may take in memory, roughly: its body, and the values in it."""
    return len(body) + _BYTES_OF_A_VALUE * body.count(b",")


class Backpressure:
    """What comes in by one consumer's connection; for that connection's own thread alone."""

    def __init__(self, connection: BlockingConnection) -> None:
        self._connection = connection
        self._paused_since: float | None = None

    @property
    def is_paused(self) -> bool:
        """Whether nothing is read just now."""
        return self._paused_since is not None

    def wait(self) -> None:
        """Read nothing for a moment, but send: acknowledgements and heartbeats. Raises pika's errors."""
        now = time.monotonic()
        if self._paused_since is None:
            stop_reading(self._connection)
            self._paused_since = now
        elif now >= self._paused_since + _SIP_AFTER:
            self.resume()
            # pika reads 100 KiB at most, once.
            self._connection.process_data_events(0)
            return
        self._connection.process_data_events(_LOOK)

    def resume(self) -> None:
        """Read again, if reading was stopped."""
        if self._paused_since is None:
            return
        self._paused_since = None
        resume_reading(self._connection)
