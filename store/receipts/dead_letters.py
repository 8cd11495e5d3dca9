"""What receipts note of users that become dead letters."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import JSON, case, func, literal, null

from schemas.details.detail import to_stored
from schemas.outcomes import Outcome
from schemas.runs.changes import format_changes
from store import tables
from store.timestamps import now

if TYPE_CHECKING:
    from schemas.runs.sync_result import Failure, SyncResult


def dead_letter_values(failure: Failure, attempts: int | None) -> dict[str, Any]:
    """Return the columns of a receipt whose message is a dead letter."""
    receipts, collision = tables.receipts, failure.collision
    return {
        "outcome": Outcome.DEAD_LETTERED,
        "reason": failure.reason,
        "stage": failure.stage,
        "detail": to_stored(failure.detail),
        "holder_entra_id": collision and collision.holder_entra_id,
        "contested_skolon_id": collision and collision.skolon_id,
        "holder_tenant": collision and collision.holder_tenant,
        "candidate_skolon_ids": list(failure.candidates) or None,
        "contested_attribute": collision and collision.attribute,
        "attempts": attempts,
        # A replay that fails again does not change since when the user has failed.
        "finished_at": case(
            (receipts.c.outcome == Outcome.DEAD_LETTERED, func.coalesce(receipts.c.finished_at, now())),
            else_=now(),
        ),
    }


def incomplete_values(result: SyncResult) -> dict[str, Any]:
    """Return the columns that say what was written of a user, and what was not.

    What a claim has noted of the changes holds good; a dry run claims nothing.
    """
    receipts = tables.receipts
    values: dict[str, Any] = {
        "skolon_id": func.coalesce(result.skolon_id, receipts.c.skolon_id),
        "unwritten_attributes": sorted(map(str, result.unwritten)),
        "identity_kept": sorted(map(str, result.identity_kept)) or null(),
        "altered_attributes": sorted(map(str, result.altered)) or null(),
        "value_sources": result.value_sources,
        # A user that this run has not claimed is as the version says: so the next run knows what it has been
        # told of that user. What a claim has changed since has another version.
        "skolon_version": case(
            (receipts.c.claimed_at.is_(None), result.skolon_version), else_=receipts.c.skolon_version
        ),
    }
    if result.changed:
        changed = literal(sorted(map(str, result.changed)), JSON())
        values |= {
            "skolon_version": result.skolon_version,
            "changed": func.coalesce(receipts.c.changed, changed),
            "changes": func.coalesce(receipts.c.changes, format_changes(result.change_kinds)),
        }
    return values
