"""Who is told of what: the settings of a tenant, and of the operators; a test, and what was told last."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final

from flask import Blueprint, abort, g, redirect, render_template, request, url_for
from flask_babel import lazy_gettext as _

from administration.notifications.delivery import check_tests, send_test
from administration.notifications.settings import (
    SettingsFaultError,
    change_settings,
    change_settings_once,
    make_secret,
    make_secret_once,
)
from hub.actions.acting import new_key, submission
from hub.addresses import tenant_of
from hub.notifications import answers, texts
from hub.pages.notifications.forms import REPAIR_FIELDS, sent_settings, shown_settings
from hub.presentation.actions.refusals import REFUSALS
from hub.services import hub_services
from schemas.hub.action import ActionRefusal, ActionRefusedError
from schemas.hub.session import AuditKind
from schemas.notifications.delivery import Channel
from schemas.notifications.settings import MAX_URL, OPERATORS, REPAIR_OWNERS, Weekday

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from flask_babel.speaklater import LazyString
    from werkzeug.wrappers import Response

    from administration.notifications.delivery import TestAnswer
    from schemas.notifications.settings import Faults

blueprint = Blueprint("notifications", __name__, url_prefix="/tenants/<tenant>/notifications")
of_operators = Blueprint("operator_notifications", __name__, url_prefix="/notifications")

#: Deliveries that are shown.
_LAST: Final = 20


class Done(StrEnum):
    """What was done: the page says so afterwards."""

    SAVED = "saved"


DONE_TEXTS: Final[Mapping[str, LazyString]] = {Done.SAVED: _("Saved. It holds from now on.")}


@blueprint.get("/")
def show(tenant: str) -> str:
    """Show who is told, of what and when, and what was told last."""
    return _page(tenant_of(tenant).key)


@blueprint.post("/")
def save(tenant: str) -> tuple[str, int] | Response:
    """Save the settings, once for each form."""
    return _save(tenant_of(tenant).key)


@blueprint.post("/test")
def test(tenant: str) -> str | tuple[str, int]:
    """Send a test by a channel, and show what was answered."""
    return _test(tenant_of(tenant).key)


@blueprint.post("/secret")
def secret(tenant: str) -> str | tuple[str, int]:
    """Make a new secret for webhooks, and show it, this once."""
    return _secret(tenant_of(tenant).key)


@of_operators.get("/")
def show_own() -> str:
    """Show who is told of all organisations."""
    return _page(OPERATORS)


@of_operators.post("/")
def save_own() -> tuple[str, int] | Response:
    """Save who is told of all organisations."""
    return _save(OPERATORS)


@of_operators.post("/test")
def test_own() -> str | tuple[str, int]:
    """Send a test to those who are told of all organisations."""
    return _test(OPERATORS)


@of_operators.post("/secret")
def secret_own() -> str | tuple[str, int]:
    """Make a new secret for the operators' webhook."""
    return _secret(OPERATORS)


def _save(audience: str) -> tuple[str, int] | Response:
    services, sent, seen = hub_services(), submission(), request.form.get("seen", "")
    store, networks = services.store, services.networks
    changes, shown = sent_settings(audience, request.form)
    try:
        if audience == OPERATORS:
            change_settings(audience, changes, networks=networks, store=store, seen=seen)
            store.hub_audit.record(AuditKind.NOTIFICATIONS_CHANGED, member=g.member.id)
        else:
            change_settings_once(audience, changes, seen, sent, networks=networks, store=store)
    except SettingsFaultError as error:
        return _page(audience, shown=shown, faults=error.by_field), 422
    except ActionRefusedError as error:
        return _page(audience, refusal=error.why), _status(error.why)
    return redirect(_address(audience, done=Done.SAVED), 303)


def _test(audience: str) -> str | tuple[str, int]:
    store, senders = hub_services().store, hub_services().senders
    sent = request.form.get("channel", "")
    if sent not in list(Channel) or senders is None:
        abort(400 if sent not in list(Channel) else 409)
    channel = Channel(sent)
    tenant = None if audience == OPERATORS else audience
    try:
        check_tests(audience, channel, store=store)
    except ActionRefusedError as error:
        return _page(audience, refusal=error.why), _status(error.why)
    store.hub_audit.record(AuditKind.NOTIFICATION_TESTED, member=g.member.id, tenant=tenant)
    found = send_test(audience, channel, senders=senders, store=store)
    return _page(audience, tested=channel, answered=found)


def _secret(audience: str) -> str | tuple[str, int]:
    store, sent = hub_services().store, submission()
    try:
        if audience == OPERATORS:
            made: str | None = make_secret(audience, store=store)
            store.hub_audit.record(AuditKind.WEBHOOK_SECRET_MADE, member=g.member.id)
        else:
            made = make_secret_once(audience, sent, store=store)
    except ActionRefusedError as error:
        return _page(audience, refusal=error.why), _status(error.why)
    return _page(audience, secret=made)


def _as_title(subject: object) -> str:
    """Return what stands behind a colon in mail as it begins a line."""
    text = str(subject)
    return f"{text[:1].upper()}{text[1:]}"


def _status(why: ActionRefusal) -> int:
    return 412 if why is ActionRefusal.CHANGED_MEANWHILE else 422


def _address(audience: str, what: str = "show", done: str | None = None) -> str:
    if audience == OPERATORS:
        return url_for(f"operator_notifications.{what}_own", done=done)
    return url_for(f"notifications.{what}", tenant=audience, done=done)


def _page(  # noqa: PLR0913 - what was sent, and what came of it
    audience: str,
    *,
    shown: Mapping[str, str] | None = None,
    faults: Faults | None = None,
    refusal: ActionRefusal | None = None,
    tested: Channel | None = None,
    answered: Sequence[TestAnswer] = (),
    secret: str | None = None,
) -> str:
    services = hub_services()
    saved = services.store.notification_settings.get(audience)
    deliveries = services.store.notification_deliveries.list(audience, limit=_LAST)
    is_operators = audience == OPERATORS
    values: dict[str, Any] = {
        "saved": saved,
        "shown": {**shown_settings(saved.settings), **(shown or {})},
        "faults": {name: answers.FAULTS[fault] for name, fault in (faults or {}).items()},
        "refusal": "" if refusal is None else REFUSALS[refusal],
        "done": DONE_TEXTS.get(request.args.get("done", ""), "") if request.method == "GET" else "",
        "tested": None if tested is None else answers.CHANNELS[tested],
        "answered": [
            (each.answer, each.recipient, answers.answer_text(each.answer, tested)) for each in answered
        ],
        "secret": secret,
        "is_operators": is_operators,
        "has_mail": services.senders is not None and services.senders.mail is not None,
        "can_test": services.senders is not None,
        "channels": answers.CHANNELS,
        "test_buttons": answers.TEST_BUTTONS,
        "weekdays": answers.WEEKDAYS,
        "all_weekdays": list(Weekday),
        "sides": [
            (field, texts.REPAIR_TITLES[owner])
            for field, owner in zip(REPAIR_FIELDS, REPAIR_OWNERS, strict=True)
        ],
        "last": [
            (
                each,
                _as_title(texts.subject_of(each.notification)),
                answers.answer_text(each.answer, each.channel),
            )
            for each in deliveries
        ],
        "statuses": answers.STATUSES,
        "longest_url": MAX_URL,
        "to_save": _address(audience, "save"),
        "to_test": _address(audience, "test"),
        "to_secret": _address(audience, "secret"),
        "key": new_key(),
    }
    if is_operators:
        return render_template("notifications/operators.html", **values)
    return render_template("notifications/tenant.html", tenant=tenant_of(audience), **values)
