"""Keeps values in Skolon: those whose source in Entra went blank, and those that Skolon has altered."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from schemas.users.attributes import SOURCE_ORDERED_ATTRIBUTES, Attribute
from schemas.users.value_sources import NOTHING_REMEMBERED, RememberedSources, format_value_sources
from workers.rules.kept_values import keeps_value, later_sources, replaced_by_later_source
from workers.rules.mapping import is_personal

if TYPE_CHECKING:
    from collections.abc import Mapping

    from schemas.tenants.tenant import Tenant
    from schemas.users.graph_user import GraphUser
    from schemas.users.skolon_user import SkolonUser
    from workers.rules.mapping import ResolvedSource

#: Returns what is remembered of a user's values.
Memory = Callable[[], RememberedSources]


def nothing_remembered() -> RememberedSources:
    """Return the memory of a user without receipts."""
    return NOTHING_REMEMBERED


class SourceOrder:
    """Decides for one Entra user, with the tenant's order of sources."""

    def __init__(self, tenant: Tenant, remembered: Memory) -> None:
        """Take what is called when a later source would replace a value, and seldom else."""
        self._tenant = tenant
        self._remembered = remembered
        self._kept_from: dict[Attribute, str] = {}

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
        self._kept_from = {
            attribute: remembered.source(attribute) or ""
            for attribute in replaced
            if keeps_value(
                later[attribute],
                self._tenant.sources[attribute],
                remembered.source(attribute),
                # A run by the former order would have written it: no source before it can have gone blank.
                may_replace=is_personal(user, changes[attribute])
                or remembered.came_first(attribute, later[attribute]),
            )
        }
        return frozenset(self._kept_from)

    def to_remember(self, sources: Mapping[Attribute, ResolvedSource], kept: frozenset[Attribute]) -> str:
        """Return what the user's receipt notes of the sources of the values in Skolon."""
        return format_value_sources(
            {
                attribute: self._origin(attribute, sources[attribute], is_kept=attribute in kept)
                for attribute in SOURCE_ORDERED_ATTRIBUTES
                if attribute in sources
            }
        )

    def _origin(self, attribute: Attribute, resolved: ResolvedSource, *, is_kept: bool) -> str:
        """Return the source of a value; a value that stays where Entra has none is taken for the first's."""
        order = self._tenant.sources[attribute]
        if is_kept:
            former = self._kept_from.get(attribute)
            return former if former in order else order[0]
        return resolved.source if resolved.known and resolved.source is not None else order[0]
