"""What forecasts have found of each user."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import func, insert, select

from schemas.dead_letter_reasons import Reason
from schemas.dead_letters.task import HELPED, Obstacle, TriedCounts, TriedUser
from schemas.outcomes import Outcome
from store import tables

if TYPE_CHECKING:
    from collections.abc import Sequence

    from store.database import Database


class TriedUsers:
    """The table of the users that forecasts have tried; may be shared by threads."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, task: int, users: Sequence[TriedUser]) -> None:
        """Note what became of some users."""
        rows = [
            {
                "task_id": task,
                "entra_id": each.entra_id,
                "outcome": each.outcome,
                "reason": each.reason,
                "obstacle": each.obstacle,
            }
            for each in users
        ]
        if rows:
            with self._database.transaction() as connection:
                connection.execute(insert(tables.dead_letter_task_users), rows)

    def last(self, task: int) -> str:
        """Return the last user of a task that was tried, by the Entra id, blank if none was."""
        users = tables.dead_letter_task_users
        with self._database.transaction() as connection:
            return connection.scalar(select(func.max(users.c.entra_id)).where(users.c.task_id == task)) or ""

    def counts(self, task: int) -> TriedCounts:
        """Return how many users of a task were tried, by what became of it."""
        users = tables.dead_letter_task_users
        query = (
            select(users.c.outcome, users.c.reason, users.c.obstacle, func.count().label("users"))
            .where(users.c.task_id == task)
            .group_by(users.c.outcome, users.c.reason, users.c.obstacle)
        )
        outcomes, reasons, obstacles = dict[Outcome, int](), dict[Reason, int](), dict[Obstacle, int]()
        with self._database.transaction() as connection:
            for row in connection.execute(query):
                if row.obstacle is not None:
                    obstacles[Obstacle(row.obstacle)] = row.users
                    continue
                outcome = Outcome(row.outcome)
                outcomes[outcome] = outcomes.get(outcome, 0) + row.users
                if row.reason is not None:
                    reasons[Reason(row.reason)] = row.users
        return TriedCounts(outcomes=outcomes, reasons=reasons, obstacles=obstacles)

    def page(
        self, task: int, outcome: Outcome | Obstacle | None, *, after: str, limit: int
    ) -> Sequence[TriedUser]:
        """Return the tried users with an outcome or obstacle, or all, by Entra id: those behind `after`."""
        users = tables.dead_letter_task_users
        query = select(users).where(users.c.task_id == task, users.c.entra_id > after)
        if outcome is not None:
            column = users.c.obstacle if isinstance(outcome, Obstacle) else users.c.outcome
            query = query.where(column == outcome)
        with self._database.transaction() as connection:
            rows = connection.execute(query.order_by(users.c.entra_id).limit(limit)).all()
        return [
            TriedUser(
                entra_id=row.entra_id,
                outcome=row.outcome and Outcome(row.outcome),
                reason=row.reason and Reason(row.reason),
                obstacle=row.obstacle and Obstacle(row.obstacle),
            )
            for row in rows
        ]

    def helped(self, task: int) -> frozenset[str]:
        """Return the users that a replay would bring up to date, or that need nothing, by Entra id."""
        users = tables.dead_letter_task_users
        query = select(users.c.entra_id).where(users.c.task_id == task, users.c.outcome.in_(HELPED))
        with self._database.transaction() as connection:
            return frozenset(connection.scalars(query))

    def page_of_results(
        self,
        operations: Sequence[int],
        outcome: Outcome | None,
        *,
        after: str,
        limit: int,
        is_discard: bool = False,
    ) -> Sequence[TriedUser]:
        """Return users that operations have replayed, or discarded, as `page` does: what became of them."""
        receipts = tables.receipts
        column = receipts.c.discard_id if is_discard else receipts.c.operation_id
        query = select(receipts.c.entra_id, receipts.c.outcome, receipts.c.reason).where(
            column.in_(operations), receipts.c.entra_id > after
        )
        if not is_discard:
            query = query.where(~receipts.c.replaying)
        if outcome is not None:
            query = query.where(receipts.c.outcome == outcome)
        with self._database.transaction() as connection:
            rows = connection.execute(query.order_by(receipts.c.entra_id).limit(limit)).all()
        return [
            TriedUser(
                entra_id=row.entra_id, outcome=Outcome(row.outcome), reason=row.reason and Reason(row.reason)
            )
            for row in rows
        ]
