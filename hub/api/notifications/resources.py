"""Notifications: read and changed by programs, without addresses in an answer."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from flask import g
from flask_smorest import Blueprint

from administration.notifications.delivery import check_tests, send_test
from administration.notifications.settings import (
    FAULT_TEXTS,
    SettingsFaultError,
    change_settings_once,
    make_secret_once,
)
from hub.api.notifications import schemas
from hub.api.problems import refuse
from hub.api.resources import own_tenant
from hub.api.routes import (
    get_route,
    post_route,
    refuse_action,
    refuse_unreadable_json,
    submission_of,
)
from hub.services import hub_services
from schemas.hub.action import ActionRefusedError
from schemas.hub.session import AuditKind
from schemas.notifications.delivery import Channel
from schemas.timestamps import timestamp

if TYPE_CHECKING:
    from collections.abc import Mapping

#: Deliveries that are told.
_LAST = 20

blueprint = Blueprint(
    "api_notifications",
    __name__,
    url_prefix="/api/v1",
    description="Who is told by mail and webhook of what needs a person.",
)
blueprint.before_request(refuse_unreadable_json)

_get = partial(get_route, blueprint)
_post = partial(post_route, blueprint)


@_get("/syncs/<tenant>/notifications", schemas.NotificationsSchema)
def show(tenant: str) -> dict[str, Any]:
    """Return who is told of what, and what was told last."""
    return _shown(own_tenant(tenant))


@_post(
    "/syncs/<tenant>/notifications",
    schemas.NotificationsSchema,
    body=schemas.NotificationSettingsBody,
    headers=schemas.StateHeader,
    further=(412,),
)
def change(headers: Mapping[str, str], body: dict[str, Any], tenant: str) -> dict[str, Any]:
    """Change who is told of what, and when."""
    own_tenant(tenant)
    try:
        change_settings_once(
            tenant,
            body,
            headers["state"],
            submission_of(headers),
            networks=hub_services().networks,
            store=hub_services().store,
        )
    except SettingsFaultError as error:
        refuse(422, **{name: FAULT_TEXTS[fault] for name, fault in error.by_field.items()})
    except ActionRefusedError as error:
        refuse_action(error)
    return _shown(tenant)


@_post(
    "/syncs/<tenant>/notifications/test", schemas.NotificationTestSchema, body=schemas.NotificationTestBody
)
def test(headers: Mapping[str, str], body: Mapping[str, str], tenant: str) -> dict[str, Any]:
    """Send a test to all who are saved, and return what was answered; each request sends one."""
    del headers
    own_tenant(tenant)
    services = hub_services()
    if services.senders is None:
        refuse(409, action="not_connected")
    channel = Channel(body["channel"])
    try:
        check_tests(tenant, channel, store=services.store)
    except ActionRefusedError as error:
        refuse_action(error)
    services.store.hub_audit.record(AuditKind.NOTIFICATION_TESTED, token=g.api_token.id, tenant=tenant)
    found = send_test(tenant, channel, senders=services.senders, store=services.store)
    if not found:
        refuse(409, action="no_receiver")
    return {"answers": [each.answer.as_text() for each in found]}


@_post("/syncs/<tenant>/notifications/secret", schemas.WebhookSecretSchema)
def secret(headers: Mapping[str, str], tenant: str) -> dict[str, Any]:
    """Have webhooks signed with a new secret from now on."""
    own_tenant(tenant)
    try:
        made = make_secret_once(tenant, submission_of(headers), store=hub_services().store)
    except ActionRefusedError as error:
        refuse_action(error)
    return {"webhook_secret": made}


def _shown(tenant: str) -> dict[str, Any]:
    store = hub_services().store
    saved = store.notification_settings.get(tenant)
    settings = saved.settings.as_json()
    url = settings.pop("webhook_url")
    return {
        **settings,
        **{name: len(settings[name]) for name in schemas.COUNTED},
        "webhook": url is not None,
        "webhook_secret": saved.secret_set is not None,
        "state": saved.state,
        "last": [
            {
                "created": timestamp(each.notification.created),
                "event": str(each.notification.event),
                "kind": each.notification.kind and str(each.notification.kind),
                "owner": each.notification.owner and str(each.notification.owner),
                "channel": str(each.channel),
                "status": str(each.status),
                "attempts": each.attempts,
                "answer": each.answer and each.answer.as_text(),
            }
            for each in store.notification_deliveries.list(tenant, limit=_LAST)
        ],
    }
