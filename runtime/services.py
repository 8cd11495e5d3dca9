"""The external services that circuit breakers guard, and the interface of a guard.

`clients` and `store` guard each request. `runtime.circuit_breaker` decides whether it may be sent.
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
    """A unit of availability: a system, or the part of it that serves one tenant.

    While a service with `needed_by_all` is unavailable, a worker waits with its message. While another one
    is, the message is requeued, and others are processed. With `organisation`, all users of one organisation
    need it: a worker waits while all other organisations that have work are unavailable too, and requeues
    otherwise.

    `host` is what has to be reached first, and has a circuit of its own.
    """

    dependency: Dependency
    part: str = ""
    needed_by_all: bool = True
    organisation: str | None = None
    host: Service | None = None
    is_host: bool = False

    def concerns(self, error: TransientError) -> bool:
        """Return whether an error shows that this service is unavailable."""
        if self.is_host:
            return error.dependency is self.dependency and isinstance(error, UnreachableError)
        if self.host is not None and self.host.concerns(error):
            return False
        return error.dependency is self.dependency or (
            self.dependency is Dependency.GRAPH and error.dependency is Dependency.ENTRA
        )


#: Organisations whose services are cached: each request would make one otherwise.
_CACHED: Final = 1024

DATABASE: Final = Service(dependency=Dependency.DATABASE)

#: What all organisations share: the name, the route, TLS, the token endpoint.
SKOLON: Final = Service(dependency=Dependency.SKOLON, part="host", is_host=True)


@lru_cache(_CACHED)
def skolon_reading(organisation: str, host: Service | None = SKOLON) -> Service:
    """Return the service that reads one organisation's users; `host` is None if each has its own host."""
    return Service(dependency=Dependency.SKOLON, part="reading", organisation=organisation, host=host)


@lru_cache(_CACHED)
def skolon_updating(organisation: str, host: Service | None = SKOLON) -> Service:
    """Return the service that updates one organisation's users, which unchanged users do not need."""
    return Service(
        dependency=Dependency.SKOLON,
        part="updating",
        needed_by_all=False,
        organisation=organisation,
        host=host,
    )


def graph_of(directory: str) -> Service:
    """Return Graph, and Entra before it, for one directory: each directory is throttled by itself."""
    return Service(dependency=Dependency.GRAPH, part=directory, needed_by_all=False)


class CircuitOpenError(TransientError):
    """No request was sent, because the circuit is open: this is no failed attempt.

    `retry_after` is when the next request may be sent. The messages that wait come back spread over `spread`
    seconds from then on: there may be many, and one of them is enough to probe.
    """

    def __init__(
        self, dependency: Dependency, detail: str, *, retry_after: float | None = None, spread: float = 0.0
    ) -> None:
        super().__init__(dependency, detail, retry_after=retry_after)
        self.spread = spread


class ShutdownError(UpdateSyncError):
    """The process shuts down and waits for nothing: the message returns to its queue unchanged."""


class SeveralSubjects:
    """Stands for several users who are searched in one request."""


#: One user may cause the failure of a request for several: the individual requests that follow decide.
SEVERAL_SUBJECTS: Final = SeveralSubjects()


class Breakers(Protocol):
    """Guards calls to services."""

    def guard(self, service: Service, subject: Hashable = None) -> AbstractContextManager[None]:
        """Wait until a call may pass, and learn from how the block ends whether the service works.

        `subject` is the user that the request is for: what fails for one user only blocks no other.

        Waiting may take minutes. Raises `CircuitOpenError` when it is not worth it, and `ShutdownError` when
        the process shuts down.
        """


class NoBreaker:
    """Lets every call pass: for commands, whose user sees at once what is unavailable."""

    def guard(self, service: Service, subject: Hashable = None) -> AbstractContextManager[None]:
        """Let the call pass."""
        del service, subject
        return nullcontext()


NO_BREAKER = NoBreaker()
