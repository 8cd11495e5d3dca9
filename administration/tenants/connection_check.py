"""Checks a tenant's credentials step by step."""

from __future__ import annotations

import dataclasses
import re
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final

from clients.skolon.capabilities import SearchMethod
from schemas.errors import Dependency, FailureKind, HaltError, PermanentError, TransientError, UpdateSyncError
from schemas.outcomes import Cause
from schemas.tenants.selected_properties import selected_properties
from schemas.tenants.tenant import SECRET_EXPIRES_SOON
from schemas.users.attributes import Attribute

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Iterator

    from clients.gateways import Gateways
    from store.tenants.tenants import TenantRecord

#: Entra's Secret ID, and never a secret's Value, looks like this.
_GUID: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)

#: An External Id that no Skolon user has.
_NO_SUCH_ID: Final = "update-sync-check-that-finds-no-user"


class Severity(StrEnum):
    """How a step ended."""

    OK = "ok"
    WARNING = "warning"
    ERROR = "error"
    SKIPPED = "skipped"


@dataclass(frozen=True, kw_only=True)
class CheckResult:
    """What one step of the check found, and how to fix it."""

    name: str
    severity: Severity
    detail: str
    fix: str | None = None
    #: Why it failed, if the error names a cause or a system.
    failed_at: Cause | Dependency | None = None

    def as_json(self) -> dict[str, Any]:
        """Return it as JSON."""
        return {"step": self.name, "severity": str(self.severity), "detail": self.detail, "fix": self.fix}


_TOKEN_FAILURES: Final = (Cause.ENTRA_CREDENTIALS, Dependency.ENTRA)

#: What to do about a service that does not answer, and about one whose certificate is not trusted.
_FIX_AWAY: Final = "try again later; if it keeps failing, check the network, the proxy and the addresses"
_FIX_TLS: Final = (
    "if an authority of your own, or a proxy's, has issued the certificate, name its file in "
    "UPDATE_SYNC_CA_BUNDLE; otherwise check the address"
)

_ENTRA_APP: Final = "Entra admin centre > App registrations > the app > Certificates & secrets"
_FIXES: Final = {
    Cause.ENTRA_CREDENTIALS: (
        f"{_ENTRA_APP}; then: update-sync tenants set TENANT --client-secret. Directory (tenant) id "
        "and client id are on the app's overview page"
    ),
    Cause.ENTRA_PERMISSION: (
        "Entra admin centre > App registrations > the app > API permissions: add Microsoft Graph, "
        "application permission User.Read.All, and grant admin consent"
    ),
    Cause.GRAPH_QUERY: "UPDATE_SYNC_GRAPH_URL; if that is right, report it as a bug",
    Cause.SKOLON_CREDENTIALS: (
        "UPDATE_SYNC_SKOLON_SCIM_URL, …_SKOLON_TOKEN or …_SKOLON_CLIENT_ID and …_SECRET, and the tenant's "
        "organisation"
    ),
    Cause.SKOLON_SEARCH: (
        "give Skolon what this says: the sync needs a search for one value (RFC 7644 section 3.4.2.2)"
    ),
    Cause.SKOLON_PERMISSION: "ask Skolon to give the credentials the right to read and change the users",
}


def check_connection(record: TenantRecord, gateways: Gateways, today: dt.date) -> list[CheckResult]:
    """Try what a run needs, in order, and return the result of each step. Nothing is changed."""
    steps = [_secret(record), *_expiry(record, today)]
    entra = list(_entra(record, gateways))
    steps = [*steps, *entra, _skolon(record, gateways)]
    key = record.tenant.key
    return [dataclasses.replace(step, fix=step.fix and step.fix.replace("TENANT", key)) for step in steps]


def _secret(record: TenantRecord) -> CheckResult:
    if _GUID.fullmatch(record.credentials.client_secret.strip()):
        return CheckResult(
            name="client secret",
            severity=Severity.ERROR,
            detail="it looks like a GUID, as a Secret ID does: the secret's Value is needed",
            fix=f"{_ENTRA_APP}: copy the Value of a new secret (it is shown only once)",
        )
    return CheckResult(name="client secret", severity=Severity.OK, detail="looks like a secret's Value")


