"""The SQL of claims: locks receipts, writes claims, finds what comes too late; each for many rows at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import JSON, and_, cast, collate, func, or_, select, type_coerce, update

from schemas.outcomes import Status
from store import tables
from store.batch_statements import lookup_join
from store.receipts.work_items import RECEIPT_KEY, is_superseded

if TYPE_CHECKING:
    from sqlalchemy import FromClause, Select, Update


def lock_query(given: FromClause, *, is_sqlite: bool) -> Select[Any]:
    """Return the query of what open receipts note of their claims; it keeps them as they are."""
    receipts = tables.receipts
    query = (
        select(
            receipts.c.run_id,
            receipts.c.entra_id,
            receipts.c.skolon_id,
            receipts.c.changed,
            receipts.c.changes,
            receipts.c.before_image,
            receipts.c.claimed_at,
        )
        .select_from(given)
        .join(receipts, and_(receipts.c.run_id == given.c.run_id, receipts.c.entra_id == given.c.entra_id))
        .where(tables.awaits_outcome(receipts))
    )
    if is_sqlite:
        return query
    # In one order, so that two workers with the same people do not lock each other out; in the one of
    # code points, in which outcomes are written too.
    in_order = query.order_by(receipts.c.run_id, collate(receipts.c.entra_id, "C"))
    return in_order.with_for_update(of=receipts)


def renew_statement(given: FromClause, *, is_sqlite: bool) -> Update:
    """Return the statement that writes claims into their receipts."""
    receipts = tables.receipts
    as_json: Any = type_coerce if is_sqlite else cast
    return (
        update(receipts)
        .where(receipts.c.run_id == given.c.run_id, receipts.c.entra_id == given.c.entra_id)
        .values(
            skolon_id=given.c.skolon_id,
            changed=as_json(given.c.changed, JSON()),
            changes=given.c.changes,
            before_image=given.c.before_image,
            claimed_at=func.now(),
        )
    )


def too_late_query(given: FromClause, *, is_sqlite: bool) -> Select[Any]:
    """Return those that a newer run has published, or whose run is cancelled if they are not replayed."""
    runs = tables.runs
    people, receipts = lookup_join(given, tables.receipts, *RECEIPT_KEY, is_sqlite=is_sqlite)
    is_cancelled = and_(runs.c.status == Status.CANCELLED, ~receipts.c.replaying)
    newer = is_superseded(receipts.c.tenant_id, given.c.entra_id, given.c.run_id)
    return (
        select(receipts.c.run_id, receipts.c.entra_id)
        .select_from(people)
        .join(runs, runs.c.id == receipts.c.run_id)
        .where(or_(is_cancelled, newer))
    )
