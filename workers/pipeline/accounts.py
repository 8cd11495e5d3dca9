"""Reads the Entra accounts that Skolon users name or may belong to, and what they are mapped to."""

from __future__ import annotations

import datetime as dt
import re
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

from schemas.errors import PermanentError
from schemas.tenants.selected_properties import selected_properties
from schemas.users.attributes import Attribute
from schemas.users.graph_user import load_graph_user
from workers.rules.birth_dates import birth_date
from workers.rules.mapping import Mapped, invalid_values, mapped_values, resolve_sources
from workers.rules.scope import evaluate_scope, exclusion_reason

if TYPE_CHECKING:
    from collections.abc import Mapping

    from clients.graph.birthdays import Birthday
    from clients.graph.client import GraphClient
    from schemas.users.graph_user import GraphUser
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
    """An Entra account that the sync keeps a Skolon user for, and the valid values that it is mapped to.

    `user` is None if what Graph gave is invalid.
    """

    id: str
    user: GraphUser | None = None
    mapped: Mapped = field(default_factory=dict)


class Accounts:
    """Reads accounts of a tenant's directory."""

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
        raw: object = self._graph.user(external_id, self._properties)
        if raw is None:
            return None
        try:
            return self._synced(load_graph_user(raw))
        except PermanentError:
            # It is there, and what is wrong with it may be corrected.
            return Account(id=external_id.lower())

    def find(self, values: Mapping[Attribute, str]) -> list[Account]:
        """Return the accounts that may be mapped to any of the values, by one request without one in a URL.

        They are synced, and valid.
        """
        sources = self._tenant.sources
        conditions = [(source, value) for attribute, value in values.items() for source in sources[attribute]]
        found = []
        for raw in self._graph.find_users(conditions, self._properties) if conditions else ():
            with suppress(PermanentError):
                found.append(self._synced(load_graph_user(raw)))
        return [account for account in found if account is not None]

    def birthday(self, user_id: str) -> Birthday:
        """Return a user's birthday, as the calendar day at home."""
        birthday = self._graph.birthday(user_id)
        date = birth_date(
            birthday.value,
            birthday.moment,
            time_zone=self._tenant.time_zone,
            now=dt.datetime.now(dt.UTC),
        )
        return replace(birthday, value=date)

    @property
    def _properties(self) -> list[str]:
        return sorted({*selected_properties(self._tenant), "accountEnabled", "userType"})

    def _synced(self, owner: GraphUser) -> Account | None:
        """Return an account with its valid values, None if the sync keeps no Skolon user for it."""
        is_active = owner.account_enabled is not False and (owner.user_type or "").lower() != _GUEST
        rules = evaluate_scope(owner, self._tenant.scope, is_ignored=self._decisions.ignores(owner.id))
        if not is_active or exclusion_reason(rules) is not None:
            return None
        mapped = mapped_values(resolve_sources(owner, self._tenant))
        faults = invalid_values(mapped, self._tenant)
        valid = {attribute: value for attribute, value in mapped.items() if attribute not in faults}
        return Account(id=owner.id, user=owner, mapped=valid)
