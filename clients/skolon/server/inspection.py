"""Looks at an organisation's server without changing anything: for checks, not for the work of a run."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from clients.http.session import json_object, succeeded
from clients.skolon.search.requests import RefusedSearchError, SearchRequests
from clients.skolon.search.samples import read_sample
from clients.skolon.server.descriptions import DESCRIPTIONS, ServerDescription, read_description
from schemas.errors import UpdateSyncError
from schemas.users.skolon_user import SkolonUser

if TYPE_CHECKING:
    from collections.abc import Sequence

    import requests

    from clients.skolon.server.capability_cache import CapabilityCache


@dataclass(frozen=True, kw_only=True)
class Inspection:
    """A few of the organisation's users, whichever, and what the server says of itself."""

    users: Sequence[SkolonUser] = ()
    description: ServerDescription = field(default_factory=ServerDescription)


class ReadDescription(Protocol):
    """Sends a GET for one of `DESCRIPTIONS`; returns the response whatever its status."""

    def __call__(self, organisation: str, path: str) -> requests.Response:
        """Take the path below the organisation's base URL."""


class ScimInspection:
    """Inspects the servers of all organisations; may be shared by threads."""

    def __init__(
        self, read: ReadDescription, searches: SearchRequests, capabilities: CapabilityCache
    ) -> None:
        self._read = read
        self._searches = searches
        self._capabilities = capabilities

    def inspect(self, organisation: str) -> Inspection:
        """Return what was seen, and record whether pages add up.

        Raises what a search raises, when the server does not list users.
        """
        try:
            resources, pages_add_up = read_sample(lambda page: self._searches.list_page(organisation, page))
        except RefusedSearchError as refused:
            raise refused.error from None
        if pages_add_up is not None:
            self._capabilities.record(organisation, pages_add_up=pages_add_up)
        found = map(self._searches.read_user, resources)
        return Inspection(
            users=[user for user in found if isinstance(user, SkolonUser)],
            description=self._description(organisation),
        )

    def _description(self, organisation: str) -> ServerDescription:
        found = {}
        for path in DESCRIPTIONS:
            try:
                response = self._read(organisation, path)
            except UpdateSyncError:  # it is optional, and whatever is away is said by what is not
                continue
            body = json_object(response) if succeeded(response) else None
            if body is not None:
                found[path] = body
        return read_description(found, self._searches.profile)
