"""Checks a tenant's credentials step by step."""

from __future__ import annotations

import dataclasses
from itertools import chain
from typing import TYPE_CHECKING, Final

from administration.tenants.check_steps import CheckResult, CheckStep, Severity, fix, try_step
from administration.tenants.skolon_check import check_skolon
from schemas.details.detail import Detail
from schemas.details.kinds import DetailKind
from schemas.errors import Dependency, TransientError
from schemas.outcomes import Cause
from schemas.tenants.credentials.client_certificate import is_certificate
from schemas.tenants.credentials.client_secret import client_secret_fault
from schemas.tenants.selected_properties import selected_properties
from schemas.tenants.tenant import SECRET_EXPIRES_SOON

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterator

    from clients.gateways import Gateways
    from store.tenants.tenants import TenantRecord

_TOKEN_FAILURES: Final = (Cause.ENTRA_CREDENTIALS, Dependency.ENTRA)


def check_connection(record: TenantRecord, gateways: Gateways, today: dt.date) -> list[CheckResult]:
    """Try what a run needs, in order, and return the result of each step. Nothing is changed."""
    return list(connection_steps(record, gateways, today))


def connection_steps(record: TenantRecord, gateways: Gateways, today: dt.date) -> Iterator[CheckResult]:
    """Yield the result of each step as soon as there is one."""
    skolon = gateways.skolon(record.tenant.skolon_target, dry_run=True)
    for step in chain(
        _secret(record),
        _expiry(record, today),
        _entra(record, gateways),
        check_skolon(skolon, record.tenant),
    ):
        yield dataclasses.replace(step, fix=step.fix and fix(step.fix.kind, record.tenant.key))


def _secret(record: TenantRecord) -> Iterator[CheckResult]:
    secret = record.credentials.client_secret
    if is_certificate(secret):
        # It was read when it was entered.
        return
    fault = client_secret_fault(secret)
    if fault is not None:
        yield CheckResult(
            name=CheckStep.SECRET,
            severity=Severity.ERROR,
            detail=fault,
            fix=fix(DetailKind.FIX_SECRET),
        )
        return
    yield CheckResult(
        name=CheckStep.SECRET, severity=Severity.OK, detail=Detail(DetailKind.SECRET_LOOKS_RIGHT)
    )


def _expiry(record: TenantRecord, today: dt.date) -> Iterator[CheckResult]:
    expires = record.tenant.client_secret_expires
    if expires is None:
        return
    days = (expires - today).days
    if days < 0:
        # The date was entered by hand: only Entra knows whether the secret has expired.
        severity, detail = Severity.WARNING, Detail(DetailKind.SECRET_DATE_PASSED, date=f"{expires}")
    elif days <= SECRET_EXPIRES_SOON:
        severity, detail = (
            Severity.WARNING,
            Detail(DetailKind.SECRET_EXPIRES_SOON, date=f"{expires}", days=days),
        )
    else:
        severity, detail = Severity.OK, Detail(DetailKind.SECRET_VALID, date=f"{expires}")
    advice = None if severity is Severity.OK else fix(DetailKind.FIX_SECRET_DATE)
    yield CheckResult(name=CheckStep.SECRET_DATE, severity=severity, detail=detail, fix=advice)


def _entra(record: TenantRecord, gateways: Gateways) -> Iterator[CheckResult]:
    graph = gateways.graph(record.credentials)
    found: list[str] = []

    def read_users() -> str:
        # What was granted a moment ago is in no older token.
        graph.fetch_token()
        page = graph.page(None, selected_properties(record.tenant))
        found.extend(str(user.get("id")) for user in page.users if isinstance(user, dict))
        return Detail(DetailKind.USERS_READABLE, users=graph.count())

    users = try_step(CheckStep.ENTRA_USERS, read_users)
    # Without a token no user can be read: the failure belongs to the token's step.
    if users.failed_at in _TOKEN_FAILURES:
        yield dataclasses.replace(users, name=CheckStep.TOKEN)
        yield CheckResult(
            name=CheckStep.ENTRA_USERS, severity=Severity.SKIPPED, detail=Detail(DetailKind.NEEDS_TOKEN)
        )
    else:
        yield CheckResult(
            name=CheckStep.TOKEN, severity=Severity.OK, detail=Detail(DetailKind.CREDENTIALS_ACCEPTED)
        )
        yield users
    if users.severity is not Severity.OK:
        yield CheckResult(
            name=CheckStep.BIRTHDAYS, severity=Severity.SKIPPED, detail=Detail(DetailKind.USERS_NOT_READABLE)
        )
        return
    if not record.tenant.wants_birthdays or not found:
        yield CheckResult(
            name=CheckStep.BIRTHDAYS,
            severity=Severity.SKIPPED,
            detail=Detail(DetailKind.BIRTHDAYS_NOT_WANTED),
        )
        return
    try:
        problem = graph.birthday(found[0]).problem
    except TransientError as error:
        problem = error.detail
    if problem is None:
        yield CheckResult(
            name=CheckStep.BIRTHDAYS, severity=Severity.OK, detail=Detail(DetailKind.BIRTHDAYS_READABLE)
        )
    else:
        yield CheckResult(
            name=CheckStep.BIRTHDAYS,
            severity=Severity.WARNING,
            detail=Detail(DetailKind.BIRTHDAYS_UNREADABLE, problem=problem),
            fix=fix(DetailKind.FIX_BIRTHDAYS),
        )
