"""Users that a run could not bring up to date: each delta run reads some of them again by id.

A delta tells of users that changed in Entra. What was corrected in Skolon, such as a missing user or a
doubled address, it never tells. Neither does it tell what an administrator has decided about a match. The
table is brought up to date in the transaction that ends a run whose users all have their outcome, by three
statements for all of its users, and in the one that makes a decision or takes it back.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import and_, delete, exists, literal, null, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite

from schemas.outcomes import NOT_MISSING_IN_SKOLON, Mode, Outcome
from schemas.users.graph_user import PLACEHOLDER_PREFIX
from store import tables
from store.timestamps import now

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from sqlalchemy import Connection, Select

    from store.database import Database

_RESOLVED: Final = (Outcome.UPDATED, Outcome.UNCHANGED, Outcome.OUT_OF_SCOPE)


class UnresolvedUsers:
    """The table of unresolved users; may be shared by threads."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def due(self, run_id: int, *, limit: int) -> Sequence[str]:
        """Return the users of the run's tenant to read again, those first that were tried longest ago.

        Users that the run has from elsewhere are not among them. The answer stays the same while the run is
        open, but for users that it gets from elsewhere meanwhile.
        """
        unresolved, receipts, runs = tables.unresolved_users, tables.receipts, tables.runs
        has_receipt = exists().where(
            receipts.c.run_id == run_id,
            receipts.c.entra_id == unresolved.c.entra_id,
            ~receipts.c.read_again,
        )
        query = (
            select(unresolved.c.entra_id)
            .join(runs, runs.c.tenant_id == unresolved.c.tenant_id)
            .where(runs.c.id == run_id, ~has_receipt)
            .order_by(unresolved.c.tried_at, unresolved.c.entra_id)
            .limit(limit)
        )
        with self._database.transaction() as connection:
            return connection.scalars(query).all()


def record_unresolved(connection: Connection, run_id: int, *, is_sqlite: bool) -> None:
    """Record which users of a run that ends are unresolved, and which no longer are.

    A user without a match key is not: only a change in Entra can help, and a delta tells of that. Neither is
    one whose Skolon user is excluded: an administrator has decided it. An undo leaves users as they are,
    unless it has restored what a decision had led to that was taken back, or a decision says by now that the
    Skolon user is not this one: which Skolon user such a user is, is found out again.
    """
    unresolved, receipts, runs = tables.unresolved_users, tables.receipts, tables.runs
    run = connection.execute(
        select(runs.c.tenant_id, runs.c.mode, runs.c.reverts_run_id).where(
            runs.c.id == run_id, ~runs.c.dry_run
        )
    ).one_or_none()
    if run is None:
        return
    tenant_id = run.tenant_id
    if run.mode == Mode.UNDO:
        links = connection.scalars(_forgotten_links(run_id, run.reverts_run_id)).all()
        users = {str(user) for link in links for user in link}
        users.update(connection.scalars(_decided_elsewhere(run_id, run.reverts_run_id)))
        mark_unresolved(connection, tenant_id, users, is_sqlite=is_sqlite)
        return
    resolved = exists().where(
        receipts.c.run_id == run_id,
        receipts.c.entra_id == unresolved.c.entra_id,
        or_(
            receipts.c.outcome.in_(_RESOLVED),
            receipts.c.not_found_reason.in_(NOT_MISSING_IN_SKOLON),
        ),
    )
    connection.execute(delete(unresolved).where(unresolved.c.tenant_id == tenant_id, resolved))
    moment = now()
    # A user that was tried goes to the end of the line whatever became of it: none can stay at its head.
    was_tried = exists().where(receipts.c.run_id == run_id, receipts.c.entra_id == unresolved.c.entra_id)
    connection.execute(
        update(unresolved).where(unresolved.c.tenant_id == tenant_id, was_tried).values(tried_at=moment)
    )
    tried = select(
        literal(tenant_id), receipts.c.entra_id, literal(moment, unresolved.c.tried_at.type)
    ).where(
        receipts.c.run_id == run_id,
        or_(
            receipts.c.outcome == Outcome.DEAD_LETTERED,
            and_(
                receipts.c.outcome == Outcome.NOT_FOUND,
                receipts.c.not_found_reason.not_in(NOT_MISSING_IN_SKOLON),
            ),
        ),
        ~receipts.c.entra_id.startswith(PLACEHOLDER_PREFIX, autoescape=True),
    )
    dialect: Any = sqlite if is_sqlite else postgresql
    connection.execute(
        dialect.insert(unresolved)
        .from_select(["tenant_id", "entra_id", "tried_at"], tried)
        .on_conflict_do_update(index_elements=["tenant_id", "entra_id"], set_={"tried_at": moment})
    )


def mark_unresolved(
    connection: Connection, tenant_id: int, entra_ids: Collection[str], *, is_sqlite: bool
) -> None:
    """Have the next delta run of a tenant read these users again."""
    if not entra_ids:
        return
    dialect: Any = sqlite if is_sqlite else postgresql
    moment = now()
    connection.execute(
        dialect.insert(tables.unresolved_users)
        .values(
            [{"tenant_id": tenant_id, "entra_id": each, "tried_at": moment} for each in sorted(entra_ids)]
        )
        .on_conflict_do_nothing(index_elements=["tenant_id", "entra_id"])
    )


def _forgotten_links(run_id: int, undone_run_id: int) -> Select[tuple[list[str]]]:
    """Return the users of each link that was taken back, and that had led to what an undo has restored."""
    receipts, undone = tables.receipts, tables.receipts.alias()
    return (
        select(undone.c.forgotten_link_users)
        .join(receipts, receipts.c.entra_id == undone.c.entra_id)
        .where(
            receipts.c.run_id == run_id,
            undone.c.run_id == undone_run_id,
            undone.c.forgotten_link_users.is_not(null()),
        )
    )


def _decided_elsewhere(run_id: int, undone_run_id: int) -> Select[tuple[str]]:
    """Return the users of an undo whose Skolon user a decision has given to another user, or to none."""
    receipts, undone, decisions = tables.receipts, tables.receipts.alias(), tables.match_decisions
    excluded = exists().where(
        decisions.c.tenant_id == undone.c.tenant_id,
        decisions.c.skolon_id == undone.c.skolon_id,
        decisions.c.entra_id.is_distinct_from(undone.c.entra_id),
    )
    return (
        select(undone.c.entra_id)
        .join(receipts, receipts.c.entra_id == undone.c.entra_id)
        .where(receipts.c.run_id == run_id, undone.c.run_id == undone_run_id, excluded)
    )
