"""Drafts of a mapping: made, changed, tried on all users as a dry run, made active, and discarded."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from administration.hub.actions import carry_out
from administration.runs.actions.start import event_of
from administration.runs.trigger import check_enabled, publish_request
from administration.tenants.mapping.approval import about_draft, check_approved, settings_of, to_approve
from administration.tenants.preview import preview_of
from administration.tenants.settings_check import keys_without_source, lost_match_keys
from schemas.errors import UsageError
from schemas.hub.action import Action, ActionRefusal, ActionRefusedError
from schemas.hub.session import AuditKind
from schemas.messages.messages import SyncRequest
from schemas.outcomes import OPEN_STATUSES
from schemas.tenants.mapping.sources import apply_edit, differing, dump_sources
from schemas.tenants.settings_override import apply_override, resolve_override

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from administration.tenants.preview import Preview
    from queues.interfaces import Publisher
    from schemas.hub.action import Submission
    from schemas.runs.run import RunSummary
    from schemas.tenants.mapping.draft import MappingDraft
    from schemas.tenants.mapping.sources import SourceEdit, Sources
    from schemas.users.attributes import Attribute
    from store.store import Store


@dataclass(frozen=True, kw_only=True)
class DraftView:
    """A draft beside the active mapping.

    `differences` are the attributes whose sources differ: the active ones, and the draft's. `lost_keys` are
    the match keys by which no user would be found any more; `finds_no_user` if none would be left.
    `to_approve` are the attributes whose change needs a second person.
    """

    draft: MappingDraft
    active: Sources
    differences: Mapping[Attribute, tuple[tuple[str, ...], tuple[str, ...]]]
    lost_keys: Sequence[Attribute]
    finds_no_user: bool
    to_approve: Sequence[Attribute] = ()

    @property
    def is_approved(self) -> bool:
        """Whether a second person has approved it as it is, beside the mapping that is active now."""
        return self.draft.is_approved(self.active_state)

    @property
    def awaits_approval(self) -> bool:
        """Whether it can only become active after a second person's approval."""
        return bool(self.to_approve) and not self.is_approved

    @property
    def taken_back(self) -> tuple[Attribute, ...]:
        """Attributes whose active sources were changed since it was drafted: it would change them again."""
        return tuple(each for each in self.differences if self.active[each] != self.draft.base[each])

    @property
    def outdated(self) -> tuple[Attribute, ...]:
        """Those of them that the draft itself did not change."""
        return tuple(each for each in self.taken_back if self.draft.sources[each] == self.draft.base[each])

    @property
    def active_state(self) -> str:
        """A digest of the active mapping, to see whether it has changed since."""
        return state_of(self.active)


@dataclass(frozen=True, kw_only=True)
class DraftForecast:
    """The last dry run with a draft: None until it has begun, and its `preview` once it has ended."""

    summary: RunSummary | None
    preview: Preview | None

    @property
    def goes_on(self) -> bool:
        """Whether it has not ended yet."""
        return self.summary is None or self.summary.run.status in OPEN_STATUSES


def view_draft(tenant: str, draft: int, *, store: Store) -> DraftView | None:
    """Return a draft of a tenant, None if it has none of that number."""
    found = store.mapping_drafts.get(tenant, draft)
    if found is None:
        return None
    active = store.tenants.outline(tenant)
    after = apply_override(active, _settings(found.sources))
    unused = keys_without_source(after)
    return DraftView(
        draft=found,
        active=active.sources,
        differences=differing(active.sources, found.sources),
        lost_keys=lost_match_keys(after, active),
        finds_no_user=len(unused) == len(after.match_keys),
        to_approve=to_approve(active, found.sources, found.releases),
    )


def forecast_of(draft: MappingDraft, *, store: Store) -> DraftForecast | None:
    """Return the last dry run with a draft, None if none was asked for, or it is pruned."""
    if draft.forecast_event is None:
        return None
    run = store.triggers.find_run(draft.forecast_event)
    if run is None:
        return DraftForecast(summary=None, preview=None)
    summary = store.runs.summary(run.id)
    if run.status in OPEN_STATUSES:
        return DraftForecast(summary=summary, preview=None)
    saved = store.tenants.settings(draft.tenant)
    return DraftForecast(summary=summary, preview=preview_of(summary, saved, store))


def make_draft(tenant: str, sources: Sources | None, submission: Submission, *, store: Store) -> int:
    """Make a draft, of the active mapping unless there are `sources`, once; return its number."""
    named = None if sources is None else dump_sources(sources)
    action = _action(AuditKind.DRAFT_MADE, tenant, submission, sources=named)

    def make() -> dict[str, Any]:
        active = store.tenants.outline(tenant).sources
        return {"draft": store.mapping_drafts.add(tenant, sources or active, submission.actor, base=active)}

    return int(carry_out(action, submission.actor, make, store=store)["draft"])


def edit_draft(
    draft: MappingDraft, edit: SourceEdit, version: int, submission: Submission, *, store: Store
) -> None:
    """Change one source of a draft, once; an edit that its sources do not allow changes nothing.

    Raises `ActionRefusedError` if the draft has another version than the page that was pressed on.
    """
    sources = apply_edit(draft.sources, edit)
    if sources is None:
        return
    store.mapping_drafts.change(
        draft.tenant, draft.id, sources, submission.actor, version=version, key=submission.key
    )


def renew_draft(view: DraftView, version: int, submission: Submission, *, store: Store) -> None:
    """Have a draft keep what was changed in the active mapping since it was drafted, once.

    What the draft itself changes stays. Raises as `edit_draft` does.
    """
    draft = view.draft
    if not view.outdated:
        return
    sources = {**draft.sources, **{each: view.active[each] for each in view.outdated}}
    store.mapping_drafts.change(
        draft.tenant,
        draft.id,
        sources,
        submission.actor,
        version=version,
        key=submission.key,
        base=view.active,
    )


