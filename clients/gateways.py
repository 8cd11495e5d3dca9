"""Makes the clients of one process: Microsoft Graph and Skolon, behind circuit breakers."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from clients.graph.birthdays import Birthdays
from clients.graph.client import GraphClient, GraphService
from clients.skolon.client import create_skolon_client
from runtime.services import NO_BREAKER, Breakers
from schemas.tenants.skolon_profile import SkolonProfile

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from clients.skolon.capability_cache import CapabilityStore
    from clients.skolon.interface import SkolonClient
    from schemas.settings import Settings
    from schemas.tenants.tenant import Credentials


class Gateways:
    """The clients of one process; may be shared by threads."""

    def __init__(self, graph: GraphService, birthdays: Birthdays, skolon: SkolonClient) -> None:
        self._graph = graph
        self._birthdays = birthdays
        self._lock = threading.Lock()
        self._skolon = {
            (SkolonProfile.ASSUMED, False): skolon,
            (SkolonProfile.ASSUMED, True): skolon.read_only(),
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

    def skolon(self, profile: SkolonProfile = SkolonProfile.ASSUMED, *, dry_run: bool) -> SkolonClient:
        """Return the Skolon client for a profile; for a dry run one that can only read (promise P1)."""
        with self._lock:
            client = self._skolon.get((profile, dry_run))
            if client is None:
                client = self._skolon[SkolonProfile.ASSUMED, dry_run].with_profile(profile)
                self._skolon[profile, dry_run] = client
            return client


def create_gateways(
    settings: Settings, breakers: Breakers = NO_BREAKER, capabilities: CapabilityStore | None = None
) -> Gateways:
    """Return the clients that the settings describe, behind circuit breakers; sends nothing yet.

    `capabilities` keeps what is found out about Skolon's servers for all processes.
    """
    graph = GraphService(
        url=settings.graph_url,
        authority=settings.entra_authority,
        ca_bundle=settings.ca_bundle,
        breakers=breakers,
    )
    return Gateways(graph, Birthdays(), create_skolon_client(settings, breakers, capabilities))
