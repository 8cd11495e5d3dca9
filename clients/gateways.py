"""Everybody's directories as the environment's settings describe them: Graph's and Skolon's."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from clients.graph.client import GraphService, create_graph
from clients.skolon.client import ORGANISATION, SkolonClient, create_skolon_client
from clients.skolon.search_batching import BatchingSkolonClient
from clients.watched import WatchedGraph, WatchedSkolon
from runtime.services import ALWAYS_OPEN, Passages

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from schemas.settings import Settings
    from schemas.tenants.tenant import Credentials


class Gateways:
    """The doors of one process; may be shared by threads."""

    def __init__(
        self,
        microsoft: GraphService,
        skolon: SkolonClient,
        passages: Passages = ALWAYS_OPEN,
        *,
        one_host: bool = True,
    ) -> None:
        """Take whether all organisations are served by one host of Skolon's."""
        self._microsoft = microsoft
        self._passages = passages
        # The passage is where the request leaves: several people of one search count once.
        self._skolon = BatchingSkolonClient(WatchedSkolon(skolon, passages, one_host=one_host))
        self._skolon_to_read = self._skolon.read_only()

    def graph(self, credentials: Credentials) -> WatchedGraph:
        """Return Graph as a tenant's app sees it; cheap, nothing is sent yet."""
        return WatchedGraph(self._microsoft.client(credentials), credentials, self._passages)

    def track_user(self) -> AbstractContextManager[None]:
        """Count this thread among those that have a person in hand, until the block ends.

        Whoever is the first of them to ask Graph for a birthday waits for the others for a moment.
        """
        return self._microsoft.birthdays.company.in_hand()

    def skip_birthday(self) -> None:
        """Say that nobody need wait for the person in this thread's hand."""
        self._microsoft.birthdays.company.turned_off()

    def skolon(self, *, dry_run: bool) -> SkolonClient:
        """Return Skolon; for a dry run one that nothing but reading gets through to (promise P1)."""
        return self._skolon_to_read if dry_run else self._skolon


def create_gateways(settings: Settings, passages: Passages = ALWAYS_OPEN) -> Gateways:
    """Return the directories, asked through `passages`; nothing is sent yet."""
    return Gateways(
        create_graph(settings),
        create_skolon_client(settings),
        passages,
        one_host=ORGANISATION not in urlsplit(settings.skolon_scim_url).netloc,
    )
