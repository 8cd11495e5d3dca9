"""A step of a tenant's check: what it found, and how to fix it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from schemas.details.detail import Detail, as_detail, structured_json
from schemas.details.kinds import DetailKind
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


class CheckStep(StrEnum):
    """The steps, by the names that commands print."""

    SECRET = "client secret"  # noqa: S105 - as below
    SECRET_DATE = "client secret's date"  # noqa: S105 - as below
    TOKEN = "token from Entra"  # noqa: S105 - the name of a step
    ENTRA_USERS = "users in Entra"
    BIRTHDAYS = "birthdays"
    SKOLON_USERS = "users in Skolon"
    MATCH_KEYS = "match keys in Skolon"
    SEVERAL_VALUES = "several values in one search"
    PAGES = "pages in Skolon"
    ONE_USER = "one user in Skolon"
    DESCRIPTION = "what Skolon says of itself"
    UPDATES = "updates in Skolon"
    FOUND_OUT = "found out about Skolon"


@dataclass(frozen=True, kw_only=True)
class CheckResult:
    """What one step of the check found, and how to fix it."""

    name: CheckStep
    severity: Severity
    detail: str
    fix: Detail | None = None
    #: Why it failed, if the error names a cause or a system.
    failed_at: Cause | Dependency | None = None

    def as_json(self) -> dict[str, Any]:
        """Return it as JSON."""
        return {
            "step": str(self.name),
            "severity": str(self.severity),
            "detail": self.detail,
            "structured_detail": structured_json(self.detail),
            "fix": self.fix,
            "structured_fix": structured_json(self.fix),
        }


#: Stands for the tenant in a fix, until the check names it.
_ANY_TENANT: Final = "TENANT"

_FIXES: Final = {
    Cause.ENTRA_CREDENTIALS: DetailKind.FIX_CREDENTIALS,
    Cause.ENTRA_PERMISSION: DetailKind.FIX_PERMISSION,
    Cause.GRAPH_QUERY: DetailKind.FIX_GRAPH_ADDRESS,
    Cause.SKOLON_CREDENTIALS: DetailKind.FIX_SKOLON_CREDENTIALS,
    Cause.SKOLON_SEARCH: DetailKind.FIX_SKOLON_SEARCH,
    Cause.SKOLON_PERMISSION: DetailKind.FIX_SKOLON_PERMISSION,
}


def fix(kind: DetailKind, tenant: str = _ANY_TENANT) -> Detail:
    """Return how to fix something, for the tenant of that key."""
    return Detail(kind, tenant=tenant)


def try_step(name: CheckStep, attempt: Callable[[], str]) -> CheckResult:
    """Return the result of a step: the text that `attempt` returns, or the error that it raises."""
    failed = partial(CheckResult, name=name, severity=Severity.ERROR)
    try:
        return CheckResult(name=name, severity=Severity.OK, detail=attempt())
    except HaltError as error:
        kind = _FIXES.get(error.cause)
        advice = None if kind is None else fix(kind)
        return failed(detail=error.detail, fix=advice, failed_at=error.cause)
    except TransientError as error:
        advice = fix(DetailKind.FIX_TLS if error.kind is FailureKind.TLS else DetailKind.FIX_AWAY)
        detail = Detail(DetailKind.NOT_TRIED, problem=error.detail)
        return failed(detail=detail, fix=advice, failed_at=error.dependency)
    except PermanentError as error:
        return failed(detail=error.detail, fix=fix(DetailKind.FIX_REPORT))
    except UpdateSyncError as error:
        return failed(detail=as_detail(error.args[0]))
