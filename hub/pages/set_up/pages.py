"""The connection to Entra, step by step: it can be left and taken up again, and changed later."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any, Final

from flask import Blueprint, abort, redirect, render_template, request, url_for
from flask_babel import lazy_gettext as _

from administration.tenants.set_up.connection import (
    ConnectionFault,
    ConnectionField,
    NewSecret,
    SecretRefusedError,
    app_faults,
    enter_app,
    enter_secret,
    expiry_fault,
    read_day,
    read_new_certificate,
    secret_fault,
    switch,
)
from administration.tenants.set_up.connection_trial import try_connection
from hub.actions.acting import new_key, submission
from hub.addresses import tenant_of
from hub.language import current_language
from hub.presentation.actions.refusals import REFUSALS
from hub.presentation.set_up.checks import check_texts
from hub.services import hub_services
from schemas.hub.action import ActionRefusal, ActionRefusedError
from schemas.safe_text import one_line
from schemas.tenants.credentials.client_certificate import MAX_CERTIFICATE, CertificateError, CertificateFault

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flask_babel.speaklater import LazyString
    from werkzeug.wrappers import Response

    from administration.tenants.set_up.connection_trial import ConnectionTrial
    from schemas.hub.action import Submission

blueprint = Blueprint("set_up", __name__, url_prefix="/tenants/<tenant>/set-up")

#: Characters of an id that are shown again.
_SHOWN: Final = 100

_FAULTS: Final[Mapping[tuple[ConnectionField, ConnectionFault | CertificateFault], LazyString]] = {
    (ConnectionField.DIRECTORY, ConnectionFault.NOT_AN_ID): _(
        "That is no directory id. It has 36 characters, in groups with hyphens. "
        "It stands on the app's Overview."
    ),
    (ConnectionField.CLIENT, ConnectionFault.NOT_AN_ID): _(
        "That is no client id. It has 36 characters, in groups with hyphens. It stands on the app's Overview."
    ),
    (ConnectionField.CLIENT, ConnectionFault.SAME_ID): _(
        "That is the directory's id. Copy the Application (client) ID."
    ),
    (ConnectionField.SECRET, ConnectionFault.MISSING): _("Paste the Value of the client secret."),
    (ConnectionField.SECRET, ConnectionFault.SECRET_ID): _(
        "That is the Secret ID: copy the Value. If it is not shown any more, make a new client secret."
    ),
    (ConnectionField.SECRET, ConnectionFault.WHITE_SPACE): _(
        "There is a space in it, and a Value has none. Copy it again with the button beside it in Entra."
    ),
    (ConnectionField.SECRET, ConnectionFault.UNUSABLE): _(
        "That is no Value of a client secret: it is too long, or has signs that none has."
    ),
    (ConnectionField.CERTIFICATE, CertificateFault.TOO_LONG): _(
        "The file is too large. It should have one key and one certificate, and nothing else."
    ),
    (ConnectionField.CERTIFICATE, CertificateFault.NO_KEY): _(
        "The file has no private key. Key and certificate belong into one file of the kind PEM."
    ),
    (ConnectionField.CERTIFICATE, CertificateFault.KEY_LOCKED): _(
        "The private key has a password. Save it without one, and choose the file again."
    ),
    (ConnectionField.CERTIFICATE, CertificateFault.NO_CERTIFICATE): _(
        "The file has no certificate. Key and certificate belong into one file of the kind PEM."
    ),
    (ConnectionField.CERTIFICATE, CertificateFault.OTHER_KIND_OF_KEY): _(
        "Entra takes RSA keys of 2,048 bits or more, and no others. Make a new key and certificate."
    ),
    (ConnectionField.CERTIFICATE, CertificateFault.OTHER_KEY): _(
        "The private key in the file is not that of the certificate."
    ),
    (ConnectionField.CERTIFICATE, CertificateFault.EXPIRED): _(
        "The certificate has expired. Make a new one."
    ),
    (ConnectionField.EXPIRES, ConnectionFault.MISSING): _(
        "Enter the date that stands under Expires in Entra: you are reminded before it."
    ),
    (ConnectionField.EXPIRES, ConnectionFault.NOT_A_DATE): _(
        "That is no date. Write it as year, month and day: 2027-05-31."
    ),
    (ConnectionField.EXPIRES, ConnectionFault.PAST): _(
        "That date has passed. Look at the date under Expires in Entra."
    ),
}

#: What was done just now, by the address that it led to.
_DONE: Final[Mapping[str, LazyString]] = {
    "app": _("The two ids are saved."),
    "secret": _("The client secret is saved. It is not shown again."),
    "certificate": _("The certificate is saved. Its key is not shown again."),
    "date": _("The date is saved."),
    "on": _("The sync is switched on."),
    "off": _("The sync is switched off."),
}


@blueprint.get("/")
def show(tenant: str) -> str:
    """Show each step, and which one is next."""
    return _page(tenant)


@blueprint.post("/app")
def app(tenant: str) -> tuple[str, int] | Response:
    """Enter the directory and the app."""
    tenant_of(tenant)
    sent = submission()
    directory, client_id = (request.form.get(name, "").strip() for name in ("directory", "client_id"))
    faults = app_faults(directory, client_id)
    entered = {"directory": one_line(directory)[:_SHOWN], "client_id": one_line(client_id)[:_SHOWN]}
    if faults:
        return _page(tenant, faults=faults, entered=entered), 422
    try:
        enter_app(
            tenant, directory, client_id, request.form.get("seen", ""), sent, store=hub_services().store
        )
    except ActionRefusedError as error:
        return _refused(tenant, error)
    return redirect(url_for("set_up.show", tenant=tenant, done="app", _anchor="permission"), 303)


@blueprint.post("/secret")
def secret(tenant: str) -> tuple[str, int] | Response:
    """Enter the client secret with its date, or the date of the one that is there."""
    tenant_of(tenant)
    sent, store = submission(), hub_services().store
    value, day = request.form.get("secret", "").strip(), request.form.get("expires", "").strip()
    is_known = store.tenant_connections.get(tenant).secret_set is not None
    found = {
        ConnectionField.SECRET: secret_fault(value, is_known=is_known),
        ConnectionField.EXPIRES: expiry_fault(day, _today()),
    }
    faults = {field: fault for field, fault in found.items() if fault is not None}
    if faults:
        return _page(tenant, faults=faults, entered={"expires": day[:10]}), 422
    new = NewSecret(value=value, expires=read_day(day))
    return _entered(tenant, new, sent, done="secret" if value else "date")


@blueprint.post("/certificate")
def certificate(tenant: str) -> tuple[str, int] | Response:
    """Enter a certificate with its key in the place of the client secret; its date is read from it."""
    tenant_of(tenant)
    sent, file = submission(), request.files.get("certificate")
    # One byte more than is taken, so that a larger file is seen to be too large.
    content = b"" if file is None else file.read(MAX_CERTIFICATE + 1)
    try:
        new = read_new_certificate(content.decode("ascii", "replace"))
    except CertificateError as error:
        return _page(tenant, faults={ConnectionField.CERTIFICATE: error.fault}), 422
    return _entered(tenant, new, sent, done="certificate")


def _entered(tenant: str, new: NewSecret, sent: Submission, *, done: str) -> tuple[str, int] | Response:
    services, seen = hub_services(), request.form.get("seen", "")
    try:
        enter_secret(tenant, new, seen, sent, store=services.store, gateways=services.gateways)
    except ActionRefusedError as error:
        return _refused(tenant, error)
    return redirect(url_for("set_up.show", tenant=tenant, done=done, _anchor="test"), 303)


@blueprint.post("/test")
def test(tenant: str) -> str:
    """Test the connection and show each step; that changes nothing."""
    tenant_of(tenant)
    services = hub_services()
    if services.gateways is None:
        abort(409)
    trial = None
    if services.store.tenant_connections.get(tenant).is_complete:
        trial = try_connection(tenant, store=services.store, gateways=services.gateways, today=_today())
    return _page(tenant, trial=trial)


@blueprint.post("/switch")
def switch_sync(tenant: str) -> tuple[str, int] | Response:
    """Switch the sync on or off."""
    tenant_of(tenant)
    sent, wanted = submission(), request.form.get("sync", "")
    if wanted not in {"on", "off"}:
        abort(400)
    try:
        switch(tenant, sent, is_on=wanted == "on", store=hub_services().store)
    except ActionRefusedError as error:
        return _refused(tenant, error)
    return redirect(url_for("set_up.show", tenant=tenant, done=wanted, _anchor="switch"), 303)


def _refused(tenant: str, error: ActionRefusedError) -> tuple[str, int]:
    status = 412 if error.why is ActionRefusal.CHANGED_MEANWHILE else 422
    steps = [error.result] if isinstance(error, SecretRefusedError) else []
    return _page(tenant, refusal=REFUSALS[error.why], refused=steps), status


def _page(  # noqa: PLR0913 - what was sent, what came of it, and what was found
    tenant: str,
    *,
    faults: Mapping[ConnectionField, ConnectionFault | CertificateFault] | None = None,
    entered: Mapping[str, str] | None = None,
    refusal: LazyString | str = "",
    refused: Any = (),
    trial: ConnectionTrial | None = None,
) -> str:
    tenant_of(tenant)
    services, language = hub_services(), current_language()
    connection = services.store.tenant_connections.get(tenant)
    found = connection.tenant
    expires = found.client_secret_expires
    stored = {
        "directory": found.entra_tenant_id,
        "client_id": found.client_id,
        "expires": "" if expires is None else expires.isoformat(),
    }
    return render_template(
        "set_up/connection.html",
        tenant=found,
        connection=connection,
        entered={**stored, **(entered or {})},
        faults={str(field): _FAULTS[field, fault] for field, fault in (faults or {}).items()},
        refusal=refusal,
        refused=check_texts(refused, language),
        trial=trial,
        checks=check_texts(trial.steps, language) if trial else (),
        done=_DONE.get(request.args.get("done", ""), "") if request.method == "GET" else "",
        can_test=services.gateways is not None,
        key=new_key(),
    )


def _today() -> dt.date:
    return dt.datetime.now(dt.UTC).date()
