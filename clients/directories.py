"""Everybody's directories as the environment's settings describe them: Graph's and Skolon's."""

from __future__ import annotations

from typing import TYPE_CHECKING

from clients.graph import Graph, GraphClient, graph
from clients.skolon import SkolonDirectory, scim_directory

if TYPE_CHECKING:
    from schemas.settings import Settings
    from schemas.tenants import Credentials


class Directories:
    """The doors of one process; may be shared by threads."""

    def __init__(self, microsoft: Graph, skolon: SkolonDirectory) -> None:
        self._microsoft = microsoft
        self._skolon = skolon
        self._skolon_to_read = skolon.read_only()

    def graph(self, credentials: Credentials) -> GraphClient:
        """Return Graph as a tenant's app sees it; cheap, nothing is sent yet."""
        return self._microsoft.tenant(credentials)

    def skolon(self, *, dry_run: bool) -> SkolonDirectory:
        """Return Skolon; for a dry run one that nothing but reading gets through to (promise P1)."""
        return self._skolon_to_read if dry_run else self._skolon


def directories(settings: Settings) -> Directories:
    """Return the directories; nothing is sent yet."""
    return Directories(graph(settings), scim_directory(settings))
