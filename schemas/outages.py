"""Who can be away, and the passage to them that closes while they are: a circuit breaker's vocabulary.

The doors (clients, store) pass through it with every request; what keeps count is in `queues`,
where waiting and giving back messages are known.
"""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from schemas.errors import Dependency, TransientError, UpdateSyncError

if TYPE_CHECKING:
    from contextlib import AbstractContextManager


@dataclass(frozen=True, kw_only=True)
class Service:
    """Something that is away as a whole: a system, or the part of it that serves one directory.

    While a service that everybody needs is away, a worker waits for it with its message in hand.
    While one that is not `needed_by_all` is, the message is put aside, and others have their turn.
    """

    dependency: Dependency
    part: str = ""
    needed_by_all: bool = True

    def concerns(self, error: TransientError) -> bool:
        """Say whether an error tells that this service is away."""
        return error.dependency is self.dependency or (
            self.dependency is Dependency.GRAPH and error.dependency is Dependency.ENTRA
        )


DATABASE = Service(dependency=Dependency.DATABASE)
SKOLON_READING = Service(dependency=Dependency.SKOLON, part="reading")
#: Not everybody needs it: most people are unchanged.
SKOLON_UPDATING = Service(dependency=Dependency.SKOLON, part="updating", needed_by_all=False)


def graph_of(directory: str) -> Service:
    """Return Graph, and Entra before it, as they serve one directory: they throttle each on its own."""
    return Service(dependency=Dependency.GRAPH, part=directory, needed_by_all=False)


class HeldBackError(TransientError):
    """Nothing was asked, because the service is known to be away: no try that failed."""


class StoppingError(UpdateSyncError):
    """The process is to end, so it does not wait: the message goes back to its queue as it is."""


class Passages(Protocol):
    """The way to services."""

    def to(self, service: Service) -> AbstractContextManager[None]:
        """Enter when the service can be asked, and learn from how the block ends whether it answered.

        Entering may take minutes. Raises `HeldBackError` when it is not worth waiting with a message in
        hand, and `StoppingError` when the process is to end.
        """


class AlwaysOpen:
    """The passages of a command that somebody waits for: it asks, and says at once what is away."""

    def to(self, service: Service) -> AbstractContextManager[None]:
        """Enter."""
        del service
        return nullcontext()


ALWAYS_OPEN = AlwaysOpen()
