"""A step of a tenant's check: what it found, and how to fix it."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final

from schemas.errors import Dependency, FailureKind, HaltError, PermanentError, TransientError, UpdateSyncError
from schemas.outcomes import Cause

if TYPE_CHECKING:
    from collections.abc import Callable


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


#: What to do about a service that does not answer, and about one whose certificate is not trusted.
_FIX_AWAY: Final = "try again later; if it keeps failing, check the network, the proxy and the addresses"
_FIX_TLS: Final = (
    "if an authority of your own, or a proxy's, has issued the certificate, name its file in "
    "UPDATE_SYNC_CA_BUNDLE; otherwise check the address"
)

#: Where an app's secret is, in the words of Entra's pages.
ENTRA_APP: Final = "Entra admin centre > App registrations > the app > Certificates & secrets"
_FIXES: Final = {
    Cause.ENTRA_CREDENTIALS: (
        f"{ENTRA_APP}; then: update-sync tenants set TENANT --client-secret. Directory (tenant) id "
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


def try_step(name: str, attempt: Callable[[], str]) -> CheckResult:
    """Return the result of a step: the text that `attempt` returns, or the error that it raises."""
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
