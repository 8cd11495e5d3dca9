"""The page of a schedule: chosen in words, the next due times before it is saved, and its pause."""

from __future__ import annotations

import datetime as dt
from enum import StrEnum
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo

from flask import Blueprint, redirect, render_template, request, url_for
from flask_babel import lazy_gettext as _

from administration.tenants.schedule.actions import due_times, pause_once, resume_once, save_schedule_once
from administration.tenants.schedule.forms import Days
from administration.tenants.schedule.pauses import MAX_REASON, PauseError, PauseFault, local_end
from hub.actions.acting import new_key, submission
from hub.addresses import tenant_of
from hub.pages.schedule.forms import ZONES, ChosenSchedule, saved_choice, sent_choice
from hub.presentation.actions import schedules
from hub.presentation.actions.refusals import REFUSALS
from hub.services import hub_services
from schemas.hub.action import ActionRefusal, ActionRefusedError
from schemas.safe_text import one_line

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flask_babel.speaklater import LazyString
    from werkzeug.wrappers import Response

    from schemas.tenants.schedule_state import ScheduleSetting

blueprint = Blueprint("schedule", __name__, url_prefix="/tenants/<tenant>/schedule")

#: Characters of a field that are shown again.
_MAX_SHOWN: Final = 300


class Done(StrEnum):
    """What was done to the schedule: the page says so afterwards."""

    SAVED = "saved"
    PAUSED = "paused"
    RESUMED = "resumed"


DONE_TEXTS: Final[Mapping[str, LazyString]] = {
    Done.SAVED: _("Saved. It holds from now on."),
    Done.PAUSED: _("The schedule is paused."),
    Done.RESUMED: _("The pause has ended. The next run starts when it is due."),
}


@blueprint.get("/")
def show(tenant: str) -> str:
    """Show the schedule in words, the form for another one, and its pause."""
    return _page(tenant)


@blueprint.get("/times")
def times(tenant: str) -> str | tuple[str, int] | Response:
    """Show when runs would be due by what was chosen; nothing is saved yet."""
    found, setting = tenant_of(tenant), _setting(tenant)
    if not request.args:
        return redirect(url_for("schedule.show", tenant=tenant), 303)
    choice = sent_choice(request.args)
    if choice.faults:
        return _page(tenant, choice=choice), 422
    dues = []
    if choice.schedule is not None:
        now = dt.datetime.now(dt.UTC)
        dues = due_times(choice.schedule, choice.time_zone, pause=setting.pause, now=now)
    return render_template(
        "schedule/times.html",
        tenant=found,
        choice=choice,
        text=schedules.schedule_text(choice.schedule),
        dues=schedules.due_texts(dues, choice.time_zone),
        is_close=schedules.is_close(dues),
        is_same=(choice.schedule, choice.time_zone) == (setting.schedule, setting.time_zone),
        setting=setting,
        pause_end=setting.pause and schedules.local_moment(setting.pause.until, choice.time_zone),
        key=new_key(),
    )


@blueprint.post("/")
def save(tenant: str) -> tuple[str, int] | Response:
    """Save the schedule whose due times were shown, once for each form."""
    tenant_of(tenant)
    choice, sent = sent_choice({**request.form, "how": _how()}), submission()
    if choice.faults:
        return _page(tenant, choice=choice), 422
    seen = request.form.get("seen", "")
    try:
        save_schedule_once(tenant, choice.schedule, choice.time_zone, seen, sent, store=hub_services().store)
    except ActionRefusedError as error:
        return _page(tenant, refusal=error.why), _status(error.why)
    return redirect(url_for("schedule.show", tenant=tenant, done=Done.SAVED), 303)


@blueprint.post("/pause")
def pause(tenant: str) -> tuple[str, int] | Response:
    """Pause the schedule with a reason until a date and time, once for each form."""
    tenant_of(tenant)
    sent, store, seen = submission(), hub_services().store, request.form.get("seen", "")
    until, reason = request.form.get("until", ""), request.form.get("reason", "")
    try:
        end = local_end(until, _setting(tenant).time_zone)
        pause_once(tenant, end, reason, seen, sent, store=store)
    except PauseError as error:
        return _page(tenant, until=until, reason=reason, pause_fault=error.fault), 422
    except ActionRefusedError as error:
        return _page(tenant, until=until, reason=reason, refusal=error.why), _status(error.why)
    return redirect(url_for("schedule.show", tenant=tenant, done=Done.PAUSED), 303)


@blueprint.post("/resume")
def resume(tenant: str) -> tuple[str, int] | Response:
    """End the pause now, once for each form."""
    tenant_of(tenant)
    sent, store = submission(), hub_services().store
    try:
        resume_once(tenant, request.form.get("seen", ""), sent, store=store)
    except PauseError as error:
        return _page(tenant, pause_fault=error.fault), 422
    except ActionRefusedError as error:
        return _page(tenant, refusal=error.why), _status(error.why)
    return redirect(url_for("schedule.show", tenant=tenant, done=Done.RESUMED), 303)


def _how() -> str:
    """Return how a form that saves has its schedule: as a line, or none."""
    return "own" if request.form.get("line") else "none"


def _status(why: ActionRefusal) -> int:
    return 412 if why is ActionRefusal.CHANGED_MEANWHILE else 422


def _setting(tenant: str) -> ScheduleSetting:
    return hub_services().store.schedule_pauses.setting(tenant, dt.datetime.now(dt.UTC))


def _page(  # noqa: PLR0913 - what was sent, and what is wrong with it
    tenant: str,
    *,
    choice: ChosenSchedule | None = None,
    until: str = "",
    reason: str = "",
    pause_fault: PauseFault | None = None,
    refusal: ActionRefusal | None = None,
) -> str:
    found, setting, now = tenant_of(tenant), _setting(tenant), dt.datetime.now(dt.UTC)
    dues = []
    if setting.schedule is not None and found.enabled:
        try:
            dues = due_times(setting.schedule, setting.time_zone, pause=setting.pause, now=now)
        except ValueError:
            # Another version stored it, or this machine does not know the time zone.
            dues = []
    return render_template(
        "schedule/schedule.html",
        tenant=found,
        setting=setting,
        done=DONE_TEXTS.get(request.args.get("done", ""), "") if refusal is None else "",
        text=schedules.schedule_text(setting.schedule),
        dues=schedules.due_texts(dues, setting.time_zone) if dues else [],
        pause_end=setting.pause and schedules.local_moment(setting.pause.until, setting.time_zone),
        choice=choice or saved_choice(setting),
        days=schedules.DAYS,
        all_days=list(Days),
        intervals=schedules.INTERVALS,
        zones=ZONES,
        until=one_line(until)[:_MAX_SHOWN],
        reason=one_line(reason)[:_MAX_SHOWN],
        longest=MAX_REASON,
        soonest=now.astimezone(_zone(setting.time_zone)).strftime("%Y-%m-%dT%H:%M"),
        reason_fault=_fault(pause_fault, of_reason=True),
        until_fault=_fault(pause_fault, of_reason=False),
        refusal=None if refusal is None else REFUSALS[refusal],
        key=new_key(),
        pause_key=new_key(),
    )


def _fault(fault: PauseFault | None, *, of_reason: bool) -> LazyString | None:
    """Return what is wrong with the reason of a pause, or with its end."""
    is_of_reason = fault in (PauseFault.NO_REASON, PauseFault.BAD_REASON)
    return schedules.PAUSE_FAULTS[fault] if fault is not None and is_of_reason is of_reason else None


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (OSError, ValueError):
        return ZoneInfo("UTC")
