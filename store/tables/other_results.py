"""What other runs say of a receipt's user: conditions for statements that select from receipts and runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import exists, or_, select

from schemas.outcomes import ENDED_STATUSES, Mode, Outcome, Status
from store.tables.doubt import is_in_doubt, is_judgement, is_unconfirmed, outranks
from store.tables.receipt import receipts
from store.tables.run import runs

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement, FromClause, ScalarSelect

#: Outcomes that leave a user to another message.
_SETTLES_NOTHING: Final = (Outcome.PENDING, Outcome.SUPERSEDED)


def told_elsewhere(*, for_good: bool = False) -> ColumnElement[bool]:
    """Say whether another run, which counts for more, has told of a receipt's user.

    With `for_good` only runs count that have ended and were not halted by a question: an open run may still
    be, and then what it judged is in doubt.
    """
    other, other_runs = receipts.alias(), runs.alias()
    conditions = [*_tells_of_user(other, other_runs), outranks(other, other_runs, receipts, runs)]
    if for_good:
        conditions += [
            other_runs.c.status.in_(ENDED_STATUSES),
            ~is_unconfirmed(other_runs),
            or_(~is_unconfirmed(runs), runs.c.status.in_(ENDED_STATUSES)),
        ]
    return exists().where(*conditions)


def newest_outcome() -> ScalarSelect[Any]:
    """Return what the newest of the newer runs says of a receipt's user; nothing if none has told yet."""
    other, other_runs = receipts.alias(), runs.alias()
    is_newer = other.c.run_id > receipts.c.run_id
    return (
        select(other.c.outcome)
        .where(*_tells_of_user(other, other_runs), is_newer, ~is_in_doubt(other, other_runs))
        .order_by(other.c.run_id.desc())
        .limit(1)
        .correlate(receipts, runs)
        .scalar_subquery()
    )


def _tells_of_user(other: FromClause, other_runs: FromClause) -> list[ColumnElement[bool]]:
    """Return the conditions under which another run, no dry one, tells of a receipt's user.

    An undo says nothing about a user's fault in Entra or Skolon: it settles only what another undo left.
    """
    return [
        other.c.tenant_id == receipts.c.tenant_id,
        other.c.entra_id == receipts.c.entra_id,
        other.c.run_id != receipts.c.run_id,
        other.c.outcome.not_in(_SETTLES_NOTHING),
        other_runs.c.id == other.c.run_id,
        ~other_runs.c.dry_run,
        or_(other_runs.c.mode != Mode.UNDO, runs.c.mode == Mode.UNDO),
    ]


def awaits_answer() -> ColumnElement[bool]:
    """Say whether a newer run that waits for an answer has a receipt's user, and has not changed the user."""
    newer, newer_runs = receipts.alias(), runs.alias()
    return exists().where(
        newer.c.tenant_id == receipts.c.tenant_id,
        newer.c.entra_id == receipts.c.entra_id,
        newer.c.run_id > receipts.c.run_id,
        newer_runs.c.id == newer.c.run_id,
        ~newer_runs.c.dry_run,
        newer_runs.c.status == Status.HALTED,
        is_judgement(newer, newer_runs),
    )
