"""Finds a tenant's users by Entra id, Skolon id, EPPN, e-mail address, user principal name or name."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from schemas.crypto.encryption import FieldCipher
from schemas.errors import UsageError
from schemas.runs.identity_digests import normalize_eppn
from schemas.users.attributes import EXTENSION_ATTRIBUTES, Attribute
from schemas.users.graph_user import is_entra_id

if TYPE_CHECKING:
    from collections.abc import Sequence

    from clients.graph.client import GraphClient
    from schemas.tenants.tenant import Tenant
    from store.store import Store

#: Entra's ids are GUIDs.
_GUID: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)


def find_user_ids(tenant: str, identifier: str, *, store: Store, keys: Sequence[str]) -> list[str]:
    """Return the Entra ids of the users that the tenant's runs know by that id or EPPN.

    `keys` are the secret keys, needed for an EPPN. Raises `UsageError` without them.
    """
    marks = []
    if _GUID.fullmatch(identifier):
        identifier = identifier.lower()
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


def search_entra(identifier: str, tenant: Tenant, graph: GraphClient) -> list[str]:
    """Return the ids of the users in Entra that have an address or a name now; no value is in a URL.

    With an `@` it is a user principal name, an e-mail address or an EPPN; without one a display name or a
    surname. An id is returned as it is, whether or not there is such a user. Raises as `GraphClient` does.
    """
    if _GUID.fullmatch(identifier):
        return [identifier.lower()]
    names = ["displayName", "surname"]
    if "@" in identifier:
        eppn = [source for source in tenant.sources[Attribute.EPPN] if source in EXTENSION_ATTRIBUTES]
        names = ["userPrincipalName", "mail", "otherMails", *eppn]
    found: list[Any] = graph.find_users([(name, identifier) for name in names], ())
    ids = (each.get("id") for each in found if isinstance(each, dict))
    return list(dict.fromkeys(each for each in ids if isinstance(each, str) and is_entra_id(each)))
