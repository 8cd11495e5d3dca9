"""Limits the bytes of a consumer's messages: above the limit it stops reading, and TCP slows RabbitMQ down.

AMQP limits the number of messages; RabbitMQ knows no prefetch in bytes.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

from queues.library_internals import resume_reading, stop_reading

if TYPE_CHECKING:
    from pika import BlockingConnection

#: Bytes of received messages above which a consumer stops reading. The prefetched messages count too.
MAX_BUFFERED_BYTES: Final = 32 * 1024 * 1024

#: Bytes that a JSON value may take in memory, however short its text is.
_BYTES_OF_A_VALUE: Final = 128

#: Seconds between two checks whether messages were processed meanwhile.
_LOOK: Final = 0.1

#: Seconds after which a little is read in any case. pika considers a connection dead if nothing has arrived
#: for two heartbeats.
_SIP_AFTER: Final = 10.0


def memory_size(body: bytes) -> int:
    """Return roughly how many bytes a message takes in memory: its body and the values in it."""
    return len(body) + _BYTES_OF_A_VALUE * body.count(b",")


class Backpressure:
    """Pauses reading from one consumer's connection; used by that connection's own thread only."""

    def __init__(self, connection: BlockingConnection) -> None:
        self._connection = connection
        self._paused_since: float | None = None

    @property
    def is_paused(self) -> bool:
        """Whether reading is paused."""
        return self._paused_since is not None

    def wait(self) -> None:
        """Send acknowledgements and heartbeats for a moment, and read nothing. Raises pika's errors."""
        now = time.monotonic()
        if self._paused_since is None:
            stop_reading(self._connection)
            self._paused_since = now
        elif now >= self._paused_since + _SIP_AFTER:
            self.resume()
            # pika reads at most 100 KiB at once.
            self._connection.process_data_events(0)
            return
        self._connection.process_data_events(_LOOK)

    def resume(self) -> None:
        """Read again, if reading was paused."""
        if self._paused_since is None:
            return
        self._paused_since = None
        resume_reading(self._connection)
