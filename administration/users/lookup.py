"""Finds a tenant's users by Entra id, Skolon id or EPPN."""

from __future__ import annotations

from typing import TYPE_CHECKING

from schemas.crypto.encryption import FieldCipher
from schemas.errors import UsageError
from schemas.runs.identity_digests import normalize_eppn
from schemas.users.attributes import Attribute
from schemas.users.graph_user import is_entra_id

if TYPE_CHECKING:
    from collections.abc import Sequence

    from store.store import Store


def find_user_ids(tenant: str, identifier: str, *, store: Store, keys: Sequence[str]) -> list[str]:
    """Return the Entra ids of the users that the tenant's runs know by that id or EPPN.

    `keys` are the secret keys, needed for an EPPN. Raises `UsageError` without them.
    """
    marks = []
    if "@" in identifier:
        marks = FieldCipher(keys).index.digests(tenant, Attribute.EPPN, normalize_eppn(identifier))
    return list(store.user_history.find_user_ids(tenant, identifier, marks))


def resolve_entra_id(tenant: str, identifier: str, *, store: Store, keys: Sequence[str]) -> str:
    """Return the one user of that id or EPPN; an Entra id that no run knows is returned as it is.

    Raises `UsageError` if several users match, or none does and it cannot be an Entra id.
    """
    found = find_user_ids(tenant, identifier, store=store, keys=keys)
    if len(found) > 1:
        raise UsageError(f"Several users match: {', '.join(found)}. Give one of these ids.")
    if not found and ("@" in identifier or not is_entra_id(identifier)):
        raise UsageError(
            f"No user with that id or EPPN was found in '{tenant}': give the id of a user in Entra."
        )
    return found[0] if found else identifier
