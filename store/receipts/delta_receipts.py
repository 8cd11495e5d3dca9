"""Receipts of the users of a delta page: changed ones are processed, removed ones only recorded."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import select, update

from schemas.details.detail import to_stored
from schemas.outcomes import NotFoundReason, Outcome
from schemas.runs.sync_result import NO_LONGER_IN_ENTRA
from store import tables
from store.runs.delta_state import discard_delta_link
from store.timestamps import now

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime

    from sqlalchemy import Connection

    from store.database import Database
    from store.receipts.receipts import Receipts


class DeltaReceipts:
    """What a delta's pages mean for the receipts; may be shared by threads."""

    def __init__(self, database: Database, receipts: Receipts) -> None:
        self._database = database
        self._receipts = receipts

    def create_pending(self, run_id: int, changed: Collection[str], removed: Collection[str]) -> set[str]:
        """Write a pending receipt for each changed user and a final one for each removed; return the pending.

        A user who has a receipt in this run already is told of once more, and maybe with newer values,
        which may come too late for this run. Then the run leaves no link behind, and the next one goes on
        from where this one did. Raises `NotYetError` when the run is not being read any more.
        """
        if not (changed or removed):
            return set()
        receipts, moment = tables.receipts, now()
        gone = {
            "outcome": NO_LONGER_IN_ENTRA.outcome,
            "not_found_reason": NO_LONGER_IN_ENTRA.not_found_reason,
            "detail": to_stored(NO_LONGER_IN_ENTRA.detail),
            "finished_at": moment,
        }
        with self._database.transaction() as connection:
            if changed:
                values = {"outcome": Outcome.PENDING, "published_at": moment}
                self._receipts.insert(connection, run_id, changed, values)
            if removed:
                self._receipts.insert(connection, run_id, removed, {**gone, "published_at": moment})
            self._note_repetition(connection, run_id, {*changed, *removed}, moment)
            of_changed = receipts.c.run_id == run_id, receipts.c.entra_id.in_(changed)
            # An earlier page has had them removed, this one has them back: order is not promised.
            connection.execute(
                update(receipts)
                .where(*of_changed, receipts.c.not_found_reason == NotFoundReason.NO_LONGER_IN_ENTRA)
                .values(outcome=Outcome.PENDING, not_found_reason=None, detail=None, finished_at=None)
            )
            pending = select(receipts.c.entra_id).where(*of_changed, receipts.c.outcome == Outcome.PENDING)
            return set(connection.scalars(pending))

    def _note_repetition(
        self, connection: Connection, run_id: int, entra_ids: Collection[str], moment: datetime
    ) -> None:
        receipts = tables.receipts
        earlier = select(receipts.c.entra_id).where(
            receipts.c.run_id == run_id,
            receipts.c.entra_id.in_(entra_ids),
            receipts.c.published_at != moment,
        )
        if connection.execute(earlier.limit(1)).first() is not None:
            discard_delta_link(connection, run_id)
