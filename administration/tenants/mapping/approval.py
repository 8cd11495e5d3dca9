"""A second person's approval of changes of the mapping that can lock users out."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any, Final

from administration.hub.actions import carry_out
from schemas.errors import UsageError
from schemas.hub.action import Action, ActionRefusal, ActionRefusedError
from schemas.hub.member import Role
from schemas.hub.session import AuditKind
from schemas.tenants.mapping.sources import differing, dump_sources
from schemas.users.attributes import ATTRIBUTE_TABLE, Attribute

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from schemas.hub.action import Submission
    from schemas.tenants.mapping.draft import MappingDraft
    from schemas.tenants.mapping.sources import Sources
    from schemas.tenants.tenant import Tenant
    from store.store import Store


#: So long a member who was brought in by an author of a draft is no second person for it.
_FRESH: Final = dt.timedelta(hours=24)


def to_approve(
    active: Tenant, sources: Sources, releases: Collection[Attribute] = ()
) -> tuple[Attribute, ...]:
    """Return the attributes whose change, from the active mapping, needs a second person.

    It is a change to have an attribute need none any more: `releases` are these.
    """
    changed = {*differing(active.sources, sources), *releases}
    return tuple(each for each in ATTRIBUTE_TABLE if each in changed and each in active.needs_approval)


def settings_of(draft: MappingDraft, active: Tenant) -> dict[str, Any]:
    """Return the settings that a draft makes of the active ones."""
    settings: dict[str, Any] = {"sources": dump_sources(draft.sources)}
    if draft.releases:
        settings["needs_approval"] = sorted(map(str, active.needs_approval - draft.releases))
    return settings


def approval_fault(draft: MappingDraft, member: int | None, *, store: Store) -> ActionRefusal | None:
    """Return why a member is no second person for a draft, None for one who is."""
    if member is None or member in draft.authors:
        return ActionRefusal.OWN_DRAFT
    since = dt.datetime.now(dt.UTC) - _FRESH
    is_fresh = store.hub_audit.was_brought_in(member, draft.authors, since=since)
    return ActionRefusal.OWN_GUEST if is_fresh else None


def check_command(before: Tenant, after: Tenant) -> None:
    """Raise `UsageError` if a command changes what needs a second person: a command has one."""
    found = to_approve(before, after.sources)
    if found:
        titles = ", ".join(ATTRIBUTE_TABLE[each].title for each in found)
        raise UsageError(
            f"A change of the sources of {titles} needs a second person's approval: draft it in the Data "
            "Hub, on the page Attribute mapping, and have another member approve it there."
        )


def approve_draft(
    draft: MappingDraft, active_state: str, version: int, submission: Submission, *, store: Store
) -> None:
    """Approve a draft as it is, beside the active mapping of that state, once.

    Raises `ActionRefusedError` for who has worked on it, and if it has another version by now.
    """
    member = submission.actor.member
    about = about_draft(draft, store.tenants.outline(draft.tenant))
    action = _action(
        AuditKind.DRAFT_APPROVED, draft.tenant, submission, about, draft=draft.id, version=version
    )

    def approve() -> dict[str, Any]:
        fault = approval_fault(draft, member, store=store)
        if member is None or fault is not None:
            raise ActionRefusedError(fault or ActionRefusal.OWN_DRAFT, "Another person approves a draft.")
        store.mapping_drafts.approve(draft.tenant, draft.id, member, version=version, active=active_state)
        return {}

    carry_out(action, submission.actor, approve, store=store)


def set_approvals(  # noqa: PLR0913 - what is set, by which role, and what was seen
    tenant: str,
    attributes: Collection[Attribute],
    submission: Submission,
    *,
    role: Role,
    seen: Collection[Attribute],
    store: Store,
) -> int | None:
    """Set which attributes need a second person, once; `seen` are those that the page has shown.

    An operator sets it alone. Of another member attributes that are taken off become a draft, whose number is
    returned: a second person approves it. Raises `ActionRefusedError` if they are others by now.
    """
    wanted, before = frozenset(attributes), frozenset(seen)
    released = frozenset() if role is Role.OPERATOR else before - wanted
    kept = wanted | released
    kind = AuditKind.DRAFT_MADE if released and kept == before else AuditKind.APPROVALS_CHANGED
    about: dict[str, Any] = {"before": sorted(map(str, before)), "after": sorted(map(str, kept))}
    if kept == before and released:
        about = {"attributes": sorted(map(str, released))}
    action = _action(kind, tenant, submission, about, attributes=sorted(map(str, wanted)))

    def change() -> dict[str, Any]:
        active, draft = store.tenants.outline(tenant), None
        if active.needs_approval == wanted:
            return {"draft": None}
        if active.needs_approval != before:
            raise ActionRefusedError(ActionRefusal.CHANGED_MEANWHILE, "It was changed in the meantime.")
        if released:
            draft = store.mapping_drafts.add(
                tenant, active.sources, submission.actor, base=active.sources, releases=released
            )
        if kept != before:
            changes = {"needs_approval": sorted(map(str, kept))}
            store.tenants.change(tenant, changes, by=submission.actor)
        return {"draft": draft}

    found = carry_out(action, submission.actor, change, store=store)["draft"]
    return None if found is None else int(found)


def check_approved(draft: MappingDraft, active: Tenant, active_state: str) -> None:
    """Raise `ActionRefusedError` if a draft needs an approval to become active, and has none."""
    if to_approve(active, draft.sources, draft.releases) and not draft.is_approved(active_state):
        raise ActionRefusedError(ActionRefusal.NOT_APPROVED, "Another person has to approve the draft first.")


def about_draft(draft: MappingDraft, active: Tenant) -> dict[str, Any]:
    """Return what the audit says of a draft: its number, and the attributes that it changes."""
    about = {"draft": draft.id, "attributes": sorted(map(str, differing(active.sources, draft.sources)))}
    if draft.releases:
        about["before"] = sorted(map(str, active.needs_approval))
        about["after"] = sorted(map(str, active.needs_approval - draft.releases))
    return about


def _action(
    kind: AuditKind, tenant: str, submission: Submission, about: Mapping[str, Any], **fields: Any
) -> Action:
    return Action(kind=kind, tenant=tenant, key=submission.key, mapping=about, fields=fields)
