"""The API's operations about matches."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from flask import abort

from administration.matches.actions import (
    MatchAnswer,
    Subject,
    answer_once,
    forget_once,
    plan_answer,
    plan_forget,
)
from administration.matches.comparison import compare_match
from administration.matches.overview import matches_of
from administration.users.status import user_report
from hub.api.actions import action, broker, lookup, sent
from hub.api.cursors import encode_cursor
from hub.api.matches import schemas
from hub.api.problems import refuse
from hub.api.resources import own_tenant
from hub.services import hub_services
from schemas.details.detail import structured_json
from schemas.errors import HaltError, TransientError
from schemas.fields import is_object_id
from schemas.hub.action import ActionRefusal, ActionRefusedError
from schemas.timestamps import timestamp

if TYPE_CHECKING:
    from collections.abc import Mapping

    from administration.matches.actions import DecisionPlan
    from administration.matches.affected import AffectedUser
    from clients.gateways import Gateways
    from schemas.reports.pending_match import PendingMatch

#: More matches than a municipality has users.
_ALL: Final = 10_000_000

#: As things stand it cannot be asked, or a parameter is wrong.
_ASKED: Final = (401, 404, 409, 422, 503)


@lookup(
    "/syncs/<tenant>/matches",
    schemas.MatchesSchema,
    query=schemas.MatchesQuery,
    statuses=(401, 404, 422, 503),
)
def matches(query: Mapping[str, Any], tenant: str) -> dict[str, Any]:
    """List the matches that wait for a decision, and the decisions that are in force."""
    overview = matches_of(own_tenant(tenant), store=hub_services().store, limit=_ALL)
    behind = [each for each in overview.waiting if each.entra_id > query["cursor"]]
    shown = behind[: query["limit"]]
    return {
        "count": overview.count,
        "matches": [_waiting(each) for each in shown],
        "decisions": [each.as_json() for each in overview.decisions],
        "next": encode_cursor(shown[-1].entra_id) if len(behind) > len(shown) else None,
    }


@lookup("/syncs/<tenant>/matches/<user>", schemas.ComparisonSchema, statuses=(401, 404, 409, 503))
def match(tenant: str, user: str) -> dict[str, Any]:
    """Compare a user with the users in Skolon that it may be, as both are now; without values."""
    store, user = hub_services().store, _user(tenant, user)
    compared = compare_match(user, tenant, values=False, store=store, gateways=_gateways())
    end = compared.explanation.explained.end
    if isinstance(end, TransientError):
        raise end
    if isinstance(end, HaltError):
        refuse(409, action=ActionRefusal.SERVICE_REFUSES)
    known = compared.mapped or compared.pending or user in compared.decisions.by_entra_id
    if not known and not user_report(tenant, user, store=store, limit=1).history:
        abort(404)
    told = compared.as_json()
    return {
        **{name: told[name] for name in ("user", "outcome", "reason", "decision")},
        "skolon_users": [
            {
                **each,
                "equal": [row["attribute"] for row in each["attributes"] if row["agrees"]],
                "different": [row["attribute"] for row in each["attributes"] if not row["agrees"]],
                # Another tenant's users are its own.
                "claimants": [other for other in each["claimants"] if other["tenant"] is None],
            }
            for each in told["skolon_users"]
        ],
    }


@lookup(
    "/syncs/<tenant>/matches/<user>/effects",
    schemas.EffectsSchema,
    query=schemas.AnswerQuery,
    statuses=_ASKED,
)
def effects(query: Mapping[str, Any], tenant: str, user: str) -> dict[str, Any]:
    """Return what an answer would do to the user and to others; nothing is changed."""
    answer = _answer(query, _user(tenant, user))
    try:
        plan = plan_answer(tenant, answer, store=hub_services().store, gateways=_gateways())
    except ActionRefusedError as error:
        refuse(409, action=error.why)
    return {
        "needs_confirmation": plan.needs_confirmation,
        "own": plan.own and _effect(plan.own),
        "others": [_effect(each) for each in plan.others],
        "lost": [
            {"attribute": str(each.attribute), "skolon_users": list(each.skolon_ids)} for each in plan.lost
        ],
        "halted_run": None if plan.halted is None else str(plan.halted.id),
    }


@action("/syncs/<tenant>/matches/<user>/decision", schemas.DecidedSchema, body=schemas.AnswerBody)
def decide(headers: Mapping[str, str], body: Mapping[str, Any], tenant: str, user: str) -> dict[str, Any]:
    """Answer a match, and have its users synced; asked again with the same key, it tells the run."""
    answer, store = _answer(body, _user(tenant, user)), hub_services().store
    submission, publisher, gateways = sent(headers), broker(), _gateways()
    try:
        if not body["confirmed"] and not store.hub_actions.is_known(tenant, submission.key):
            _check_confirmed(plan_answer(tenant, answer, store=store, gateways=gateways))
        result = answer_once(tenant, answer, submission, store=store, gateways=gateways, publisher=publisher)
    except ActionRefusedError as error:
        refuse(409, action=error.why)
    return _decided(result)


@action("/syncs/<tenant>/matches/take-back", schemas.DecidedSchema, body=schemas.TakeBackBody)
def take_back(headers: Mapping[str, str], body: Mapping[str, Any], tenant: str) -> dict[str, Any]:
    """Take a decision back, and have its users synced; what runs have written because of it stays."""
    own_tenant(tenant)
    store, subject = hub_services().store, Subject(entra_id=body["user"], skolon_id=body["skolon_user"])
    submission, publisher = sent(headers), broker()
    try:
        if not body["confirmed"] and not store.hub_actions.is_known(tenant, submission.key):
            _check_confirmed(plan_forget(tenant, subject, store=store, gateways=_gateways()))
        result = forget_once(tenant, subject, submission, store=store, publisher=publisher)
    except ActionRefusedError as error:
        refuse(409, action=error.why)
    return _decided(result)


def _waiting(found: PendingMatch) -> dict[str, Any]:
    return {
        "user": found.entra_id,
        "run": str(found.run),
        "reason": str(found.reason),
        "detail": found.detail,
        "structured_detail": structured_json(found.detail),
        "skolon_users": list(found.skolon_ids),
        "since": timestamp(found.since),
    }


def _effect(affected: AffectedUser) -> dict[str, Any]:
    return {**affected.as_json(), "changes": [str(each) for each in affected.changes]}


def _check_confirmed(plan: DecisionPlan) -> None:
    if plan.needs_confirmation:
        raise ActionRefusedError(ActionRefusal.UNCONFIRMED, "Read the effects, and say that you did.")


def _decided(result: Mapping[str, Any]) -> dict[str, Any]:
    event = result["event"]
    run = None if event is None else hub_services().store.triggers.find_run(event)
    return {
        "kind": result["kind"],
        "users": result["users"],
        "run": None if run is None else str(run.id),
        "halted_run": result["halted_run"],
    }


def _answer(sent_fields: Mapping[str, Any], user: str) -> MatchAnswer:
    return MatchAnswer(kind=sent_fields["answer"], user=user, skolon_id=sent_fields["skolon_user"])


def _user(tenant: str, user: str) -> str:
    own_tenant(tenant)
    if not is_object_id(user):
        abort(404)
    return user.lower()


def _gateways() -> Gateways:
    """Return Entra and Skolon; without them nothing can be compared from here."""
    gateways = hub_services().gateways
    if gateways is None:
        refuse(409, action="not_connected")
    return gateways