def _expiry(record: TenantRecord, today: dt.date) -> Iterator[CheckResult]:
    expires = record.tenant.client_secret_expires
    if expires is None:
        return
    days = (expires - today).days
    if days < 0:
        # The date was entered by hand: only Entra knows whether the secret has expired.
        severity, detail = Severity.WARNING, f"entered as expiring on {expires}, which has passed"
    elif days <= SECRET_EXPIRES_SOON:
        severity, detail = Severity.WARNING, f"expires on {expires}, in {days} days"
    else:
        severity, detail = Severity.OK, f"valid until {expires}"
    fix = None if severity is Severity.OK else f"{_ENTRA_APP}: make a new one, and set it with its date"
    yield CheckResult(name="client secret's date", severity=severity, detail=detail, fix=fix)


def _entra(record: TenantRecord, gateways: Gateways) -> Iterator[CheckResult]:
    graph = gateways.graph(record.credentials)
    found: list[str] = []

    def read_users() -> str:
        page = graph.page(None, selected_properties(record.tenant))
        found.extend(str(user.get("id")) for user in page.users if isinstance(user, dict))
        return f"{graph.count()} users can be read, with all that the mapping needs"

    users = _try("users in Entra", read_users)
    # Without a token no user can be read: the failure belongs to the token's step.
    if users.failed_at in _TOKEN_FAILURES:
        yield dataclasses.replace(users, name="token from Entra")
        yield CheckResult(name="users in Entra", severity=Severity.SKIPPED, detail="needs a token")
    else:
        yield CheckResult(
            name="token from Entra", severity=Severity.OK, detail="Entra accepts the client id and secret"
        )
        yield users
    if users.severity is not Severity.OK:
        yield CheckResult(name="birthdays", severity=Severity.SKIPPED, detail="users could not be read")
        return
    if not record.tenant.wants_birthdays or not found:
        yield CheckResult(
            name="birthdays", severity=Severity.SKIPPED, detail="not wanted, or there are no users"
        )
        return
    try:
        problem = graph.birthday(found[0]).problem
    except TransientError as error:
        problem = error.detail
    if problem is None:
        yield CheckResult(name="birthdays", severity=Severity.OK, detail="can be read")
    else:
        yield CheckResult(
            name="birthdays",
            severity=Severity.WARNING,
            detail=f"cannot be read ({problem}); birth dates stay as they are",
            fix="update-sync tenants set TENANT --no-birthdays, if they are not wanted",
        )


def _skolon(record: TenantRecord, gateways: Gateways) -> CheckResult:
    organisation = record.tenant.organisation
    skolon = gateways.skolon(dry_run=True)

    def search() -> str:
        # What was found out some time ago proves nothing now.
        skolon.forget_capabilities(organisation)
        skolon.search(organisation, {Attribute.EXTERNAL_ID: _NO_SUCH_ID})
        return "the organisation's users can be searched"

    step = _try("users in Skolon", search)
    if step.severity is not Severity.OK:
        return step
    if skolon.capabilities(organisation).method is SearchMethod.POST:
        return dataclasses.replace(step, detail=f"{step.detail}; searches by POST /.search")
    return dataclasses.replace(
        step,
        severity=Severity.WARNING,
        detail=f"{step.detail}; searches by GET: filters, which hold e-mail addresses and personal numbers, "
        "stand in URLs",
        fix="ask Skolon to take POST /Users/.search (RFC 7644 section 3.4.3), and until then to keep URLs "
        "out of the logs of its servers and proxies",
    )


def _try(name: str, attempt: Callable[[], str]) -> CheckResult:
    failed = CheckResult(name=name, severity=Severity.ERROR, detail="")
    try:
        return CheckResult(name=name, severity=Severity.OK, detail=attempt())
    except HaltError as error:
        return dataclasses.replace(
            failed, detail=error.detail, fix=_FIXES.get(error.cause), failed_at=error.cause
        )
    except TransientError as error:
        fix = _FIX_TLS if error.kind is FailureKind.TLS else _FIX_AWAY
        detail = f"could not be tried: {error.detail}"
        return dataclasses.replace(failed, detail=detail, fix=fix, failed_at=error.dependency)
    except PermanentError as error:
        return dataclasses.replace(failed, detail=error.detail, fix="report it")
    except UpdateSyncError as error:
        return dataclasses.replace(failed, detail=str(error))
