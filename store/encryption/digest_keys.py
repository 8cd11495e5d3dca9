"""By which keys the traces in receipts are made: those of older keys are found only while these are kept."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import and_, func, not_, or_, select

from store import tables
from store.reports.users import full_run

if TYPE_CHECKING:
    from schemas.crypto.blind_index import BlindIndex
    from store.database import Database


@dataclass(frozen=True, kw_only=True)
class DigestKeyStatus:
    """Of how many people of a tenant, in the last complete full run or since, traces need an older key.

    `identity_digests` find equal EPPNs and personal numbers, `verifications` tell whether a receipt is
    trusted. The next full run makes both anew.
    """

    tenant: str
    identity_digests: int
    verifications: int

    def as_json(self) -> dict[str, Any]:
        """Return it for programs."""
        return {
            "tenant": self.tenant,
            "identity_digests": self.identity_digests,
            "verifications": self.verifications,
        }


def digest_key_status(database: Database, index: BlindIndex) -> list[DigestKeyStatus]:
    """Return how each tenant's traces stand."""
    tenants, receipts = tables.tenants, tables.receipts

    def older(column: Any) -> Any:
        return and_(column.is_not(None), not_(column.startswith(index.key_id, autoescape=True)))

    found = []
    with database.transaction() as connection:
        for row in connection.execute(select(tenants.c.id, tenants.c.key).order_by(tenants.c.key)).all():
            since = full_run(connection, row.id) or 0
            people = and_(receipts.c.tenant_id == row.id, receipts.c.run_id >= since)
            digests = receipts.c.eppn_digest, receipts.c.ssn_digest, receipts.c.mail_digest
            marked = or_(*map(older, digests))
            counts = [
                connection.scalar(select(func.count(receipts.c.entra_id.distinct())).where(people, condition))
                for condition in (marked, older(receipts.c.verified_fingerprint))
            ]
            found.append(
                DigestKeyStatus(tenant=row.key, identity_digests=counts[0] or 0, verifications=counts[1] or 0)
            )
    return found
