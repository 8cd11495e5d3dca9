"""Two Entra users of one run on one Skolon user: the receipts' unique index finds them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from schemas.runs.collision import Collision
from schemas.users.attributes import Attribute
from store import tables

if TYPE_CHECKING:
    from sqlalchemy import Row

    from store.database import Database


class CollisionError(Exception):
    """Another Entra user of the run has claimed the Skolon user."""

    def __init__(self, skolon_id: str, entra_id: str) -> None:
        super().__init__(f"Skolon user {skolon_id} is claimed by Entra user {entra_id}")
        self.skolon_id = skolon_id
        self.entra_id = entra_id


def collision_of(row: Row[Any]) -> Collision | None:
    """Return what a receipt's row tells of a collision, None if there was none."""
    if row.contested_skolon_id is None:
        return None
    return Collision(
        holder_entra_id=row.holder_entra_id,
        skolon_id=row.contested_skolon_id,
        holder_tenant=row.holder_tenant,
        attribute=row.contested_attribute and Attribute(row.contested_attribute),
    )


def collision(database: Database, run_id: int, skolon_id: str) -> CollisionError:
    """Return the error that names who has the Skolon user."""
    receipts = tables.receipts
    with database.transaction() as connection:
        holder = connection.scalar(
            select(receipts.c.entra_id).where(receipts.c.run_id == run_id, receipts.c.skolon_id == skolon_id)
        )
    return CollisionError(skolon_id, holder or "unknown")
