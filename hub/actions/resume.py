"""Answering a halted run: what it asks, what would change, and letting it go on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Blueprint, abort, g, redirect, render_template, request, url_for

from administration.runs.actions.question import question_of, sample_of
from administration.runs.actions.resume import Answer, plan_resume, resume_run_once
from hub.actions.acting import broker_or_refuse, may_act, new_key, submission
from hub.addresses import run_summary_of, tenant_of
from hub.language import current_language
from hub.presentation.actions.questions import question_text
from hub.presentation.actions.refusals import REFUSALS
from hub.presentation.advice import advice_on
from hub.presentation.changes import change_rows
from hub.services import hub_services
from schemas.hub.action import ActionRefusedError
from schemas.outcomes import Mode

if TYPE_CHECKING:
    from collections.abc import Sequence

    from flask_babel.speaklater import LazyString
    from werkzeug.wrappers import Response

    from administration.runs.actions.question import SampledUser

blueprint = Blueprint("resume", __name__, url_prefix="/tenants/<tenant>/runs/<run>/resume")


@blueprint.get("/")
def ask(tenant: str, run: str) -> str:
    """Show what a halted run asks, and what happens if it goes on."""
    return _page(tenant, run)


@blueprint.post("/")
def resume(tenant: str, run: str) -> str | tuple[str, int] | Response:
    """Let a halted run go on, once for each form, and show it."""
    sent, summary = submission(), run_summary_of(tenant, run)
    answer = Answer(
        override_guard=request.form.get("answer") == "right",
        # The page that was answered has warned of the settings as they are now.
        accepts_other_settings=request.form.get("settings") == _settings_version(tenant),
    )
    broker = broker_or_refuse()
    try:
        resume_run_once(summary.run, answer, sent, store=hub_services().store, publisher=broker)
    except ActionRefusedError as error:
        return _page(tenant, run, fault=REFUSALS[error.why]), 422
    return redirect(url_for("runs.show", tenant=tenant, run=run), 303)


@blueprint.post("/sample")
def sample(tenant: str, run: str) -> str:
    """Show some of the users that would change, side by side with values; that is recorded."""
    services, summary = hub_services(), run_summary_of(tenant, run)
    if services.gateways is None:
        abort(409)
    users = sample_of(summary.run, g.member, store=services.store, gateways=services.gateways)
    return _page(tenant, run, sampled=users)


def _page(
    tenant: str, run: str, *, fault: LazyString | None = None, sampled: Sequence[SampledUser] | None = None
) -> str:
    found, summary, store = tenant_of(tenant), run_summary_of(tenant, run), hub_services().store
    plan = plan_resume(summary, store=store)
    question = question_of(summary, store=store) if plan.is_halted and plan.needs_answer else None
    language = current_language()
    halt = (
        None
        if summary.run.cause is None
        else advice_on(summary.run.cause, language, of_undo=summary.run.mode is Mode.UNDO)
    )
    return render_template(
        "resume.html",
        tenant=found,
        run=summary.run,
        plan=plan,
        question=question,
        asked="" if question is None else question_text(question, language),
        changes=() if question is None else change_rows(question.changes),
        halt=halt,
        halt_detail="" if halt is None else halt.detail_text(summary.run.detail),
        settings=_settings_version(tenant),
        sampled=sampled,
        has_gateways=hub_services().gateways is not None,
        may_act=may_act(tenant),
        fault=fault,
        key=new_key(),
    )


def _settings_version(tenant: str) -> str:
    # To the microsecond: two changes may fall into one second.
    return hub_services().store.tenants.changed_at(tenant).isoformat()
