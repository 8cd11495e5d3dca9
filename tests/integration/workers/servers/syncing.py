"""The whole sync in one process, with an odd SCIM server as the organisation. All people are made up."""

from __future__ import annotations

import dataclasses
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

from cli.sandbox.in_process_sync import in_process_sync
from devtools.odd_servers.environment import OddServers
from sandbox.environment import TENANT_KEY, serve_environment
from sandbox.municipality.municipality import Municipality

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from cli.sandbox.in_process_sync import InProcessSync
    from devtools.odd_servers.organisation import OddOrganisation
    from sandbox.environment import Environment

PEOPLE: Final = 60
_KEY: Final = "udda"


@contextmanager
def syncing_with(
    make_organisation: Callable[[Municipality], OddOrganisation], folder: Path, **settings: Any
) -> Iterator[tuple[OddOrganisation, Environment, InProcessSync]]:
    """Serve a municipality's users with a server, and sync it by a tenant with these settings."""
    municipality = Municipality(PEOPLE)
    organisation = make_organisation(municipality)
    around = OddServers({_KEY: organisation}).around
    with serve_environment(folder, users=1, others={_KEY: municipality}, around=around) as served:
        tenant = {**served.other_tenants[_KEY], **settings}
        made_up = dataclasses.replace(served, municipality=municipality, tenant=tenant)
        with in_process_sync(made_up, TENANT_KEY, folder) as sync:
            yield organisation, made_up, sync
