"""Reads an Entra user and what it is mapped to, as a comparison shows it."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from schemas.errors import PermanentError
from schemas.tenants.selected_properties import selected_properties
from schemas.users.attributes import Attribute
from schemas.users.graph_user import load_graph_user
from workers.pipeline.accounts import Accounts, is_object_id
from workers.rules.mapping import mapped_values, resolve_sources

if TYPE_CHECKING:
    from clients.graph.client import GraphClient
    from schemas.users.graph_user import GraphUser
    from store.tenants.tenants import TenantRecord
    from workers.rules.mapping import Mapped


def read_account(entra_id: str, record: TenantRecord, graph: GraphClient) -> tuple[GraphUser, Mapped] | None:
    """Return an Entra user and its values before validation, None if it is gone or cannot be read.

    Raises as `GraphClient` does.
    """
    if not is_object_id(entra_id):
        return None
    tenant = record.tenant
    raw: object = graph.user(entra_id, selected_properties(tenant))
    if raw is None:
        return None
    with suppress(PermanentError):
        user = load_graph_user(raw)
        mapped = mapped_values(resolve_sources(user, tenant))
        if tenant.wants_birthdays:
            birthday = Accounts(record, graph).birthday(entra_id)
            if birthday.problem is None:
                mapped[Attribute.BIRTH_DATE] = birthday.value
        return user, mapped
    return None
