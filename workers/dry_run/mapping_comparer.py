"""Compares how a preview's settings and the saved ones map one user."""

from __future__ import annotations

from typing import TYPE_CHECKING

from schemas.runs.totals.mapping_comparison import MappedAttribute, MappingEffect, format_mapping
from schemas.users.attributes import values_match
from workers.dry_run.source_facts import source_facts
from workers.pipeline.steps import CompareStep, MapStep, ReadStep, Step
from workers.rules.mapping import invalid_values, mapped_values, resolve_sources
from workers.rules.scope import evaluate_scope, exclusion_reason

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from schemas.tenants.tenant import Tenant
    from schemas.users.attributes import Attribute
    from schemas.users.graph_user import GraphUser
    from schemas.users.skolon_user import SkolonUser
    from workers.rules.mapping import ResolvedSource


class MappingComparer:
    """Listens to the steps of one user of a preview; `text` is None until the user is mapped.

    It stays None for a run that goes by the `saved` settings, which are None then.
    """

    def __init__(self, tried: Tenant, saved: Tenant | None, digest: Callable[[str], str] = str) -> None:
        """Take the settings of the preview, the saved ones, and what makes a keyed digest of a text."""
        self._tried = tried
        self._saved = saved
        self._digest = digest
        self._held: SkolonUser | None = None
        self._user: GraphUser | None = None
        self._sources: Mapping[Attribute, ResolvedSource] | None = None
        self._written: Collection[Attribute] = ()

    def __call__(self, step: Step) -> None:
        """Keep what the step tells."""
        match step:
            case ReadStep():
                self._user = step.user
            case MapStep():
                self._sources = step.sources
            case CompareStep():
                self._written = step.changes
                self._held = step.user

    @property
    def text(self) -> str | None:
        """The comparison as a receipt keeps it."""
        if self._saved is None or self._user is None or self._sources is None:
            return None
        saved = saved_sources(self._user, self._saved)
        return format_mapping(compare_mappings(self._sources, saved, self._written, self._tried))

    @property
    def source_facts(self) -> str | None:
        """What the properties of the user hold for each attribute, as a receipt keeps it."""
        if self._saved is None or self._user is None or self._sources is None:
            return None
        return source_facts(self._user, self._held, self._tried, self._digest)


def saved_sources(user: GraphUser, saved: Tenant) -> dict[Attribute, ResolvedSource]:
    """Return how the saved settings map a user; nothing if the user is not in their scope."""
    if exclusion_reason(evaluate_scope(user, saved.scope)) is not None:
        return {}
    return resolve_sources(user, saved)


def compare_mappings(
    tried: Mapping[Attribute, ResolvedSource],
    saved: Mapping[Attribute, ResolvedSource],
    written: Collection[Attribute],
    tenant: Tenant,
) -> dict[Attribute, MappedAttribute]:
    """Return the comparison of each attribute that either of the settings syncs.

    Birth dates are left out, and any attribute whose property was not read: they are not known.
    """
    invalid = invalid_values(mapped_values(tried), tenant)
    compared = {}
    for name in {**tried, **saved}:
        new, old = tried.get(name), saved.get(name)
        if not all(each.known for each in (new, old) if each is not None):
            continue
        value = None if new is None else new.value
        former = None if old is None else old.value
        compared[name] = MappedAttribute(
            source=None if new is None else new.source,
            effect=_effect(name, former, value),
            is_valid=name not in invalid,
            is_written=name in written,
        )
    return compared


def _effect(attribute: Attribute, former: str | None, value: str | None) -> MappingEffect:
    if values_match(attribute, former, value):
        return MappingEffect.SAME
    if former is None:
        return MappingEffect.GAINED
    return MappingEffect.LOST if value is None else MappingEffect.CHANGED
