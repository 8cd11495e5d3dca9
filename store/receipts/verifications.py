"""Who was found right in Skolon by the last run that looked: what a run may trust without asking again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import String, cast, select

from schemas.outcomes import VERIFYING_OUTCOMES, Mode
from schemas.runs.sign_in import SignInMatch, ValueMatch
from schemas.runs.verification import VerifiedReceipt
from schemas.users.value_sources import parse_later_sources
from store import tables
from store.timestamps import as_utc

if TYPE_CHECKING:
    from schemas.users.attributes import Attribute
    from store.database import Database


class Verifications:
    """What receipts say of Skolon's users; may be shared by threads."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def last(self, run_id: int, entra_id: str) -> VerifiedReceipt | None:
        """Return what the person's last receipt before a run confirms; None when nothing may be trusted.

        Only full runs of all users trust, unless they are to be thorough. The last receipt is that of the
        newest run before, whatever it says, dry ones apart: after a dead letter, an undo or a change that
        is still being processed nothing is trusted.
        """
        receipts, runs = tables.receipts, tables.runs
        mine, this = tables.receipts.alias(), tables.runs.alias()
        query = (
            select(receipts)
            .join(runs, runs.c.id == receipts.c.run_id)
            .join(mine, mine.c.tenant_id == receipts.c.tenant_id)
            .join(this, this.c.id == mine.c.run_id)
            .where(
                mine.c.run_id == run_id,
                mine.c.entra_id == entra_id,
                # It has been processed before: what is there may be ours, or half done.
                mine.c.claimed_at.is_(None),
                mine.c.operation_id.is_(None),
                this.c.mode == Mode.FULL,
                ~this.c.recheck_all,
                cast(this.c.users, String) == "[]",
                receipts.c.entra_id == entra_id,
                receipts.c.run_id < run_id,
                ~runs.c.dry_run,
            )
            .order_by(receipts.c.run_id.desc())
            .limit(1)
        )
        with self._database.transaction() as connection:
            row = connection.execute(query).one_or_none()
        if (
            row is None
            or row.outcome not in VERIFYING_OUTCOMES
            or row.replaying
            or None in (row.verified_fingerprint, row.verified_at, row.skolon_id)
        ):
            return None
        return VerifiedReceipt(
            fingerprint=row.verified_fingerprint,
            verified_at=as_utc(row.verified_at),
            skolon_id=row.skolon_id,
            skolon_version=row.skolon_version,
            sign_in=SignInMatch(
                email=row.email_match and ValueMatch(row.email_match),
                idp_identifier=row.idp_identifier_match and ValueMatch(row.idp_identifier_match),
            ),
        )

    def later_sources(
        self, tenant: str, entra_id: str, *, before: int | None = None
    ) -> dict[Attribute, str] | None:
        """Return which values come from a later source than their attribute's first, None if unknown.

        That is what the user's last receipt says that says it, dry runs apart, of a run older than `before`.
        """
        receipts, runs, tenants = tables.receipts, tables.runs, tables.tenants
        query = (
            select(receipts.c.later_sources)
            .join(tenants, tenants.c.id == receipts.c.tenant_id)
            .join(runs, runs.c.id == receipts.c.run_id)
            .where(
                tenants.c.key == tenant,
                receipts.c.entra_id == entra_id,
                receipts.c.later_sources.is_not(None),
                ~runs.c.dry_run,
            )
            .order_by(receipts.c.run_id.desc())
            .limit(1)
        )
        if before is not None:
            query = query.where(receipts.c.run_id < before)
        with self._database.transaction() as connection:
            text = connection.scalar(query)
        return None if text is None else parse_later_sources(text)
