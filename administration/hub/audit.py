"""The audit of the Data Hub as its pages show it, with the names of members who are still there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from schemas.hub.audit import AuditEntry
    from store.store import Store


@dataclass(frozen=True, kw_only=True)
class NamedAudit:
    """Entries, the newest first, and what their members and tokens are called, by number.

    A member that was removed has no name, and a token that was ended no label.

    `before` leads to the older entries, None if there are none.
    """

    entries: tuple[AuditEntry, ...]
    names: Mapping[int, str]
    labels: Mapping[int, str]
    before: int | None


def read_audit(tenant: str | None, *, before: int | None, store: Store) -> NamedAudit:
    """Return what happened about a tenant, by its key; about all, and about none, if it is None."""
    page = store.hub_audit.page(None if tenant is None else [tenant], before=before)
    wanted = {number for entry in page.entries for number in (entry.member, entry.by)}
    names = {member.id: member.name for member in store.hub_members.list() if member.id in wanted}
    tenants = {entry.tenant for entry in page.entries if entry.token is not None and entry.tenant is not None}
    labels = {token.id: token.label for each in sorted(tenants) for token in store.hub_api_tokens.list(each)}
    return NamedAudit(entries=page.entries, names=names, labels=labels, before=page.before)