def replace_draft(
    draft: MappingDraft, sources: Sources, version: int | None, submission: Submission, *, store: Store
) -> None:
    """Give a draft other sources, once, as a program does; raises as `edit_draft` does."""
    action = _action(
        AuditKind.DRAFT_CHANGED,
        draft.tenant,
        submission,
        draft=draft.id,
        version=version,
        sources=dump_sources(sources),
    )

    def change() -> dict[str, Any]:
        meant = draft.version if version is None else version
        store.mapping_drafts.change(
            draft.tenant, draft.id, sources, submission.actor, version=meant, key=submission.key
        )
        return {}

    carry_out(action, submission.actor, change, store=store)


def try_draft(draft: MappingDraft, submission: Submission, *, store: Store, publisher: Publisher) -> None:
    """Request a dry run over all users with a draft, once.

    Raises `ActionRefusedError` for a disabled tenant.
    """
    tenant = draft.tenant
    action = _action(AuditKind.PREVIEW_REQUESTED, tenant, submission, draft=draft.id, version=draft.version)

    def publish() -> dict[str, Any]:
        try:
            check_enabled(tenant, store=store)
        except UsageError as error:
            raise ActionRefusedError(ActionRefusal.DISABLED, str(error)) from None
        settings = resolve_override(store.tenants.settings(tenant), _settings(draft.sources))
        event = event_of(tenant, submission.key)
        request = SyncRequest(tenant=tenant, dry_run=True, settings=settings)
        publish_request(request, store=store, publisher=publisher, event_id=event)
        store.mapping_drafts.set_forecast(tenant, draft.id, event, version=draft.version)
        return {"event": event}

    carry_out(action, submission.actor, publish, store=store)


def activate_draft(
    draft: MappingDraft, version: int | None, active: str | None, submission: Submission, *, store: Store
) -> None:
    """Make a draft the active mapping, once.

    `version` is the draft's and `active` the `state_of` the active mapping that were seen; None for whatever
    they are. Raises `ActionRefusedError` if one is another by now, the draft is open no more, or no user
    would be found with it.
    """
    about = about_draft(draft, store.tenants.outline(draft.tenant))
    fields = {"draft": draft.id, "version": version, "active": active}
    action = replace(_action(AuditKind.MAPPING_ACTIVATED, draft.tenant, submission, **fields), mapping=about)

    def activate() -> dict[str, Any]:
        found = view_draft(draft.tenant, draft.id, store=store)
        if found is None or not found.draft.is_open:
            raise ActionRefusedError(ActionRefusal.ENDED, "The draft is open no more.")
        is_same = version in (None, found.draft.version) and active in (None, found.active_state)
        if not is_same and (found.differences or found.to_approve):  # Else it is active already.
            raise ActionRefusedError(
                ActionRefusal.CHANGED_MEANWHILE, "The draft or the mapping was changed in the meantime."
            )
        if found.finds_no_user:
            raise ActionRefusedError(ActionRefusal.NO_MATCH_KEY, "No user would be found in Skolon.")
        now = store.tenants.outline(draft.tenant)
        check_approved(found.draft, now, found.active_state)
        second = found.draft.approved_by.member if found.to_approve and found.draft.approved_by else None
        made = settings_of(found.draft, now)
        store.tenants.change(draft.tenant, made, by=submission.actor, approved_by=second)
        store.mapping_drafts.record_activation(draft.tenant, draft.id, submission.actor)
        return {}

    carry_out(action, submission.actor, activate, store=store)


def restore_mapping(
    tenant: str, sources: Sources, active: str | None, submission: Submission, *, store: Store
) -> None:
    """Make a former mapping the active one, once; raises as `activate_draft` does."""
    action = _action(
        AuditKind.MAPPING_RESTORED, tenant, submission, sources=dump_sources(sources), active=active
    )

    def restore() -> dict[str, Any]:
        now = store.tenants.outline(tenant)
        if now.sources == sources:
            return {}
        if active not in (None, state_of(now.sources)):
            raise ActionRefusedError(
                ActionRefusal.CHANGED_MEANWHILE, "The mapping was changed in the meantime."
            )
        if to_approve(now, sources):
            raise ActionRefusedError(ActionRefusal.NOT_APPROVED, "Another person has to approve it.")
        after = apply_override(now, _settings(sources))
        if len(keys_without_source(after)) == len(after.match_keys):
            raise ActionRefusedError(ActionRefusal.NO_MATCH_KEY, "No user would be found in Skolon.")
        store.tenants.change(tenant, _settings(sources), by=submission.actor)
        return {}

    carry_out(action, submission.actor, restore, store=store)


def discard_draft(draft: MappingDraft, submission: Submission, *, store: Store) -> None:
    """Remove a draft, once."""
    fields = {"draft": draft.id}
    action = replace(_action(AuditKind.DRAFT_DISCARDED, draft.tenant, submission, **fields), mapping=fields)

    def discard() -> dict[str, Any]:
        store.mapping_drafts.remove(draft.tenant, draft.id)
        return {}

    carry_out(action, submission.actor, discard, store=store)


def state_of(sources: Sources) -> str:
    """Return a digest of a mapping."""
    return hashlib.sha256(str(sorted(dump_sources(sources).items())).encode()).hexdigest()[:16]


def _settings(sources: Sources) -> dict[str, Any]:
    return {"sources": dump_sources(sources)}


def _action(kind: AuditKind, tenant: str, submission: Submission, **fields: Any) -> Action:
    return Action(kind=kind, tenant=tenant, key=submission.key, fields=fields)
