"""The audit of the Data Hub as its pages show it, with the names of its members."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from schemas.hub.audit import AuditEntry
    from store.store import Store


@dataclass(frozen=True, kw_only=True)
class NamedAudit:
    """Entries, the newest first, and what their members and tokens are called, by number.

    A member that was removed has the name of that time, and a token that was ended no label. A run that was
    asked for has its number as soon as it has begun. `before` leads to the older entries, None if there are
    none.
    """

    entries: tuple[AuditEntry, ...]
    names: Mapping[int, str]
    labels: Mapping[int, str]
    before: int | None


def read_audit(tenant: str | None, *, before: int | None, store: Store) -> NamedAudit:
    """Return what happened about a tenant, by its key; about all, and about none, if it is None."""
    page = store.hub_audit.page(None if tenant is None else [tenant], before=before)
    wanted = {number for entry in page.entries for number in (entry.member, entry.by) if number is not None}
    names = {member.id: member.name for member in store.hub_members.list() if member.id in wanted}
    tenants = {entry.tenant for entry in page.entries if entry.token is not None and entry.tenant is not None}
    labels = {token.id: token.label for each in sorted(tenants) for token in store.hub_api_tokens.list(each)}
    runs = store.triggers.runs_of([entry.event for entry in page.entries if entry.event is not None])
    return NamedAudit(
        entries=tuple(
            dataclasses.replace(entry, run=runs.get(entry.event)) if entry.event is not None else entry
            for entry in page.entries
        ),
        names={**store.hub_members.former_names(wanted - set(names)), **names},
        labels=labels,
        before=page.before,
    )
