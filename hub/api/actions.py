"""What programs can do: the same as the pages do, by a token that may act, and once for each key."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flask import abort, g
from flask_smorest import Blueprint

from administration.runs.actions.cancel import cancel_run_once
from administration.runs.actions.question import question_of
from administration.runs.actions.resume import Answer, plan_resume, resume_run_once
from administration.runs.actions.start import plan_start, start_run
from administration.runs.actions.undo import offer_undo, undo_run_once
from administration.users.sync_now import sync_user_now
from hub.api import action_schemas, schemas
from hub.api.problems import refuse
from hub.api.resources import own_run, own_tenant, recorded_user
from hub.api.routes import get_route, post_route, refuse_unreadable_json
from hub.services import hub_services
from schemas.fields import is_object_id
from schemas.hub.action import ActionRefusedError, Actor, Submission

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from marshmallow import Schema

    from administration.runs.actions.start import StartKind
    from queues.interfaces import ReplayBroker

blueprint = Blueprint(
    "api_actions",
    __name__,
    url_prefix="/api/v1",
    description="What a token that may act can do. Each request has a key, by which it is done once.",
)


blueprint.before_request(refuse_unreadable_json)


def lookup(
    path: str,
    answer: type[Schema],
    *,
    query: type[Schema] | None = None,
    statuses: tuple[int, ...] = (401, 404, 503),
) -> Callable[[Callable[..., dict[str, Any]]], Any]:
    """Return the decorator of a resource that tells what an action would do."""
    return get_route(blueprint, path, answer, query=query, statuses=statuses)


def action(
    path: str,
    answer: type[Schema],
    *,
    body: type[Schema] | None = None,
    status: int = 200,
    more: tuple[int, ...] = (),
) -> Callable[[Callable[..., Any]], Any]:
    """Return the decorator of an action: its address, body, key and answer, and problems."""
    return post_route(blueprint, path, answer, body=body, status=status, further=more)


@lookup("/syncs/<tenant>/start", action_schemas.StartPlanSchema)
def start_plan(tenant: str) -> dict[str, Any]:
    """Return what there is to know before a run is started."""
    return plan_start(own_tenant(tenant), store=hub_services().store).as_json()


@action("/syncs/<tenant>/runs", action_schemas.StartedSchema, body=action_schemas.StartSchema, status=202)
def start(headers: Mapping[str, str], body: Mapping[str, StartKind], tenant: str) -> dict[str, Any]:
    """Start a run; asked again with the same key, it tells the run's number as soon as there is one."""
    own_tenant(tenant)
    store = hub_services().store
    try:
        event = start_run(tenant, body["kind"], sent(headers), store=store, publisher=broker())
    except ActionRefusedError as error:
        refuse(409, action=error.why)
    run = store.triggers.find_run(event)
    return {"event": event, "run": None if run is None else str(run.id)}


@action("/syncs/<tenant>/users/<user>/sync", action_schemas.StartedSchema, status=202)
def sync_user(headers: Mapping[str, str], tenant: str, user: str) -> dict[str, Any]:
    """Sync one user now, also while a run of all users is open; one that a rule leaves out is not there."""
    store = hub_services().store
    recorded_user(tenant, user)
    if not is_object_id(user):
        # It stands for a user that Entra has given no id.
        abort(404)
    try:
        event = sync_user_now(tenant, user.lower(), sent(headers), store=store, publisher=broker())
    except ActionRefusedError as error:
        refuse(409, action=error.why)
    run = store.triggers.find_run(event)
    return {"event": event, "run": None if run is None else str(run.id)}


@action("/syncs/<tenant>/runs/<run>/cancel", schemas.RunSchema)
def cancel(headers: Mapping[str, str], tenant: str, run: str) -> dict[str, Any]:
    """Cancel a run that is open or halted: users without an outcome stay as they are."""
    store, found = hub_services().store, own_run(tenant, run).run
    try:
        cancel_run_once(found, sent(headers), store=store)
    except ActionRefusedError as error:
        refuse(409, action=error.why)
    return dict(store.runs.summary(found.id).as_json())


@lookup("/syncs/<tenant>/runs/<run>/question", action_schemas.ResumePlanSchema)
def question(tenant: str, run: str) -> dict[str, Any]:
    """Return what a halted run asks, and what it means to let it go on."""
    store, summary = hub_services().store, own_run(tenant, run)
    plan = plan_resume(summary, store=store)
    asked = question_of(summary, store=store) if plan.is_halted and plan.needs_answer else None
    return {
        "halted": plan.is_halted,
        "settled": plan.settled,
        "settings_changed": plan.has_other_settings,
        "question": asked and asked.as_json(),
    }


@action("/syncs/<tenant>/runs/<run>/resume", schemas.RunSchema, body=action_schemas.AnswerSchema)
def resume(headers: Mapping[str, str], body: Mapping[str, bool], tenant: str, run: str) -> dict[str, Any]:
    """Let a halted run go on; one that asks needs the answer that it is right."""
    store, found = hub_services().store, own_run(tenant, run).run
    try:
        resume_run_once(found, Answer(**body), sent(headers), store=store, publisher=broker())
    except ActionRefusedError as error:
        refuse(409, action=error.why)
    return dict(store.runs.summary(found.id).as_json())


@lookup("/syncs/<tenant>/runs/<run>/undo", action_schemas.UndoOfferSchema)
def undo_offer(tenant: str, run: str) -> dict[str, Any]:
    """Return what an undo of a run would restore, and why it cannot be undone if so."""
    return offer_undo(own_run(tenant, run), store=hub_services().store).as_json()


@action(
    "/syncs/<tenant>/runs/<run>/undo",
    action_schemas.StartedSchema,
    body=action_schemas.UndoSchema,
    status=202,
)
def undo(headers: Mapping[str, str], body: Mapping[str, bool], tenant: str, run: str) -> dict[str, Any]:
    """Undo a run, or preview that; asked again with the same key, it tells the undo's number."""
    store, found = hub_services().store, own_run(tenant, run).run
    try:
        event = undo_run_once(found, sent(headers), **body, store=store, publisher=broker())
    except ActionRefusedError as error:
        refuse(409, action=error.why)
    begun = store.triggers.find_run(event)
    return {"event": event, "run": None if begun is None else str(begun.id)}


def sent(headers: Mapping[str, str]) -> Submission:
    """Return which program asks, and its key."""
    return Submission(actor=Actor(token=g.api_token.id), key=headers["key"])


def broker() -> ReplayBroker:
    """Return RabbitMQ; without it nothing can be done from here."""
    found = hub_services().broker
    if found is None:
        refuse(409, action="not_connected")
    return found
