"""Which outcomes of a user count: what a run only judged does not if it was halted by a question."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import and_, exists, func, or_

from schemas.outcomes import QUESTION_CAUSES, VERIFYING_OUTCOMES, Status
from store.tables.receipt import receipts
from store.tables.run import runs

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement, FromClause


def is_unconfirmed(some_runs: FromClause) -> ColumnElement[bool]:
    """Say whether a run was halted by a question, and no person has let it through.

    It is halted still, or was cancelled. A run that is resumed has no cause any more.
    """
    return and_(
        # A missing cause would make the whole condition unknown, also where it is negated.
        func.coalesce(some_runs.c.cause, "").in_(QUESTION_CAUSES),
        some_runs.c.status.in_((Status.HALTED, Status.CANCELLED)),
    )


def is_judgement(some_receipts: FromClause, some_runs: FromClause) -> ColumnElement[bool]:
    """Say whether an unconfirmed run has only judged a user: it has not changed the Skolon user."""
    return and_(is_unconfirmed(some_runs), some_receipts.c.claimed_at.is_(None))


def is_in_doubt(some_receipts: FromClause, some_runs: FromClause) -> ColumnElement[bool]:
    """Say whether an outcome is a mere judgement, or what an unconfirmed run changed is restored.

    Such an outcome tells of a user only if no other one does.
    """
    undo, undo_runs = receipts.alias(), runs.alias()
    is_restored = (
        exists()
        .where(
            undo_runs.c.reverts_run_id == some_runs.c.id,
            ~undo_runs.c.dry_run,
            undo.c.run_id == undo_runs.c.id,
            # The user's few receipts are looked up in their index. Without the comparison of runs PostgreSQL
            # may read all receipts of undos instead.
            undo.c.tenant_id == some_receipts.c.tenant_id,
            undo.c.entra_id == some_receipts.c.entra_id,
            undo.c.run_id > some_receipts.c.run_id,
            undo.c.outcome.in_(VERIFYING_OUTCOMES),
        )
        # The receipt may belong to a query further out than the one that asks: SQLAlchemy looks at that one
        # alone, and would compare with any receipt.
        .correlate_except(undo, undo_runs)
    )
    return and_(is_unconfirmed(some_runs), or_(some_receipts.c.claimed_at.is_(None), is_restored))


def outranks(
    other: FromClause, other_runs: FromClause, some_receipts: FromClause, some_runs: FromClause
) -> ColumnElement[bool]:
    """Say whether another outcome of the user counts for more: a newer one, or one that is not in doubt."""
    is_newer = other.c.run_id > some_receipts.c.run_id
    other_counts = ~is_in_doubt(other, other_runs)
    return or_(
        and_(is_newer, other_counts),
        and_(is_in_doubt(some_receipts, some_runs), or_(is_newer, other_counts)),
    )


def most_telling_first(
    some_receipts: FromClause, some_runs: FromClause
) -> tuple[ColumnElement[bool], ColumnElement[int]]:
    """Return the order in which outcomes tell of a user: the newest first, and those in doubt last."""
    return is_in_doubt(some_receipts, some_runs), some_receipts.c.run_id.desc()
