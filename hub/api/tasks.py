"""What programs can do with users that fail: the same as members do on the pages."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

from administration.dead_letters.set_aside import groups_aside, have_back_once, set_aside_once
from administration.dead_letters.tasks.progress import task_progress, tried_users_list
from administration.dead_letters.tasks.requests import control_task_once, request_task_once
from administration.paging import users_page
from hub.addresses import reason_of, task_of
from hub.api import task_schemas
from hub.api.actions import action, lookup, sent
from hub.api.cursors import encode_cursor
from hub.api.problems import refuse
from hub.api.resources import own_tenant
from hub.services import hub_services
from schemas.dead_letters.task import FailureSelection, TaskKind
from schemas.errors import UsageError
from schemas.hub.action import ActionRefusedError
from schemas.timestamps import timestamp

if TYPE_CHECKING:
    from collections.abc import Mapping

    from schemas.dead_letter_reasons import Reason


@action(
    "/syncs/<tenant>/failures/tasks", task_schemas.TaskSchema, body=task_schemas.NewTaskSchema, status=202
)
def request_task(headers: Mapping[str, str], body: Mapping[str, Any], tenant: str) -> dict[str, Any]:
    """Have users that fail tried, tried again or set aside; asked again with the same key, it is one task."""
    store, kind = hub_services().store, body["kind"]
    forecast = None
    if body["forecast"] is not None:
        tried = store.dead_letter_tasks.find(own_tenant(tenant), body["forecast"])
        if tried is None or tried.kind is not TaskKind.FORECAST or tried.selection.reason != body["reason"]:
            refuse(422, forecast="Not a forecast of users that fail for this reason.")
        forecast = tried.id
    selection = FailureSelection(
        reason=body["reason"],
        users=tuple(dict.fromkeys(body["users"])),
        after=body["after"],
        before=body["before"],
        forecast=forecast,
    )
    try:
        task = request_task_once(
            own_tenant(tenant), kind, selection, sent(headers), store=store, note=body["note"]
        )
    except ActionRefusedError as error:
        refuse(409, action=error.why)
    return task_progress(task_of(tenant, str(task)), store=store).as_json()


@lookup("/syncs/<tenant>/failures/tasks/<task>", task_schemas.TaskSchema)
def task(tenant: str, task: str) -> dict[str, Any]:
    """Return how far a task is, and what became of its users."""
    return task_progress(task_of(own_tenant(tenant), task), store=hub_services().store).as_json()


@lookup(
    "/syncs/<tenant>/failures/tasks/<task>/users",
    task_schemas.TriedUsersSchema,
    query=task_schemas.TriedUsersQuery,
    statuses=(401, 404, 422, 503),
)
def task_users(query: Mapping[str, Any], tenant: str, task: str) -> dict[str, Any]:
    """List what became of each user, or of a forecast what would, by their ids."""
    found = task_of(own_tenant(tenant), task)
    read = tried_users_list(found, query["outcome"], store=hub_services().store)
    page = users_page(read, after=query["cursor"], limit=query["limit"])
    users = [
        {
            "user": each.entra_id,
            "outcome": each.outcome and str(each.outcome),
            "reason": each.reason and str(each.reason),
            "obstacle": each.obstacle and str(each.obstacle),
        }
        for each in page.users
    ]
    return {"users": users, "next": None if page.after is None else encode_cursor(page.after)}


@action(
    "/syncs/<tenant>/failures/tasks/<task>/control",
    task_schemas.TaskSchema,
    body=task_schemas.ControlSchema,
)
def control_task(
    headers: Mapping[str, str], body: Mapping[str, Any], tenant: str, task: str
) -> dict[str, Any]:
    """Pause a task, let it go on, or end it."""
    store, found = hub_services().store, task_of(own_tenant(tenant), task)
    try:
        control_task_once(found, body["control"], sent(headers), store=store)
    except ActionRefusedError as error:
        refuse(409, action=error.why)
    return task_progress(task_of(tenant, task), store=store).as_json()


@action(
    "/syncs/<tenant>/failures/groups/<reason>/set-aside",
    task_schemas.GroupAsideSchema,
    body=task_schemas.SetAsideSchema,
)
def set_group_aside(
    headers: Mapping[str, str], body: Mapping[str, Any], tenant: str, reason: str
) -> dict[str, Any]:
    """Set the users that fail for a reason aside until a day, also those that fail anew."""
    store, group = hub_services().store, reason_of(reason)
    try:
        set_aside_once(
            own_tenant(tenant),
            group,
            body["until"],
            sent(headers),
            note=body["note"],
            store=store,
        )
    except ActionRefusedError as error:
        refuse(409, action=error.why)
    except UsageError:
        refuse(422, until="Not a day after today, at most a year ahead.")
    return _group(tenant, group)


@action("/syncs/<tenant>/failures/groups/<reason>/have-back", task_schemas.GroupAsideSchema)
def have_group_back(headers: Mapping[str, str], tenant: str, reason: str) -> dict[str, Any]:
    """Have a group back that is set aside."""
    group = reason_of(reason)
    try:
        have_back_once(own_tenant(tenant), group, sent(headers), store=hub_services().store)
    except ActionRefusedError as error:
        refuse(409, action=error.why)
    return _group(tenant, group)


def _group(tenant: str, reason: Reason) -> dict[str, Any]:
    aside = groups_aside([tenant], store=hub_services().store, now=dt.datetime.now(dt.UTC))
    found = aside.get(tenant, {}).get(reason)
    return {
        "reason": str(reason),
        "until": found and timestamp(found.until),
        "note": found and found.note,
    }
