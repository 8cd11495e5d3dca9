"""A task on users that fail while it goes on, and what became of each of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from flask import Blueprint, abort, make_response, redirect, render_template, request, url_for

from administration.dead_letters.tasks.progress import task_progress, tried_users_list
from administration.dead_letters.tasks.requests import control_task_once
from hub.actions.acting import new_key, submission
from hub.addresses import requested_page, task_of, tenant_of
from hub.language import current_language
from hub.pages.tasks.selection import address_fields
from hub.presentation.actions.refusals import REFUSALS
from hub.presentation.actions.tasks import OBSTACLES, TASK_KINDS, TRIED_OUTCOMES
from hub.presentation.advice import advice_on
from hub.presentation.outcome_bar import outcome_bar
from hub.services import hub_services
from schemas.dead_letters.task import HELPED, Obstacle, TaskControl, TaskKind, TaskStatus
from schemas.hub.action import ActionRefusedError
from schemas.outcomes import Outcome

if TYPE_CHECKING:
    from flask_babel.speaklater import LazyString
    from werkzeug.wrappers import Response

    from schemas.dead_letters.task import DeadLetterTask

blueprint = Blueprint("tasks", __name__, url_prefix="/tenants/<tenant>/tasks/<task>")

_CONTROLS: Final = {str(control): control for control in TaskControl}


@blueprint.get("/")
def show(tenant: str, task: str) -> str:
    """Show a task."""
    return _page(tenant, task)


@blueprint.get("/progress")
def progress(tenant: str, task: str) -> Response:
    """Return the part of the page that changes while the task goes on; nothing new is 304."""
    found = tenant_of(tenant)
    answer = make_response(
        render_template("task_progress.html", tenant=found, **_facts(task_of(tenant, task)))
    )
    answer.headers["Cache-Control"] = "private, no-cache"
    answer.add_etag()
    return answer.make_conditional(request)


@blueprint.post("/")
def control(tenant: str, task: str) -> str | tuple[str, int] | Response:
    """Pause a task, let it go on, or end it, once for each form."""
    sent, found = submission(), task_of(tenant, task)
    wanted = _CONTROLS.get(request.form.get("control", ""))
    if wanted is None:
        abort(400)
    try:
        control_task_once(found, wanted, sent, store=hub_services().store)
    except ActionRefusedError as error:
        return _page(tenant, task, fault=REFUSALS[error.why]), 422
    return redirect(url_for("tasks.show", tenant=tenant, task=task), 303)


@blueprint.get("/users/<outcome>")
def users(tenant: str, task: str, outcome: str) -> str:
    """Show the users of a task with an outcome, or of a forecast with what is in the way, page by page."""
    found, chosen = task_of(tenant, task), _outcome(outcome)
    if isinstance(chosen, Obstacle) and found.kind is not TaskKind.FORECAST:
        abort(404)
    page = requested_page(tried_users_list(found, chosen, store=hub_services().store))
    texts = OBSTACLES if isinstance(chosen, Obstacle) else TRIED_OUTCOMES
    return render_template(
        "task_users.html",
        tenant=tenant_of(tenant),
        task=found,
        outcome=chosen,
        title=TASK_KINDS[found.kind] if found.kind is TaskKind.DISCARD else texts[chosen],  # type: ignore[index] # each has its own names
        page=page,
    )


def _page(tenant: str, task: str, *, fault: LazyString | str = "") -> str:
    return render_template(
        "task.html",
        tenant=tenant_of(tenant),
        fault=fault,
        keys={name: new_key() for name in _CONTROLS},
        **_facts(task_of(tenant, task)),
    )


def _facts(task: DeadLetterTask) -> dict[str, Any]:
    """Return what the page shows of a task."""
    services, language = hub_services(), current_language()
    found = task_progress(task, store=services.store)
    counts = dict(found.outcomes)
    waits = found.left + found.on_their_way if task.is_open else found.on_their_way
    if waits:
        counts[Outcome.PENDING] = waits
    is_idle = (
        task.status is TaskStatus.REQUESTED
        and services.idle is not None
        and bool(services.idle.of_task(needs_producer=task.kind is not TaskKind.FORECAST))
    )
    return {
        "task": task,
        "progress": found,
        "bar_shares": outcome_bar(counts),
        "names": TRIED_OUTCOMES,
        "obstacles": OBSTACLES,
        "reasons": sorted(found.reasons.items(), key=lambda each: (-each[1], each[0])),
        "halt": None if task.cause is None else advice_on(task.cause, language),
        "idle": is_idle,
        # What a forecast says that a replay helps.
        "helped": sum(found.outcomes.get(outcome, 0) for outcome in HELPED),
        "again": address_fields(task.selection),
    }


def _outcome(text: str) -> Outcome | Obstacle:
    try:
        return Outcome(text) if text in list(Outcome) else Obstacle(text)
    except ValueError:
        abort(404)
