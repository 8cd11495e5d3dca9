"""What all pages share on which members act: who acts, the key of an action, and RabbitMQ."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Any

from flask import abort, g, request

from administration.runs.idle import IdleReason
from hub.services import hub_services
from schemas.hub.action import Actor, Submission, is_action_key

if TYPE_CHECKING:
    from queues.interfaces import ReplayBroker


def new_key() -> str:
    """Return the key of the action that a form is for: sent twice, it is done once."""
    return secrets.token_hex(16)


def submission() -> Submission:
    """Return who has sent a form, and its key; a request without one was not made by our page."""
    key = request.form.get("key", "")
    if not is_action_key(key):
        abort(400)
    return Submission(actor=Actor(member=g.member.id), key=key)


def broker_or_refuse() -> ReplayBroker:
    """Return RabbitMQ; without it nothing can be started from here, and the page says so."""
    broker = hub_services().broker
    if broker is None:
        abort(409)
    return broker


def may_act(tenant: str) -> bool:
    """Say whether the member who reads the page may act for a tenant, and RabbitMQ is there for it."""
    return bool(g.member.administers(tenant)) and hub_services().broker is not None


def waits_for(tenant: str, *, is_quick: bool = False) -> dict[str, Any]:
    """Return the run that a request, also one for a quick run, waits for, and whether no process takes it."""
    services = hub_services()
    reasons = () if services.idle is None else services.idle.of_request(tenant, is_quick=is_quick)
    other = next((each.run for each in reasons if each.reason is IdleReason.OTHER_RUN), None)
    unanswered = services.store.runs.unanswered_guard(tenant)
    return {
        "other_run": other,
        "unanswered": None if unanswered is None else unanswered.id,
        "is_idle": any(each.reason is not IdleReason.OTHER_RUN for each in reasons),
    }
