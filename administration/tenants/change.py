"""Changes a tenant's settings, and tells which of them differ now."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from administration.tenants.mapping.approval import check_command
from schemas.crypto.encryption import DecryptionError
from schemas.tenants.tenant import change_tenant, dump_tenant

if TYPE_CHECKING:
    from collections.abc import Mapping

    from store.tenants.tenants import Tenants


def change_settings(
    key: str, changes: Mapping[str, Any], tenants: Tenants, *, operator: str | None = None
) -> list[str]:
    """Change what `changes` names, and return the names of the settings that had another value before.

    A client secret always counts: the one that is stored is not compared. So does all that is named while no
    key opens the rules of the scope. `operator` is who sets a client secret. Raises as `Tenants.change` does,
    and `UsageError` for sources that need a second person's approval.
    """
    outline = tenants.outline(key)
    check_command(outline, change_tenant(outline, changes)[0])
    try:
        before: dict[str, Any] | None = dump_tenant(tenants.settings(key))
    except DecryptionError:
        before = None
    after = dump_tenant(tenants.change(key, changes, operator=operator))
    # The date of a former secret is forgotten with it.
    of_secret = ["client_secret_expires"] if before is not None and "client_secret" in changes else []
    return sorted(
        name
        for name in {*changes, *of_secret}
        if before is None or name not in after or before.get(name) != after[name]
    )
