"""What is known of sources that were changed: what the last runs say, and the settings to go back to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from schemas.outcomes import RunKind, Status
from schemas.runs.totals.mapping_comparison import lost_attribute
from schemas.users.attributes import ATTRIBUTE_TABLE

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from schemas.runs.run import Run
    from schemas.runs.totals.kept_blanks import KeptBlanks
    from schemas.tenants.tenant import Tenant
    from schemas.users.attributes import Attribute
    from store.store import Store

#: Previews among which one of the same sources is looked for.
_PREVIEWS: Final = 20


@dataclass(frozen=True, kw_only=True)
class SourceChange:
    """The attributes whose sources were changed, with those `before`.

    `last_run` is the last complete run of all users, and `kept` counts the users that lacked a value in it.
    `preview` is the newest one that has tried the sources now, and `lost` what it says of them; None if none
    has.
    """

    before: Mapping[Attribute, tuple[str, ...]]
    last_run: int | None
    kept: KeptBlanks | None
    preview: int | None
    lost: Sequence[str]


def source_change(before: Tenant, after: Tenant, *, store: Store) -> SourceChange:
    """Return what is known of the sources that differ; an attribute without any is not synced on purpose."""
    changed = {
        name: sources
        for name, sources in before.sources.items()
        if after.sources[name] and sources != after.sources[name]
    }
    full = store.runs.list(after.key, 1, statuses=(Status.COMPLETED,), kinds=(RunKind.FULL,))
    last_run = full[0].run.id if full else None
    previews = store.runs.list(after.key, _PREVIEWS, statuses=(Status.COMPLETED,), kinds=(RunKind.PREVIEW,))
    preview = next((each.run for each in previews if _tries(each.run, changed, after)), None)
    lost = []
    if preview is not None:
        mapping = store.mapping_comparisons.for_run(preview.id)
        lost = [
            lost_attribute(name, mapping[name])
            for name in changed
            if name in mapping and mapping[name].is_mostly_lost
        ]
    return SourceChange(
        before=changed,
        last_run=last_run,
        kept=None if last_run is None else store.kept_blanks.for_run(last_run),
        preview=None if preview is None else preview.id,
        lost=lost,
    )


def titles(change: SourceChange) -> str:
    """Return the attributes of a change by their titles."""
    return ", ".join(ATTRIBUTE_TABLE[name].title for name in change.before)


def _tries(run: Run, changed: Mapping[Attribute, tuple[str, ...]], after: Tenant) -> bool:
    """Say whether a preview has tried the sources that the tenant has now."""
    tried = (run.settings_override or {}).get("sources") or {}
    return all(list(tried.get(str(name), ())) == list(after.sources[name]) for name in changed)
