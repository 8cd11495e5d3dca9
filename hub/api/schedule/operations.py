"""The API's operations about the schedule."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any, Final

from administration.tenants.schedule.actions import due_times, pause_once, resume_once, save_schedule_once
from administration.tenants.schedule.pauses import PauseError, PauseFault
from hub.api.actions import action, lookup, sent
from hub.api.problems import refuse
from hub.api.resources import own_tenant
from hub.api.schedule import schemas
from hub.services import hub_services
from schemas.hub.action import ActionRefusal, ActionRefusedError
from schemas.timestamps import timestamp

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from schemas.tenants.schedule_state import ScheduleSetting

#: What is wrong with a pause in itself, by the member of the body that says it.
_WRONG: Final = {
    PauseFault.IN_THE_PAST: "until",
    PauseFault.TOO_LONG: "until",
    PauseFault.NO_TIME: "until",
    PauseFault.NO_REASON: "reason",
    PauseFault.BAD_REASON: "reason",
}

_CHANGED: Final = (412,)


@lookup("/syncs/<tenant>/schedule", schemas.ScheduleSchema)
def schedule(tenant: str) -> dict[str, Any]:
    """Return when runs start by themselves, the next due times, and a pause."""
    return _shown(own_tenant(tenant))


@lookup(
    "/syncs/<tenant>/schedule/times",
    schemas.TimesSchema,
    query=schemas.TimesQuery,
    statuses=(401, 404, 422, 503),
)
def schedule_times(query: Mapping[str, str], tenant: str) -> dict[str, Any]:
    """Return when runs would be due by a schedule; nothing is saved."""
    setting = _setting(own_tenant(tenant))
    return {"times": _times(query["schedule"], query["time_zone"], setting)}


@action("/syncs/<tenant>/schedule", schemas.ScheduleSchema, body=schemas.ScheduleBody, more=_CHANGED)
def save_schedule(headers: Mapping[str, str], body: Mapping[str, Any], tenant: str) -> dict[str, Any]:
    """Change when runs start by themselves."""
    own_tenant(tenant)
    store, submission = hub_services().store, sent(headers)
    _do(
        lambda: save_schedule_once(
            tenant, body["schedule"], body["time_zone"], body["seen"], submission, store=store
        )
    )
    return _shown(tenant)


@action("/syncs/<tenant>/schedule/pause", schemas.ScheduleSchema, body=schemas.PauseBody, more=_CHANGED)
def pause_schedule(headers: Mapping[str, str], body: Mapping[str, Any], tenant: str) -> dict[str, Any]:
    """Start no scheduled run until a time; another pause ends by that."""
    own_tenant(tenant)
    store, submission = hub_services().store, sent(headers)
    _do(lambda: pause_once(tenant, body["until"], body["reason"], body["seen"], submission, store=store))
    return _shown(tenant)


@action("/syncs/<tenant>/schedule/resume", schemas.ScheduleSchema, body=schemas.ResumeBody, more=_CHANGED)
def resume_schedule(headers: Mapping[str, str], body: Mapping[str, Any], tenant: str) -> dict[str, Any]:
    """End a pause now; what was due in it is not made up for."""
    own_tenant(tenant)
    store, submission = hub_services().store, sent(headers)
    _do(lambda: resume_once(tenant, body["seen"], submission, store=store))
    return _shown(tenant)


def _do(act: Callable[[], None]) -> None:
    try:
        act()
    except PauseError as error:
        if error.fault in _WRONG:
            refuse(422, **{_WRONG[error.fault]: str(error.fault)})
        refuse(409, action=error.fault)
    except ActionRefusedError as error:
        refuse(412 if error.why is ActionRefusal.CHANGED_MEANWHILE else 409, action=error.why)


def _setting(tenant: str) -> ScheduleSetting:
    return hub_services().store.schedule_pauses.setting(tenant, dt.datetime.now(dt.UTC))


def _shown(tenant: str) -> dict[str, Any]:
    setting = _setting(tenant)
    try:
        times = [] if setting.schedule is None else _times(setting.schedule, setting.time_zone, setting)
    except ValueError:
        # Another version stored it, or this machine does not know the time zone.
        times = []
    return {
        "schedule": setting.schedule,
        "time_zone": setting.time_zone,
        "version": setting.version,
        "times": times,
        "pause": setting.pause and setting.pause.as_json(),
    }


def _times(expression: str, time_zone: str, setting: ScheduleSetting) -> list[str]:
    dues = due_times(expression, time_zone, pause=setting.pause, now=dt.datetime.now(dt.UTC))
    return [timestamp(each.at) for each in dues]
