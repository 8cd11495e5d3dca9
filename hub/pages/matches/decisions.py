"""Deciding a match, and taking a decision back: what it does beforehand, the button, and what came of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flask import Blueprint, abort, make_response, redirect, render_template, request, url_for

from administration.matches.actions import (
    AnswerKind,
    MatchAnswer,
    Subject,
    answer_once,
    decision_of,
    forget_once,
    plan_answer,
    plan_forget,
)
from administration.matches.affected import find_decision
from administration.matches.progress import decision_progress
from hub.actions.acting import broker_or_refuse, may_act, new_key, submission, waits_for
from hub.addresses import tenant_of
from hub.language import current_language
from hub.presentation.actions import matches as match_texts
from hub.presentation.actions.refusals import REFUSALS
from hub.services import hub_services
from schemas.fields import is_object_id
from schemas.hub.action import ActionRefusal, ActionRefusedError, is_action_key
from schemas.messages.messages import MAX_QUICK_USERS
from schemas.safe_text import is_storable

if TYPE_CHECKING:
    from collections.abc import Mapping

    from werkzeug.wrappers import Response

    from administration.matches.actions import DecisionPlan
    from administration.matches.progress import DecisionProgress
    from clients.gateways import Gateways

blueprint = Blueprint("match_decisions", __name__, url_prefix="/tenants/<tenant>/matches")

#: Characters of an id in Skolon, as the database has room for.
_MAX_SKOLON_ID = 255


@blueprint.get("/<user>/decide")
def ask(tenant: str, user: str) -> str:
    """Show what an answer would do, before it is given."""
    return _ask(tenant, _answer(user, request.args))


@blueprint.post("/<user>/decide")
def decide(tenant: str, user: str) -> tuple[str, int] | Response:
    """Give an answer, once for each form, and show what comes of it."""
    tenant_of(tenant)
    answer, sent = _answer(user, request.form), submission()
    broker = broker_or_refuse()
    try:
        answer_once(tenant, answer, sent, store=hub_services().store, gateways=_gateways(), publisher=broker)
    except ActionRefusedError as error:
        return _ask(tenant, answer, refusal=error.why), 422
    return redirect(url_for("match_decisions.done", tenant=tenant, key=sent.key), 303)


@blueprint.get("/take-back/")
def ask_back(tenant: str) -> str:
    """Show what taking a decision back would do, and what stays."""
    return _ask_back(tenant, _subject(request.args))


@blueprint.post("/take-back/")
def take_back(tenant: str) -> tuple[str, int] | Response:
    """Take a decision back, once for each form, and show what comes of it."""
    tenant_of(tenant)
    subject, sent = _subject(request.form), submission()
    broker = broker_or_refuse()
    try:
        forget_once(tenant, subject, sent, store=hub_services().store, publisher=broker)
    except ActionRefusedError as error:
        return _ask_back(tenant, subject, refusal=error.why), 422
    return redirect(url_for("match_decisions.done", tenant=tenant, key=sent.key), 303)


@blueprint.get("/done/<key>")
def done(tenant: str, key: str) -> str:
    """Show what was decided, and follow its users until they are synced."""
    return render_template("matches/done.html", **_progress(tenant, key))


@blueprint.get("/done/<key>/progress")
def progress(tenant: str, key: str) -> Response:
    """Return how far it is; the page asks again and again."""
    return make_response(render_template("matches/progress.html", **_progress(tenant, key)))


def _ask(tenant: str, answer: MatchAnswer, *, refusal: ActionRefusal | None = None) -> str:
    plan: DecisionPlan | None = None
    if refusal is None or refusal in (ActionRefusal.KEY_REUSED, ActionRefusal.UNDER_WAY):
        try:
            plan = plan_answer(tenant, answer, store=hub_services().store, gateways=_gateways())
        except ActionRefusedError as error:
            refusal = error.why
    store = hub_services().store
    existing = find_decision(tenant, answer.user, answer.skolon_id, store=store)
    return render_template(
        "matches/decide.html",
        tenant=tenant_of(tenant),
        answer=answer,
        kinds=AnswerKind,
        decision=existing,
        **_effects(plan, answer.skolon_id),
        **_form(tenant, refusal),
    )


def _ask_back(tenant: str, subject: Subject, *, refusal: ActionRefusal | None = None) -> str:
    plan: DecisionPlan | None = None
    decision = failed = None
    store = hub_services().store
    try:
        decision, failed = decision_of(tenant, subject, store=store)
        plan = plan_forget(tenant, subject, store=store, gateways=_gateways())
    except ActionRefusedError as error:
        refusal = refusal or error.why
    return render_template(
        "matches/take_back.html",
        tenant=tenant_of(tenant),
        subject=subject,
        decision=decision,
        failed=failed,
        **_effects(plan, subject.skolon_id),
        **_form(tenant, refusal),
    )


def _effects(plan: DecisionPlan | None, skolon_id: str | None) -> dict[str, Any]:
    """Return a plan in sentences; none without a plan."""
    language = current_language()
    return {
        "plan": plan,
        "effects": [] if plan is None else match_texts.effect_texts(plan, language),
        "warnings": [] if plan is None else match_texts.warning_texts(plan, skolon_id, language),
        "attributes": lambda names: match_texts.attributes_text(names, language),
    }


def _form(tenant: str, refusal: ActionRefusal | None) -> dict[str, Any]:
    return {
        "fault": None if refusal is None else REFUSALS[refusal],
        "key": new_key(),
        "may_act": may_act(tenant),
    }


def _progress(tenant: str, key: str) -> dict[str, Any]:
    found = tenant_of(tenant)
    if not is_action_key(key):
        abort(404)
    decided: DecisionProgress | None = decision_progress(tenant, key, store=hub_services().store)
    if decided is None:
        abort(404)
    is_quick = len(decided.users) + decided.more <= MAX_QUICK_USERS
    waits = waits_for(tenant, is_quick=is_quick) if decided.goes_on and decided.run is None else None
    return {"tenant": found, "key": key, "progress": decided, "waits": waits}


def _gateways() -> Gateways:
    """Return Entra and Skolon; without them nothing can be decided from here, and the page says so."""
    gateways = hub_services().gateways
    if gateways is None:
        abort(409)
    return gateways


def _answer(user: str, sent: Mapping[str, str]) -> MatchAnswer:
    """Return the answer that was chosen; there is no such page for one that our pages do not offer."""
    if not is_object_id(user):
        abort(404)
    try:
        kind = AnswerKind(sent.get("answer", ""))
        skolon_id = None if kind is AnswerKind.IGNORE_USER else _skolon_id(sent)
        return MatchAnswer(kind=kind, user=user.lower(), skolon_id=skolon_id)
    except ValueError:
        abort(404)


def _subject(sent: Mapping[str, str]) -> Subject:
    """Return the user whose decision is taken back: of Entra or of Skolon."""
    user, skolon_id = sent.get("user", ""), _skolon_id(sent)
    if bool(user) == bool(skolon_id) or (user and not is_object_id(user)):
        abort(404)
    return Subject(entra_id=user.lower() or None, skolon_id=skolon_id)


def _skolon_id(sent: Mapping[str, str]) -> str | None:
    text = sent.get("skolon_user", "")
    if len(text) > _MAX_SKOLON_ID or not text.isprintable() or not is_storable(text):
        abort(404)
    return text or None
