"""Who was found right in Skolon by the last run that looked: what a run may trust without asking again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import String, cast, select

from schemas.outcomes import VERIFYING_OUTCOMES, Mode
from schemas.runs.sign_in import SignInMatch, ValueMatch
from schemas.runs.totals.kept_blanks import parse_kept_blanks
from schemas.runs.verification import VerifiedReceipt
from schemas.tenants.mapping.sources import restore_sources
from schemas.users.value_sources import NOTHING_REMEMBERED, RememberedSources, parse_value_sources
from store import tables
from store.timestamps import as_utc

if TYPE_CHECKING:
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
            kept_blanks=parse_kept_blanks(row.kept_blanks),
        )

    def value_sources(self, tenant: str, entra_id: str, *, before: int | None = None) -> RememberedSources:
        """Return which source the user's values in Skolon came from.

        That is what the user's last receipt says that says it, dry runs apart, of a run older than `before`.
        If none does, such as those of a user that has always failed, it tells the orders of sources by which
        runs have looked at the user.
        """
        receipts, runs, tenants = tables.receipts, tables.runs, tables.tenants
        of_user = (
            select(receipts.c.value_sources, receipts.c.finished_at, receipts.c.tenant_id, tenants.c.settings)
            .join(tenants, tenants.c.id == receipts.c.tenant_id)
            .join(runs, runs.c.id == receipts.c.run_id)
            .where(
                tenants.c.key == tenant,
                receipts.c.entra_id == entra_id,
                receipts.c.finished_at.is_not(None),
                ~runs.c.dry_run,
            )
        )
        if before is not None:
            of_user = of_user.where(receipts.c.run_id < before)
        last = (
            of_user.where(receipts.c.value_sources.is_not(None)).order_by(receipts.c.run_id.desc()).limit(1)
        )
        with self._database.transaction() as connection:
            told = connection.execute(last).one_or_none()
            if told is not None:
                return RememberedSources(sources=parse_value_sources(told.value_sources))
            first = connection.execute(of_user.order_by(receipts.c.run_id).limit(1)).one_or_none()
            if first is None:
                return NOTHING_REMEMBERED
            changes = tables.mapping_changes
            replaced = select(changes.c.before).where(
                changes.c.tenant_id == first.tenant_id, changes.c.at > first.finished_at
            )
            orders = [*connection.scalars(replaced), first.settings["sources"]]
        return RememberedSources(former_orders=tuple(map(restore_sources, orders)))
