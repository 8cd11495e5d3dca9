"""Reads the Entra accounts that Skolon users name, and what they are mapped to."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from schemas.errors import PermanentError
from schemas.tenants.selected_properties import selected_properties
from schemas.users.attributes import Attribute
from schemas.users.graph_user import load_graph_user
from workers.rules.mapping import Mapped, invalid_values, mapped_values, resolve_sources
from workers.rules.scope import evaluate_scope, exclusion_reason

if TYPE_CHECKING:
    from clients.graph.client import GraphClient
    from schemas.users.skolon_user import SkolonUser
    from store.tenants.tenants import TenantRecord

#: Graph's `userType` of an account from another directory.
_GUEST: Final = "guest"

#: Object ids in Entra are GUIDs: any other External Id comes from another source.
_OBJECT_ID: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)


def is_object_id(external_id: str | None) -> bool:
    """Say whether an External Id is that of an Entra account."""
    return external_id is not None and _OBJECT_ID.fullmatch(external_id) is not None


@dataclass(frozen=True, kw_only=True)
class Account:
    """An Entra account that the sync keeps a Skolon user for, and the valid values that it is mapped to."""

    id: str
    mapped: Mapped = field(default_factory=dict)


class Accounts:
    """Reads accounts of a tenant's directory, each by one request."""

    def __init__(self, record: TenantRecord, graph: GraphClient) -> None:
        self._tenant = record.tenant
        self._decisions = record.decisions
        self._graph = graph

    def owner(self, user: SkolonUser) -> Account | None:
        """Return the account that a Skolon user names, if the sync keeps that Skolon user for it.

        An account that is gone, disabled, a guest's or out of scope holds up no one else. Neither does one
        that an administrator has linked to another Skolon user.
        """
        external_id = user.attributes.get(Attribute.EXTERNAL_ID)
        if external_id is None or not is_object_id(external_id):
            return None
        if self._decisions.linked_skolon_id(external_id) not in (None, user.id):
            return None
        properties = {*selected_properties(self._tenant), "accountEnabled", "userType"}
        raw: object = self._graph.user(external_id, sorted(properties))
        if raw is None:
            return None
        try:
            owner = load_graph_user(raw)
        except PermanentError:
            # It is there, and what is wrong with it may be corrected.
            return Account(id=external_id.lower())
        is_active = owner.account_enabled is not False and (owner.user_type or "").lower() != _GUEST
        rules = evaluate_scope(owner, self._tenant.scope, is_ignored=self._decisions.ignores(external_id))
        if not is_active or exclusion_reason(rules) is not None:
            return None
        mapped = mapped_values(resolve_sources(owner, self._tenant))
        faults = invalid_values(mapped, self._tenant)
        valid = {attribute: value for attribute, value in mapped.items() if attribute not in faults}
        return Account(id=owner.id, mapped=valid)
