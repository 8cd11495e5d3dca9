"""Checks the credentials of many tenants side by side."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from threading import Lock
from typing import TYPE_CHECKING, Any, Final

from administration.tenants.check_steps import CheckResult, CheckStep, Severity
from administration.tenants.connection_check import check_connection
from clients.skolon.server.capabilities import dump_capabilities, load_capabilities
from schemas.crypto.encryption import DecryptionError
from schemas.details.detail import Detail, joined
from schemas.details.kinds import DetailKind

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from clients.gateways import Gateways
    from clients.skolon.server.capabilities import Capabilities
    from store.store import Store

#: Tenants that are checked at a time: most of a check is waiting.
_AT_A_TIME: Final = 8


@dataclass(frozen=True, kw_only=True)
class TenantCheck:
    """The steps of one tenant's check, and what is known of its organisation's server in Skolon after it.

    `found_at` says when each capability was found out (aware, in UTC); the others are assumed.
    """

    tenant: str
    steps: Sequence[CheckResult]
    capabilities: Capabilities | None = None
    found_at: Mapping[str, dt.datetime] = field(default_factory=dict)

    @property
    def severity(self) -> Severity:
        """The worst of what the steps found."""
        found = {step.severity for step in self.steps}
        return next((each for each in (Severity.ERROR, Severity.WARNING) if each in found), Severity.OK)

    def as_json(self) -> dict[str, Any]:
        """Return the JSON object."""
        return {
            "tenant": self.tenant,
            "ok": self.severity is not Severity.ERROR,
            "steps": [step.as_json() for step in self.steps],
            "capabilities": self.capabilities and dump_capabilities(asdict(self.capabilities)),
            "capabilities_found_at": {name: when.isoformat() for name, when in sorted(self.found_at.items())},
        }


def check_tenant(
    tenant: str, *, store: Store, gateways: Gateways, server: str, today: dt.date
) -> TenantCheck:
    """Check a tenant's credentials; nothing is changed. Raises `UsageError` if there is no such tenant.

    `server` is the base URL of Skolon's organisations: what was found out is kept under it.
    """
    record = store.tenants.get(tenant)
    organisation = record.tenant.organisation
    steps = [*check_connection(record, gateways, today)]
    known = gateways.skolon(dry_run=True).capabilities(organisation)
    findings = store.skolon_capabilities(server).load(organisation)
    valid = load_capabilities(findings, dt.datetime.now(dt.UTC))
    found_at = {name: findings[name].found_at for name in valid}
    if found_at:
        steps.append(CheckResult(name=CheckStep.FOUND_OUT, severity=Severity.OK, detail=_by_time(found_at)))
    return TenantCheck(tenant=tenant, steps=steps, capabilities=known, found_at=found_at)


def _by_time(found_at: Mapping[str, dt.datetime]) -> str:
    """Return the names of capabilities by the minutes in which they were found out, the newest first."""
    minutes: defaultdict[str, list[str]] = defaultdict(list)
    for name, when in sorted(found_at.items()):
        minutes[f"{when:%Y-%m-%d %H:%M} UTC"].append(name)
    return joined(
        Detail(DetailKind.FOUND_OUT_AT, time=minute, names=tuple(minutes[minute]))
        for minute in sorted(minutes, reverse=True)
    )


def forget_capabilities(tenants: Sequence[str], *, store: Store, gateways: Gateways) -> None:
    """Forget what was found out about the tenants' servers in Skolon: it is found out again.

    Raises `UsageError` if there is no such tenant.
    """
    for tenant in tenants:
        organisation = store.tenants.outline(tenant).organisation
        gateways.skolon(dry_run=True).forget_capabilities(organisation)


def check_tenants(
    tenants: Sequence[str], *, store: Store, gateways: Gateways, server: str, today: dt.date
) -> Iterator[TenantCheck]:
    """Check tenants side by side, and yield each in the order of `tenants`.

    Of those with one organisation one is checked at a time: a check forgets what is known of its server, and
    finds it out again. A client secret that no key opens is an error of its tenant.
    """
    organisations = {tenant: store.tenants.outline(tenant).organisation for tenant in tenants}
    locks = {organisation: Lock() for organisation in organisations.values()}

    def check(tenant: str) -> TenantCheck:
        try:
            with locks[organisations[tenant]]:
                return check_tenant(tenant, store=store, gateways=gateways, server=server, today=today)
        except DecryptionError as error:
            step = CheckResult(name=CheckStep.SECRET, severity=Severity.ERROR, detail=error.detail)
            return TenantCheck(tenant=tenant, steps=[step])

    with ThreadPoolExecutor(_AT_A_TIME) as pool:
        yield from pool.map(check, tenants)
