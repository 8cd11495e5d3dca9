"""The SQL of claims: locks receipts, writes claims, finds what comes too late; each for many rows at once."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import JSON, and_, cast, collate, func, or_, select, type_coerce, update

from schemas.outcomes import Status
from store import tables
from store.batch_statements import lookup_join
from store.receipts.work_items import RECEIPT_KEY, is_failure_of_sync, is_superseded

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from sqlalchemy import FromClause, Row, Select, Update

#: A run and an Entra user of it.
Person = tuple[int, str]


@dataclass(frozen=True, kw_only=True)
class NotedClaim:
    """What a receipt says of its claim; `before_image` is encrypted."""

    skolon_id: str | None
    changed: Sequence[str]
    changes: str | None
    before_image: str | None
    is_claimed: bool


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
    newer = is_superseded(
        receipts.c.tenant_id, given.c.entra_id, given.c.run_id, is_failure=is_failure_of_sync(receipts)
    )
    return (
        select(receipts.c.run_id, receipts.c.entra_id)
        .select_from(people)
        .join(runs, runs.c.id == receipts.c.run_id)
        .where(or_(is_cancelled, newer))
    )


def people_rows(people: Iterable[Person]) -> list[dict[str, Any]]:
    """Return users as rows, in one order."""
    return [{"run_id": run_id, "entra_id": entra_id} for run_id, entra_id in sorted(people)]


def noted_claim(row: Row[Any]) -> NotedClaim:
    """Return what a row of `lock_query` says."""
    return NotedClaim(
        skolon_id=row.skolon_id,
        changed=row.changed or (),
        changes=row.changes,
        before_image=row.before_image,
        is_claimed=row.claimed_at is not None,
    )


def claimed_rows(renewed: Mapping[Person, NotedClaim]) -> list[dict[str, Any]]:
    """Return what to write, by Skolon user: those that are to collide wait for others in one order."""
    rows = [
        {
            "run_id": run_id,
            "entra_id": entra_id,
            "skolon_id": noted.skolon_id,
            "changed": json.dumps(noted.changed),
            "changes": noted.changes,
            "before_image": noted.before_image,
        }
        for (run_id, entra_id), noted in renewed.items()
    ]
    return sorted(rows, key=lambda row: (row["run_id"], row["skolon_id"]))
