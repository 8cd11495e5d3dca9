"""The connection to Entra: the app and its secret are entered, and the sync is switched on."""

from __future__ import annotations

import datetime as dt
import hashlib
import re
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final

from administration.hub.actions import carry_out
from administration.tenants.check_steps import CheckResult, CheckStep, Severity, try_step
from schemas.details.kinds import DetailKind
from schemas.errors import Dependency
from schemas.fields import is_object_id
from schemas.hub.action import Action, ActionRefusal, ActionRefusedError
from schemas.hub.session import AuditKind
from schemas.safe_text import is_storable
from schemas.tenants.credentials.client_certificate import is_certificate, read_certificate
from schemas.tenants.credentials.client_secret import MAX_SECRET, client_secret_fault
from schemas.tenants.tenant import Credentials

if TYPE_CHECKING:
    from collections.abc import Mapping

    from clients.gateways import Gateways
    from schemas.hub.action import Submission
    from store.store import Store
    from store.tenants.connections import TenantConnection

#: A directory can be named by a domain of its own, too.
_DOMAIN: Final = re.compile(r"[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63}){1,3}\Z", re.ASCII)


class ConnectionField(StrEnum):
    """What is entered, by the names of the settings."""

    DIRECTORY = "entra_tenant_id"
    CLIENT = "client_id"
    SECRET = "client_secret"  # noqa: S105 - the name of a field, no secret
    CERTIFICATE = "certificate"
    EXPIRES = "client_secret_expires"


class ConnectionFault(StrEnum):
    """What is wrong with what was entered."""

    #: No GUID, and for a directory no domain.
    NOT_AN_ID = "not_an_id"
    #: The app's id is the directory's.
    SAME_ID = "same_id"
    MISSING = "missing"
    #: A GUID is the id of a secret, and not its Value.
    SECRET_ID = "secret_id"  # noqa: S105 - a word, no secret
    WHITE_SPACE = "white_space"
    UNUSABLE = "unusable"
    NOT_A_DATE = "not_a_date"
    PAST = "past"


Faults = dict[ConnectionField, ConnectionFault]


class SecretRefusedError(ActionRefusedError):
    """Entra did not take a new client secret, or was not there; `result` is what a test would say."""

    def __init__(self, result: CheckResult) -> None:
        is_away = result.failed_at in (Dependency.ENTRA, Dependency.GRAPH)
        why = ActionRefusal.ENTRA_AWAY if is_away else ActionRefusal.SECRET_REFUSED
        super().__init__(why, "Entra has not accepted it, so the former client secret stays in use.")
        self.result = result


@dataclass(frozen=True, kw_only=True)
class NewSecret:
    """A client secret and the day on which it expires; without a `value` the stored one keeps its own.

    The `value` may be a certificate with its key.
    """

    value: str
    expires: dt.date | None


def app_faults(directory: str, client_id: str) -> Faults:
    """Return what is wrong with the ids of a directory and an app."""
    faults: Faults = {}
    if not is_object_id(directory) and not _DOMAIN.match(directory):
        faults[ConnectionField.DIRECTORY] = ConnectionFault.NOT_AN_ID
    if not is_object_id(client_id):
        faults[ConnectionField.CLIENT] = ConnectionFault.NOT_AN_ID
    elif client_id.lower() == directory.lower():
        faults[ConnectionField.CLIENT] = ConnectionFault.SAME_ID
    return faults


def secret_fault(secret: str, *, is_known: bool) -> ConnectionFault | None:
    """Return what is wrong with a secret; one that `is_known` already may be left blank."""
    if not secret:
        return None if is_known else ConnectionFault.MISSING
    if is_certificate(secret):
        # It is entered as a file, for in a field of one line it would lose its lines.
        return ConnectionFault.UNUSABLE
    detail = client_secret_fault(secret)
    if detail is not None:
        is_id = detail.kind is DetailKind.SECRET_IS_GUID
        return ConnectionFault.SECRET_ID if is_id else ConnectionFault.WHITE_SPACE
    usable = len(secret) <= MAX_SECRET and secret.isprintable() and is_storable(secret)
    return None if usable else ConnectionFault.UNUSABLE


def read_new_certificate(text: str) -> NewSecret:
    """Return a certificate with its key as what takes a client secret's place; raises `CertificateError`."""
    certificate = read_certificate(text, dt.datetime.now(dt.UTC))
    return NewSecret(value=certificate.pem, expires=certificate.expires)


