"""Who can be away, and the passage to them that closes while they are: a circuit breaker's vocabulary.

The doors (clients, store) pass through it with every request; what keeps count is in `queues`,
where waiting and giving back messages are known.
"""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Final, Protocol

from schemas.errors import Dependency, TransientError, UnreachableError, UpdateSyncError

if TYPE_CHECKING:
    from collections.abc import Hashable
    from contextlib import AbstractContextManager


@dataclass(frozen=True, kw_only=True)
class Service:
    """Something that is away as a whole: a system, or the part of it that serves one tenant.

    While a service that everybody needs is away, a worker waits for it with its message in hand.
    While one that is not `needed_by_all` is, the message is put aside, and others have their turn.
    One that all of a single organisation need (`organisation`) is waited for as long as every other
    organisation that has work is away too, and put aside otherwise.

    `host` is what has to be reached first, and is away by itself.
    """

    dependency: Dependency
    part: str = ""
    needed_by_all: bool = True
    organisation: str | None = None
    host: Service | None = None
    is_host: bool = False

    def concerns(self, error: TransientError) -> bool:
        """Say whether an error tells that this service is away."""
        if self.is_host:
            return error.dependency is self.dependency and isinstance(error, UnreachableError)
        if self.host is not None and self.host.concerns(error):
            return False
        return error.dependency is self.dependency or (
            self.dependency is Dependency.GRAPH and error.dependency is Dependency.ENTRA
        )


#: Organisations whose services are kept at hand: one is made for each request otherwise.
_KEPT: Final = 1024

DATABASE: Final = Service(dependency=Dependency.DATABASE)

#: What is the same for all organisations: the name, the way there, TLS, the token endpoint.
SKOLON: Final = Service(dependency=Dependency.SKOLON, part="host", is_host=True)


@lru_cache(_KEPT)
def skolon_reading(organisation: str, host: Service | None = SKOLON) -> Service:
    """Return Skolon as it lets us read one organisation's users; `host` None if each has one of its own."""
    return Service(dependency=Dependency.SKOLON, part="reading", organisation=organisation, host=host)


@lru_cache(_KEPT)
def skolon_updating(organisation: str, host: Service | None = SKOLON) -> Service:
    """Return Skolon as it lets us change them. Not everybody needs it: most users are unchanged."""
    return Service(
        dependency=Dependency.SKOLON,
        part="updating",
        needed_by_all=False,
        organisation=organisation,
        host=host,
    )


def graph_of(directory: str) -> Service:
    """Return Graph, and Entra before it, as they serve one directory: they throttle each on its own."""
    return Service(dependency=Dependency.GRAPH, part=directory, needed_by_all=False)


class CircuitOpenError(TransientError):
    """Nothing was asked, because the service is known to be away: no try that failed.

    `retry_after` is when the next one may ask. Those who wait come back spread over `spread` seconds
    from then on: there may be many, and one of them is enough to find out.
    """

    def __init__(
        self, dependency: Dependency, detail: str, *, retry_after: float | None = None, spread: float = 0.0
    ) -> None:
        super().__init__(dependency, detail, retry_after=retry_after)
        self.spread = spread


class ShutdownError(UpdateSyncError):
    """The process is to end, so it does not wait: the message goes back to its queue as it is."""


class SeveralSubjects:
    """Stands for several users who are asked for in one request."""


#: What is answered to a request for several may be one user's doing: the requests one by one will tell.
SEVERAL_SUBJECTS: Final = SeveralSubjects()


class Breakers(Protocol):
    """The way to services."""

    def guard(self, service: Service, subject: Hashable = None) -> AbstractContextManager[None]:
        """Enter when the service can be asked, and learn from how the block ends whether it answered.

        `subject` tells apart whom requests are for: what fails for one user alone keeps nobody else away.

        Entering may take minutes. Raises `CircuitOpenError` when it is not worth waiting with a message in
        hand, and `ShutdownError` when the process is to end.
        """


class NoBreaker:
    """The passages of a command that somebody waits for: it asks, and says at once what is away."""

    def guard(self, service: Service, subject: Hashable = None) -> AbstractContextManager[None]:
        """Enter."""
        del service, subject
        return nullcontext()


NO_BREAKER = NoBreaker()
