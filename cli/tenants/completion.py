"""What a shell completes: the keys of the tenants in the database."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING, Any

import click

from schemas.errors import UpdateSyncError
from schemas.settings import Requirement

if TYPE_CHECKING:
    from collections.abc import Callable


def complete_tenants(_context: click.Context, _parameter: click.Parameter, incomplete: str) -> list[str]:
    """Return the keys that begin with what is typed; none while the database cannot be asked."""
    from bootstrap.services import Services  # noqa: PLC0415 - slow to import, and only a completing shell asks

    try:
        with closing(Services(Requirement.DATABASE)) as services:
            keys = [tenant.key for tenant in services.store.tenants.outlines()]
    except UpdateSyncError:
        return []
    return [key for key in keys if key.startswith(incomplete)]


#: A tenant's key.
tenant_argument: Callable[..., Any] = click.argument("tenant", shell_complete=complete_tenants)
