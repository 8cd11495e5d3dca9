"""Makes the clients of one process: Microsoft Graph and Skolon, behind circuit breakers."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Final

from clients.graph.birthdays import Birthdays
from clients.graph.client import GraphClient
from clients.graph.service import GraphService
from clients.http.limits import TOKEN_LIMITS
from clients.http.session import REQUEST_TIMEOUT, HttpSession
from clients.skolon.auth import ClientCredentialsTokenSource, StaticToken, TokenSource
from clients.skolon.client import ScimSkolonClient
from clients.skolon.server.capability_cache import CapabilityCache
from runtime.services import NO_BREAKER, Breakers
from schemas.tenants.skolon_target import SkolonTarget

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from clients.skolon.interface import SkolonClient
    from clients.skolon.server.capability_cache import CapabilityStore
    from schemas.settings import Settings
    from schemas.tenants.tenant import Credentials

#: Seconds of a request for which a person waits, in front of a page.
PAGE_TIMEOUT: Final = 4.0

_DEFAULT_TARGET: Final = SkolonTarget()


class Gateways:
    """The clients of one process; may be shared by threads."""

    def __init__(self, graph: GraphService, birthdays: Birthdays, skolon: SkolonClient) -> None:
        self._graph = graph
        self._birthdays = birthdays
        self._lock = threading.Lock()
        self._skolon = {
            (_DEFAULT_TARGET, False): skolon,
            (_DEFAULT_TARGET, True): skolon.read_only(),
        }

    def graph(self, credentials: Credentials) -> GraphClient:
        """Return Graph as a tenant's application sees it; cheap, sends nothing yet."""
        return GraphClient(self._graph, credentials, self._birthdays)

    def track_user(self) -> AbstractContextManager[None]:
        """Count this thread among those that process a user, until the block ends.

        The first of them that needs a birthday waits briefly for the others, to ask for all in one request.
        """
        return self._birthdays.cohort.join()

    def skip_birthday(self) -> None:
        """Tell the other threads that this thread's user needs no birthday."""
        self._birthdays.cohort.leave()

    def skolon(self, target: SkolonTarget = _DEFAULT_TARGET, *, dry_run: bool) -> SkolonClient:
        """Return the Skolon client for a target; for a dry run one that can only read (promise P1)."""
        client = self._skolon.get((target, dry_run))
        if client is not None:
            return client
        with self._lock:
            client = self._skolon.get((target, dry_run))
            if client is None:
                client = self._skolon[_DEFAULT_TARGET, dry_run].for_target(target)
                self._skolon[target, dry_run] = client
            return client


def create_gateways(
    settings: Settings,
    breakers: Breakers = NO_BREAKER,
    capabilities: CapabilityStore | None = None,
    *,
    seconds: float = REQUEST_TIMEOUT,
) -> Gateways:
    """Return the clients that the settings describe, behind circuit breakers; sends nothing yet.

    `capabilities` keeps what is found out about Skolon's servers for all processes. A request ends after
    `seconds`.
    """
    graph = GraphService(
        url=settings.graph_url,
        authority=settings.entra_authority,
        ca_bundle=settings.ca_bundle,
        breakers=breakers,
        seconds=seconds,
    )
    skolon = create_skolon_client(settings, breakers, capabilities, seconds=seconds)
    return Gateways(graph, Birthdays(), skolon)


def create_skolon_client(
    settings: Settings,
    breakers: Breakers = NO_BREAKER,
    capabilities: CapabilityStore | None = None,
    *,
    seconds: float = REQUEST_TIMEOUT,
) -> ScimSkolonClient:
    """Return the client that the environment's settings describe; sends nothing yet.

    `capabilities` keeps what is found out about the servers. A request ends after `seconds`.
    """
    token: TokenSource
    if settings.skolon_token:
        token = StaticToken(settings.skolon_token)
    else:
        token = ClientCredentialsTokenSource(
            HttpSession(
                methods={"POST"},
                origin=settings.skolon_token_url,
                ca_bundle=settings.ca_bundle,
                limits=TOKEN_LIMITS,
                seconds=seconds,
            ),
            url=settings.skolon_token_url,
            client_id=settings.skolon_client_id,
            client_secret=settings.skolon_client_secret,
        )
    return ScimSkolonClient(
        url=settings.skolon_scim_url,
        token=token,
        ca_bundle=settings.ca_bundle,
        capabilities=CapabilityCache(capabilities),
        breakers=breakers,
        seconds=seconds,
    )
