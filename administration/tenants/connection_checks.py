"""Checks the credentials of many tenants side by side."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from threading import Lock
from typing import TYPE_CHECKING, Any, Final

from administration.tenants.check_steps import CheckResult, Severity
from administration.tenants.connection_check import check_connection
from clients.skolon.capabilities import dump_capabilities
from schemas.crypto.encryption import DecryptionError

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterator, Sequence

    from clients.gateways import Gateways
    from clients.skolon.capabilities import Capabilities
    from store.store import Store

#: Tenants that are checked at a time: most of a check is waiting.
_AT_A_TIME: Final = 8


@dataclass(frozen=True, kw_only=True)
class TenantCheck:
    """The steps of one tenant's check, and what is known of its organisation's server in Skolon after it."""

    tenant: str
    steps: Sequence[CheckResult]
    capabilities: Capabilities | None = None

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
        }


def check_tenant(tenant: str, *, store: Store, gateways: Gateways, today: dt.date) -> TenantCheck:
    """Check a tenant's credentials; nothing is changed. Raises `UsageError` if there is no such tenant."""
    record = store.tenants.get(tenant)
    steps = check_connection(record, gateways, today)
    known = gateways.skolon(dry_run=True).capabilities(record.tenant.organisation)
    return TenantCheck(tenant=tenant, steps=steps, capabilities=known)


def forget_capabilities(tenants: Sequence[str], *, store: Store, gateways: Gateways) -> None:
    """Forget what was found out about the tenants' servers in Skolon: it is found out again.

    Raises `UsageError` if there is no such tenant.
    """
    for tenant in tenants:
        organisation = store.tenants.outline(tenant).organisation
        gateways.skolon(dry_run=True).forget_capabilities(organisation)


def check_tenants(
    tenants: Sequence[str], *, store: Store, gateways: Gateways, today: dt.date
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
                return check_tenant(tenant, store=store, gateways=gateways, today=today)
        except DecryptionError as error:
            step = CheckResult(name="client secret", severity=Severity.ERROR, detail=str(error))
            return TenantCheck(tenant=tenant, steps=[step])

    with ThreadPoolExecutor(_AT_A_TIME) as pool:
        yield from pool.map(check, tenants)