def expiry_fault(text: str, today: dt.date) -> ConnectionFault | None:
    """Return what is wrong with the day on which a secret expires."""
    if not text:
        return ConnectionFault.MISSING
    day = read_day(text)
    if day is None:
        return ConnectionFault.NOT_A_DATE
    return ConnectionFault.PAST if day < today else None


def read_day(text: str) -> dt.date | None:
    """Return a day as browsers send it (YYYY-MM-DD), None if it is none."""
    try:
        return dt.date.fromisoformat(text) if re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text) else None
    except ValueError:
        return None


def enter_app(  # noqa: PLR0913 - what is entered, what it was before, and who enters it
    tenant: str, directory: str, client_id: str, seen: str | None, submission: Submission, *, store: Store
) -> None:
    """Enter the directory and the app, which have no faults.

    `seen` is the connection's state that the form was made for; None for whatever it is. Raises
    `ActionRefusedError` if it is another one by now, or the sync is switched on, and as `carry_out` does.
    """
    wanted = {"entra_tenant_id": directory, "client_id": client_id}
    action = _action(AuditKind.APP_CHANGED, tenant, submission, seen=seen, **wanted)

    def change() -> dict[str, Any]:
        found = store.tenant_connections.get(tenant)
        if (found.tenant.entra_tenant_id, found.tenant.client_id) == (directory, client_id):
            return {}
        _check_state(found, seen)
        if found.tenant.enabled:
            raise ActionRefusedError(ActionRefusal.SWITCHED_ON, "Switch the sync off first.")
        store.tenants.change(tenant, wanted, version=found.version)
        return {}

    carry_out(action, submission.actor, change, store=store)


def enter_secret(  # noqa: PLR0913 - what is entered, what it was before, who enters it, and who judges it
    tenant: str,
    secret: NewSecret,
    seen: str | None,
    submission: Submission,
    *,
    store: Store,
    gateways: Gateways | None,
) -> None:
    """Enter a client secret, which has no fault, with its date; or the date of the one that is there.

    While the sync is switched on, a secret takes the place of the one in use only if Entra accepts it; else
    it raises `SecretRefusedError`. Raises `ActionRefusedError` as `enter_app` does.
    """
    action = _action(
        AuditKind.SECRET_SET,
        tenant,
        submission,
        seen=seen,
        expires=str(secret.expires),
        # The form's key is for this secret alone; the digest tells nothing of it to who has not got it.
        secret=hashlib.sha256(f"{submission.key} {secret.value}".encode()).hexdigest(),
    )

    def change() -> dict[str, Any]:
        found = store.tenant_connections.get(tenant)
        stored = store.tenants.get(tenant).credentials
        changes: dict[str, Any] = {
            "client_secret_expires": None if secret.expires is None else secret.expires.isoformat()
        }
        if secret.value:
            changes["client_secret"] = secret.value
        has_day = secret.expires == found.tenant.client_secret_expires
        if has_day and secret.value in ("", stored.client_secret):
            return {}
        _check_state(found, seen)
        if secret.value and found.tenant.enabled and gateways is not None:
            credentials = Credentials(
                directory=stored.directory, client_id=stored.client_id, client_secret=secret.value
            )
            result = _try_credentials(credentials, gateways)
            if result.severity is not Severity.OK:
                raise SecretRefusedError(result)
        store.tenants.change(tenant, changes, version=found.version)
        return {}

    carry_out(action, submission.actor, change, store=store)


def switch(tenant: str, submission: Submission, *, is_on: bool, store: Store) -> None:
    """Switch the sync on or off; raises `ActionRefusedError` if its connection is not set up."""
    kind = AuditKind.SYNC_SWITCHED_ON if is_on else AuditKind.SYNC_SWITCHED_OFF

    def change() -> dict[str, Any]:
        store.tenants.change(tenant, {"enabled": is_on})
        return {}

    carry_out(_action(kind, tenant, submission), submission.actor, change, store=store)


def _action(kind: AuditKind, tenant: str, submission: Submission, **fields: str | None) -> Action:
    known: Mapping[str, Any] = fields
    return Action(kind=kind, tenant=tenant, key=submission.key, fields=known)


def _check_state(found: TenantConnection, seen: str | None) -> None:
    if seen is not None and found.state != seen:
        raise ActionRefusedError(
            ActionRefusal.CHANGED_MEANWHILE, "The connection was changed in the meantime: read it again."
        )


def _try_credentials(credentials: Credentials, gateways: Gateways) -> CheckResult:
    def fetch() -> str:
        gateways.graph(credentials).fetch_token()
        return ""

    return try_step(CheckStep.TOKEN, fetch)
