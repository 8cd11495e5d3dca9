"""Changes, pauses and resumes a schedule once, for pages and programs; and when runs would be due."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any, Final

from administration.hub.actions import carry_out
from administration.tenants.schedule.pauses import end_pause, pause_schedule
from producers.schedule.policy import parsed_schedule
from schemas.hub.action import Action
from schemas.hub.session import AuditKind
from schemas.timestamps import timestamp

if TYPE_CHECKING:
    from collections.abc import Callable

    from schemas.hub.action import Submission
    from schemas.tenants.schedule import Due
    from schemas.tenants.schedule_state import SchedulePause
    from store.store import Store

#: Due times that are shown before a schedule is saved.
SHOWN: Final = 5

_INSTANT: Final = dt.timedelta(microseconds=1)


def due_times(expression: str, time_zone: str, *, pause: SchedulePause | None, now: dt.datetime) -> list[Due]:
    """Return the first due times after the aware time `now`, and after a pause.

    Raises `ValueError` for an invalid schedule or zone.
    """
    after = now if pause is None else max(now, pause.until - _INSTANT)
    return parsed_schedule(expression, time_zone).upcoming(after, SHOWN)


def save_schedule_once(  # noqa: PLR0913 - what is saved, over what, and the actor
    tenant: str, schedule: str | None, time_zone: str, seen: str, submission: Submission, *, store: Store
) -> None:
    """Change a schedule, once for each key of a submission; `seen` is the version that was looked at.

    Raises `ActionRefusedError` if it was changed meanwhile, `InvalidTenantError` for one that cannot be, and
    as `carry_out` does.
    """
    wanted = {"schedule": schedule, "time_zone": time_zone}

    def is_done() -> bool:
        found = store.tenants.outline(tenant)
        return (found.schedule, found.time_zone) == (schedule, time_zone)

    def save() -> None:
        operator = submission.actor.operator
        store.tenants.change(tenant, wanted, operator=operator, seen_schedule=seen)

    _once(AuditKind.SCHEDULE_CHANGED, tenant, wanted, submission, save, is_done, store=store)


def pause_once(  # noqa: PLR0913 - what is paused, until when, why, and the actor
    tenant: str, until: dt.datetime, reason: str, seen: str, submission: Submission, *, store: Store
) -> None:
    """Pause a schedule, once for each key; raises `PauseError`, and as `save_schedule_once` does."""

    def is_done() -> bool:
        pause = store.schedule_pauses.setting(tenant, dt.datetime.now(dt.UTC)).pause
        return pause is not None and (pause.until, pause.reason) == (until, reason.strip())

    def pause() -> None:
        operator = submission.actor.operator
        pause_schedule(tenant, until, reason, operator=operator, store=store, seen=seen)

    wanted = {"until": timestamp(until), "reason": reason}
    _once(AuditKind.SCHEDULE_PAUSED, tenant, wanted, submission, pause, is_done, store=store)


def resume_once(tenant: str, seen: str, submission: Submission, *, store: Store) -> None:
    """End a pause, once for each key; raises as `pause_once` does."""

    def is_done() -> bool:
        return not store.schedule_pauses.is_paused(tenant, dt.datetime.now(dt.UTC))

    def end() -> None:
        end_pause(tenant, store=store, seen=seen)

    _once(AuditKind.SCHEDULE_RESUMED, tenant, {}, submission, end, is_done, store=store)


def _once(  # noqa: PLR0913, PLR0917 - the action, and how to tell that it was done
    kind: AuditKind,
    tenant: str,
    wanted: dict[str, Any],
    submission: Submission,
    do: Callable[[], None],
    is_done: Callable[[], bool],
    *,
    store: Store,
) -> None:
    # With a key that is known, the process that did it may have died before it said so.
    is_again = store.hub_actions.is_known(tenant, submission.key)

    def carry() -> dict[str, Any]:
        if not (is_again and is_done()):
            do()
        return {}

    action = Action(kind=kind, tenant=tenant, key=submission.key, fields=wanted)
    carry_out(action, submission.actor, carry, store=store)
