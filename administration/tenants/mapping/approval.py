"""A second person's approval of changes of the mapping that can lock users out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from administration.hub.actions import carry_out
from schemas.errors import UsageError
from schemas.hub.action import Action, ActionRefusal, ActionRefusedError
from schemas.hub.session import AuditKind
from schemas.tenants.mapping.sources import differing
from schemas.users.attributes import ATTRIBUTE_TABLE, Attribute

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from schemas.hub.action import Submission
    from schemas.tenants.mapping.draft import MappingDraft
    from schemas.tenants.mapping.sources import Sources
    from schemas.tenants.tenant import Tenant
    from store.store import Store


def to_approve(active: Tenant, sources: Sources) -> tuple[Attribute, ...]:
    """Return the attributes whose change, from the active mapping, needs a second person."""
    return tuple(each for each in differing(active.sources, sources) if each in active.needs_approval)


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
    action = _action(AuditKind.DRAFT_APPROVED, draft.tenant, submission, draft=draft.id, version=version)

    def approve() -> dict[str, Any]:
        if member is None or member in draft.authors:
            raise ActionRefusedError(ActionRefusal.OWN_DRAFT, "Another person approves a draft.")
        store.mapping_drafts.approve(draft.tenant, draft.id, member, version=version, active=active_state)
        return {}

    carry_out(action, submission.actor, approve, store=store)


def set_approvals(
    tenant: str,
    attributes: Collection[Attribute],
    submission: Submission,
    *,
    seen: Collection[Attribute] | None,
    store: Store,
) -> None:
    """Set which attributes need a second person, once; `seen` are those that the page has shown.

    Raises `ActionRefusedError` if they are others by now.
    """
    names = sorted(map(str, attributes))
    action = _action(AuditKind.APPROVALS_CHANGED, tenant, submission, attributes=names)

    def change() -> dict[str, Any]:
        now = store.tenants.outline(tenant).needs_approval
        if now == frozenset(attributes):
            return {}
        if seen is not None and now != frozenset(seen):
            raise ActionRefusedError(ActionRefusal.CHANGED_MEANWHILE, "It was changed in the meantime.")
        store.tenants.change(tenant, {"needs_approval": names}, by=submission.actor)
        return {}

    carry_out(action, submission.actor, change, store=store)


def check_approved(draft: MappingDraft, active: Tenant, active_state: str) -> None:
    """Raise `ActionRefusedError` if a draft needs an approval to become active, and has none."""
    if to_approve(active, draft.sources) and not draft.is_approved(active_state):
        raise ActionRefusedError(ActionRefusal.NOT_APPROVED, "Another person has to approve the draft first.")


def _action(kind: AuditKind, tenant: str, submission: Submission, **fields: Any) -> Action:
    named: Mapping[str, Any] = fields
    return Action(kind=kind, tenant=tenant, key=submission.key, fields=dict(named))
