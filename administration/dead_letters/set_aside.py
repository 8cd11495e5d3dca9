"""Sets groups of users that fail aside until a day, and has them back before."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from administration.hub.actions import carry_out
from schemas.dead_letters.set_aside import SetAsideGroup, moment_of_return
from schemas.hub.action import Action, ActionRefusal, ActionRefusedError
from schemas.hub.session import AuditKind

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from schemas.dead_letter_reasons import Reason
    from schemas.hub.action import Submission
    from store.store import Store


def set_aside(  # noqa: PLR0913 - what is said of a group, and by whom
    tenant: str, reason: Reason, day: dt.date, *, note: str | None, operator: str | None, store: Store
) -> SetAsideGroup:
    """Set the users that fail for a reason aside until a day begins by the tenant's clock.

    Raises `UsageError` for a day that has begun or is too far away, and without such a tenant.
    """
    now = dt.datetime.now(dt.UTC)
    until = moment_of_return(day, store.tenants.outline(tenant).time_zone, now)
    group = SetAsideGroup(tenant=tenant, reason=reason, until=until, set_at=now, note=note, operator=operator)
    store.set_aside_groups.add(group)
    return group


def set_aside_once(  # noqa: PLR0913 - as above
    tenant: str, reason: Reason, day: dt.date, submission: Submission, *, note: str | None, store: Store
) -> None:
    """Set a group aside, once for each key of a submission; raises as `set_aside` and `carry_out` do."""
    now = dt.datetime.now(dt.UTC)
    until = moment_of_return(day, store.tenants.outline(tenant).time_zone, now)
    group = SetAsideGroup(
        tenant=tenant,
        reason=reason,
        until=until,
        set_at=now,
        note=note,
        member=submission.actor.member,
        token=submission.actor.token,
    )
    action = Action(
        kind=AuditKind.GROUP_SET_ASIDE,
        tenant=tenant,
        key=submission.key,
        reason=reason,
        users=failing_users(tenant, reason, store=store),
        fields={"reason": str(reason), "day": day.isoformat(), "note": note},
    )

    def do() -> dict[str, str]:
        store.set_aside_groups.add(group)
        return {"until": until.isoformat()}

    carry_out(action, submission.actor, do, store=store)


def have_back_once(tenant: str, reason: Reason, submission: Submission, *, store: Store) -> None:
    """Have a group back at once, once for each key of a submission; raises as `carry_out` does."""
    action = Action(
        kind=AuditKind.GROUP_HAD_BACK,
        tenant=tenant,
        key=submission.key,
        reason=reason,
        users=failing_users(tenant, reason, store=store),
        fields={"reason": str(reason)},
    )

    def do() -> dict[str, str]:
        if not store.set_aside_groups.remove(tenant, reason):
            raise ActionRefusedError(ActionRefusal.NOT_ASIDE, "The group is not set aside.")
        return {"reason": str(reason)}

    carry_out(action, submission.actor, do, store=store)


def groups_aside(
    tenants: Collection[str] | None, *, store: Store, now: dt.datetime
) -> Mapping[str, Mapping[Reason, SetAsideGroup]]:
    """Return the groups that are set aside `now` (aware), by tenant and reason."""
    found: dict[str, dict[Reason, SetAsideGroup]] = {}
    for each in store.set_aside_groups.list(tenants):
        if each.is_aside(now):
            found.setdefault(each.tenant, {})[each.reason] = each
    return found


def failing_users(tenant: str, reason: Reason, *, store: Store) -> int:
    """Return how many users of a tenant fail for a reason as things stand."""
    groups = store.open_failures.groups(tenant)
    return next((group.users for group in groups if group.reason is reason), 0)
