"""The connection to Entra: read, entered, tested and switched on by programs."""

from __future__ import annotations

import datetime as dt
from functools import partial
from typing import TYPE_CHECKING, Any

from flask_smorest import Blueprint
from marshmallow import ValidationError

from administration.tenants.set_up import connection as set_up
from administration.tenants.set_up.connection_trial import try_connection
from hub.api.problems import refuse
from hub.api.resources import own_tenant
from hub.api.routes import (
    get_route,
    post_route,
    refuse_action,
    refuse_unreadable_json,
    submission_of,
)
from hub.api.set_up import schemas
from hub.services import hub_services
from schemas.hub.action import ActionRefusal, ActionRefusedError
from schemas.tenants.credentials.client_certificate import CertificateError
from schemas.timestamps import timestamp

if TYPE_CHECKING:
    from collections.abc import Mapping

blueprint = Blueprint(
    "api_set_up",
    __name__,
    url_prefix="/api/v1",
    description="The connection of a tenant to Entra.",
)
blueprint.before_request(refuse_unreadable_json)

_get = partial(get_route, blueprint)
_post = partial(post_route, blueprint, headers=schemas.StateHeader, further=(412,))


@_get("/syncs/<tenant>/connection", schemas.ConnectionSchema)
def connection(tenant: str) -> dict[str, Any]:
    """Return what is entered of the connection, and whether a test has proven it."""
    return _connection(own_tenant(tenant))


@_post("/syncs/<tenant>/connection/app", schemas.ConnectionSchema, body=schemas.AppSchema)
def enter_app(headers: Mapping[str, str], body: dict[str, str], tenant: str) -> dict[str, Any]:
    """Enter the directory and the app; while the sync is switched on that is refused."""
    own_tenant(tenant)
    try:
        schemas.check_app(body)
        set_up.enter_app(
            tenant,
            body["entra_tenant_id"],
            body["client_id"],
            headers["state"],
            submission_of(headers),
            store=hub_services().store,
        )
    except ValidationError as error:
        refuse(422, **_named(error))
    except ActionRefusedError as error:
        refuse_action(error)
    return _connection(tenant)


@_post("/syncs/<tenant>/connection/secret", schemas.ConnectionSchema, body=schemas.SecretSchema)
def enter_secret(headers: Mapping[str, str], body: dict[str, Any], tenant: str) -> dict[str, Any]:
    """Enter a client secret; while the sync is switched on, only one that Entra accepts is saved."""
    own_tenant(tenant)
    services = hub_services()
    secret = set_up.NewSecret(value=body["client_secret"], expires=body["client_secret_expires"])
    try:
        schemas.check_secret(body)
        set_up.enter_secret(
            tenant,
            secret,
            headers["state"],
            submission_of(headers),
            store=services.store,
            gateways=services.gateways,
        )
    except ValidationError as error:
        refuse(422, **_named(error))
    except ActionRefusedError as error:
        refuse_action(error)
    return _connection(tenant)


@_post("/syncs/<tenant>/connection/certificate", schemas.ConnectionSchema, body=schemas.CertificateSchema)
def enter_certificate(headers: Mapping[str, str], body: dict[str, Any], tenant: str) -> dict[str, Any]:
    """Enter a certificate in the place of the client secret, on the same terms."""
    own_tenant(tenant)
    services = hub_services()
    try:
        set_up.enter_secret(
            tenant,
            set_up.read_new_certificate(body["certificate"]),
            headers["state"],
            submission_of(headers),
            store=services.store,
            gateways=services.gateways,
        )
    except CertificateError as error:
        refuse(422, certificate=str(error))
    except ActionRefusedError as error:
        refuse_action(error)
    return _connection(tenant)


@_post("/syncs/<tenant>/connection/check", schemas.CheckSchema)
def check(headers: Mapping[str, str], tenant: str) -> dict[str, Any]:
    """Test the connection within some seconds; nothing is changed."""
    del headers
    own_tenant(tenant)
    services = hub_services()
    if services.gateways is None:
        refuse(409, action="not_connected")
    if not services.store.tenant_connections.get(tenant).is_complete:
        refuse(409, action=ActionRefusal.NOT_SET_UP)
    today = dt.datetime.now(dt.UTC).date()
    return try_connection(tenant, store=services.store, gateways=services.gateways, today=today).as_json()


@_post("/syncs/<tenant>/connection/switch", schemas.ConnectionSchema, body=schemas.SwitchSchema)
def switch(headers: Mapping[str, str], body: Mapping[str, bool], tenant: str) -> dict[str, Any]:
    """Switch the sync on or off."""
    own_tenant(tenant)
    try:
        set_up.switch(tenant, submission_of(headers), is_on=body["enabled"], store=hub_services().store)
    except ActionRefusedError as error:
        refuse_action(error)
    return _connection(tenant)


def _connection(tenant: str) -> dict[str, Any]:
    found = hub_services().store.tenant_connections.get(tenant)
    expires = found.tenant.client_secret_expires
    return {
        "entra_tenant_id": found.tenant.entra_tenant_id or None,
        "client_id": found.tenant.client_id or None,
        "client_secret_set": found.secret_set and timestamp(found.secret_set),
        "client_secret_expires": expires and expires.isoformat(),
        "proven": found.proven and timestamp(found.proven),
        "enabled": found.tenant.enabled,
        "state": found.state,
    }


def _named(error: ValidationError) -> dict[str, str]:
    return {name: texts[0] for name, texts in error.messages_dict.items()}
