"""What the system and RabbitMQ have to allow a process: open files, and connections."""

from __future__ import annotations

import resource
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import structlog

from queues.brokers.publishing_pool import MAX_CONNECTIONS
from queues.queue_names import work_queues
from schemas.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

#: The consumer of what waits for its time, beside those of the queues that a queue is worked off from.
_WAITING: Final = 1

#: The connection by which a producer looks now and then how many messages lie in a queue.
_LOOKING: Final = 1

#: Open files of a connection to RabbitMQ: the socket, and the pair by which other threads wake its own.
_FILES_OF_CONNECTION: Final = 3

#: Open files of all that does not grow: Python, logs, PostgreSQL's connections, looking up of names.
_FILES_AT_REST: Final = 64

#: Open files of a message that is worked on: a request, and one that is kept for another service.
_FILES_OF_MESSAGE: Final = 2

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, kw_only=True)
class ResourceNeeds:
    """What a process needs that consumes these `queues`, and works on `threads` messages at a time."""

    queues: Sequence[str]
    threads: int

    @property
    def connections(self) -> int:
        """Connections to RabbitMQ, at most."""
        consumers = sum(len(work_queues(queue)) + _WAITING for queue in self.queues)
        return consumers + MAX_CONNECTIONS + _LOOKING

    @property
    def files(self) -> int:
        """Open files, at most."""
        return self._fixed + _FILES_OF_MESSAGE * self.threads

    @property
    def least_files(self) -> int:
        """Open files without which it cannot work on anything."""
        return self._fixed + _FILES_OF_MESSAGE

    def threads_with(self, files: int) -> int:
        """Return how many messages it can work on at a time with so many open files; 0 for none."""
        return max(0, min(self.threads, (files - self._fixed) // _FILES_OF_MESSAGE))

    @property
    def _fixed(self) -> int:
        return _FILES_AT_REST + _FILES_OF_CONNECTION * self.connections


def raise_file_limit(needs: ResourceNeeds) -> int:
    """Raise this process's limit of open files to what `needs` asks for, as far as the system lets it.

    Return how many messages each process can work on at a time, and say so when that is less than was asked
    for. Raises `UsageError` when it can work on none.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if _has(soft, needs.files):
        return needs.threads
    allowed = needs.files if _has(hard, needs.files) else hard
    resource.setrlimit(resource.RLIMIT_NOFILE, (allowed, hard))
    threads = needs.threads_with(allowed)
    if not threads:
        raise UsageError(
            f"A process needs {needs.least_files} open files at the least, and may have {allowed}: raise the"
            " limit (ulimit -n, LimitNOFILE of systemd, ulimits of compose)."
        )
    if threads < needs.threads:
        _log.warning(
            "open_file_limit_low",
            allowed=allowed,
            needed=needs.files,
            threads=threads,
            detail="works on fewer at a time: raise the limit (ulimit -n, LimitNOFILE) or lower --threads",
        )
    else:
        _log.info("open_file_limit_raised", before=soft, now=allowed)
    return threads


def _has(limit: int, wanted: int) -> bool:
    return limit == resource.RLIM_INFINITY or limit >= wanted
