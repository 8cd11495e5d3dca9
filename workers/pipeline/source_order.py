"""Keeps values in Skolon: those whose source in Entra went blank, and those that Skolon has altered."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from schemas.users.value_sources import format_later_sources
from workers.rules.kept_values import keeps_value, later_sources, replaced_by_later_source
from workers.rules.mapping import is_personal

if TYPE_CHECKING:
    from collections.abc import Mapping

    from schemas.tenants.tenant import Tenant
    from schemas.users.attributes import Attribute
    from schemas.users.graph_user import GraphUser
    from schemas.users.skolon_user import SkolonUser
    from workers.rules.mapping import ResolvedSource

#: Returns which values of a user came from a later source than their attribute's first; None if unknown.
RememberedSources = Callable[[], "Mapping[Attribute, str] | None"]


def nothing_remembered() -> None:
    """Return None: the memory of a user without receipts."""


class SourceOrder:
    """Decides for one Entra user, with the tenant's order of sources."""

    def __init__(self, tenant: Tenant, remembered: RememberedSources) -> None:
        """Take what is called when a later source would replace a value, and seldom else."""
        self._tenant = tenant
        self._remembered = remembered

    def kept(
        self,
        user: GraphUser,
        sources: Mapping[Attribute, ResolvedSource],
        skolon_user: SkolonUser,
        changes: Mapping[Attribute, str | None],
    ) -> frozenset[Attribute]:
        """Return the attributes among the changes that keep the value that Skolon has."""
        later = later_sources(sources, self._tenant)
        replaced = replaced_by_later_source(skolon_user, changes, later, self._tenant)
        if not replaced:
            return frozenset()
        remembered = self._remembered()
        return frozenset(
            attribute
            for attribute in replaced
            if keeps_value(
                later[attribute],
                self._tenant.sources[attribute],
                None if remembered is None else remembered.get(attribute, self._tenant.sources[attribute][0]),
                is_personal=is_personal(user, changes[attribute]),
            )
        )

    def to_remember(self, sources: Mapping[Attribute, ResolvedSource], kept: frozenset[Attribute]) -> str:
        """Return what the user's receipt notes of the sources of the values in Skolon."""
        later = later_sources(sources, self._tenant)
        return format_later_sources({name: each for name, each in later.items() if name not in kept})
