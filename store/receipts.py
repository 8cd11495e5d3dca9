"""Receipts: what became of each Entra user in each run (promises P3 and P4)."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import JSON, and_, exists, func, literal, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import IntegrityError

from schemas.attributes import Attribute
from schemas.errors import Dependency, TransientError
from schemas.graph_user import is_entra_id
from schemas.outcomes import OPEN_STATUSES, Outcome, Reason, Stage, Status
from schemas.runs import timestamp
from store import tables
from store.moments import in_utc, now
from store.runs import is_run_id

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sqlalchemy import ColumnElement, Connection, Row

    from schemas.sealing import Sealer
    from schemas.verdicts import DeadLetter, Verdict
    from store.database import Database

#: For how long a claim keeps a newer run's worker waiting: longer than a PATCH with its retries takes,
#: short enough for a worker that died over it.
CLAIM_SECONDS: Final = 300


class CollisionError(Exception):
    """Another Entra user of the run has claimed the Skolon user."""

    def __init__(self, skolon_id: str, entra_id: str) -> None:
        super().__init__(f"Skolon user {skolon_id} is claimed by Entra user {entra_id}")
        self.skolon_id = skolon_id
        self.entra_id = entra_id


@dataclass(frozen=True, kw_only=True)
class Begun:
    """What a worker has to know of a user's receipt and run before it does anything."""

    tenant: str
    tenant_version: int
    status: Status
    dry_run: bool
    outcome: Outcome
    #: An earlier delivery has claimed the Skolon user, so it may have been updated already.
    claimed: bool
    #: A newer run has published this user: what we hold is old.
    superseded: bool
    #: An older run has the user in hand at this moment.
    older_run_active: bool


@dataclass(frozen=True, kw_only=True)
class Claim:
    """A Skolon user is ours to update, unless a newer run has published the Entra user meanwhile."""

    superseded: bool


@dataclass(frozen=True, kw_only=True)
class Receipt:
    """What became of a user. Old values are only there when they were asked for."""

    run: int
    entra_id: str
    outcome: Outcome
    reason: Reason | None
    stage: Stage | None
    detail: str | None
    attempts: int | None
    skolon_id: str | None
    changed: tuple[Attribute, ...]
    published: dt.datetime
    finished: dt.datetime | None

    def as_json(self) -> dict[str, Any]:
        """Return what may be shown of it: ids and words, no values."""
        return {
            "run": str(self.run),
            "user": self.entra_id,
            "outcome": str(self.outcome),
            "reason": self.reason and str(self.reason),
            "stage": self.stage and str(self.stage),
            "detail": self.detail,
            "attempts": self.attempts,
            "skolon_user": self.skolon_id,
            "changed": [str(attribute) for attribute in self.changed],
            "published": timestamp(self.published),
            "finished": self.finished and timestamp(self.finished),
        }


class Receipts:
    """The receipts' table; may be shared by threads."""

    def __init__(self, database: Database, sealer: Sealer) -> None:
        self._database = database
        self._sealer = sealer

    def publish(self, run_id: int, entra_ids: Sequence[str]) -> set[str]:
        """Write a pending receipt for each user that has none; return those that are still pending.

        Raises `TransientError` (order) when the run is not being read any more.
        """
        if not entra_ids:
            return set()
        receipts, runs = tables.receipts, tables.runs
        with self._database.transaction() as connection:
            # Locked, so that nobody ends the reading before these receipts are there to be seen.
            tenant_id = connection.scalar(
                select(runs.c.tenant_id)
                .where(runs.c.id == run_id, runs.c.status == Status.READING)
                .with_for_update(read=True)
            )
            if tenant_id is None:
                raise TransientError(Dependency.ORDER, f"run {run_id} is not being read any more")
            published = now()
            rows = [
                {
                    "run_id": run_id,
                    "entra_id": entra_id,
                    "tenant_id": tenant_id,
                    "outcome": Outcome.PENDING,
                    "published_at": published,
                }
                # In one order, so that two deliveries of a page do not lock each other out.
                for entra_id in sorted(entra_ids)
            ]
            dialect = sqlite if self._database.is_sqlite else postgresql
            connection.execute(dialect.insert(receipts).on_conflict_do_nothing(), rows)
            pending = connection.scalars(
                select(receipts.c.entra_id).where(
                    receipts.c.run_id == run_id,
                    receipts.c.entra_id.in_(entra_ids),
                    receipts.c.outcome == Outcome.PENDING,
                )
            )
            return set(pending)

    def begin(self, run_id: int, entra_id: str) -> Begun | None:
        """Return what there is to know before a user is worked on, or None if there is no such receipt."""
        if not (is_run_id(run_id) and is_entra_id(entra_id)):
            return None
        receipts, runs, tenants = tables.receipts, tables.runs, tables.tenants
        query = (
            select(
                tenants.c.key,
                tenants.c.version,
                runs.c.status,
                runs.c.dry_run,
                receipts.c.outcome,
                receipts.c.claimed_at,
                _newer_run_has(receipts.c.tenant_id, entra_id, run_id).label("superseded"),
                _older_run_works_on(receipts.c.tenant_id, entra_id, run_id, self._claims_since()).label(
                    "active"
                ),
            )
            .join(runs, runs.c.id == receipts.c.run_id)
            .join(tenants, tenants.c.id == receipts.c.tenant_id)
            .where(receipts.c.run_id == run_id, receipts.c.entra_id == entra_id)
        )
        with self._database.transaction() as connection:
            row = connection.execute(query).one_or_none()
        if row is None:
            return None
        return Begun(
            tenant=row.key,
            tenant_version=row.version,
            status=Status(row.status),
            dry_run=row.dry_run,
            outcome=Outcome(row.outcome),
            claimed=row.claimed_at is not None,
            # A dry run changes nothing, so it can neither be late nor in the way.
            superseded=bool(row.superseded) and not row.dry_run,
            older_run_active=bool(row.active) and not row.dry_run,
        )

    def claim(
        self,
        run_id: int,
        entra_id: str,
        skolon_id: str,
        old_values: Mapping[Attribute, str | None],
    ) -> Claim:
        """Claim a Skolon user before it is changed, and keep the values of what will change, sealed.

        A second claim of the same user renews the first and keeps its old values: what is there
        now may be what we wrote. Raises `CollisionError` when somebody else of the run has it.
        """
        try:
            with self._database.transaction() as connection:
                mine = and_(tables.receipts.c.run_id == run_id, tables.receipts.c.entra_id == entra_id)
                self._renew(connection, mine, skolon_id, old_values)
        except IntegrityError:
            raise self._collision(run_id, skolon_id) from None
        # In a transaction of its own, after the commit: a newer run that does not see our claim yet
        # has published its receipt before, and is seen here; one that comes later sees the claim.
        receipts = tables.receipts
        tenant_id = (
            select(receipts.c.tenant_id)
            .where(receipts.c.run_id == run_id, receipts.c.entra_id == entra_id)
            .scalar_subquery()
        )
        with self._database.transaction() as connection:
            newer = connection.scalar(select(_newer_run_has(tenant_id, entra_id, run_id)))
        return Claim(superseded=bool(newer))

    def finish(self, run_id: int, entra_id: str, verdict: Verdict) -> bool:
        """Give a pending receipt its outcome; False if it has one already.

        Raises `CollisionError` when somebody else of the run has claimed the verdict's Skolon user.
        """
        receipts = tables.receipts
        values: dict[Any, Any] = {
            "outcome": verdict.outcome,
            "detail": verdict.detail,
            "finished_at": now(),
            "skolon_version": verdict.skolon_version,
        }
        if verdict.skolon_id is not None:
            values["skolon_id"] = verdict.skolon_id
        if verdict.changed:
            # What a claim of this user has noted, in this delivery or an earlier one, holds good.
            noted = literal(sorted(map(str, verdict.changed)), JSON())
            values["changed"] = func.coalesce(receipts.c.changed, noted)
        try:
            return self._settle(run_id, entra_id, values)
        except IntegrityError:
            raise self._collision(run_id, verdict.skolon_id or "") from None

    def dead_letter(self, run_id: int, entra_id: str, letter: DeadLetter, attempts: int) -> bool:
        """Record that a pending user is a dead letter now; False if it has an outcome already.

        The claim, if there was one, stays: the Skolon user may have been changed.
        """
        values = {
            "outcome": Outcome.DEAD_LETTERED,
            "reason": letter.reason,
            "stage": letter.stage,
            "detail": letter.detail,
            "attempts": attempts,
            "finished_at": now(),
        }
        return self._settle(run_id, entra_id, values)

    def get(self, run_id: int, entra_id: str) -> Receipt | None:
        """Return a user's receipt in a run, or None."""
        receipts = tables.receipts
        query = select(receipts).where(receipts.c.run_id == run_id, receipts.c.entra_id == entra_id)
        with self._database.transaction() as connection:
            row = connection.execute(query).one_or_none()
        return None if row is None else _receipt(row)

    def list(
        self,
        run_id: int,
        *,
        outcome: Outcome | None = None,
        reason: Reason | None = None,
        limit: int = 100,
    ) -> list[Receipt]:
        """Return receipts of a run, by Entra id."""
        receipts = tables.receipts
        query = select(receipts).where(receipts.c.run_id == run_id)
        if outcome is not None:
            query = query.where(receipts.c.outcome == outcome)
        if reason is not None:
            query = query.where(receipts.c.reason == reason)
        with self._database.transaction() as connection:
            rows = connection.execute(query.order_by(receipts.c.entra_id).limit(limit)).all()
        return [_receipt(row) for row in rows]

    def old_values(self, run_id: int, entra_id: str) -> dict[str, str | None]:
        """Return the values from before the run changed them, by attribute name; empty if it did not."""
        receipts = tables.receipts
        query = select(receipts.c.old_values).where(
            receipts.c.run_id == run_id, receipts.c.entra_id == entra_id
        )
        with self._database.transaction() as connection:
            sealed = connection.scalar(query)
        return {} if sealed is None else dict(self._sealer.open_json(sealed))

    def _renew(
        self,
        connection: Connection,
        mine: ColumnElement[bool],
        skolon_id: str,
        old_values: Mapping[Attribute, str | None],
    ) -> None:
        receipts, runs = tables.receipts, tables.runs
        before = connection.execute(
            select(receipts.c.changed, receipts.c.old_values)
            .join(runs, runs.c.id == receipts.c.run_id)
            .where(mine, receipts.c.outcome == Outcome.PENDING, runs.c.status.in_(OPEN_STATUSES))
            .with_for_update(of=receipts)
        ).one_or_none()
        if before is None:
            raise TransientError(Dependency.ORDER, "this user has been settled, or the run halted, meanwhile")
        earlier: dict[str, str | None] = (
            self._sealer.open_json(before.old_values) if before.old_values else {}
        )
        kept = {**{str(attribute): value for attribute, value in old_values.items()}, **earlier}
        connection.execute(
            update(receipts)
            .where(mine)
            .values(
                skolon_id=skolon_id,
                changed=sorted({*(before.changed or ()), *map(str, old_values)}),
                old_values=self._sealer.seal_json(kept),
                claimed_at=func.now(),
            )
        )

    def _settle(self, run_id: int, entra_id: str, values: dict[Any, Any]) -> bool:
        receipts = tables.receipts
        with self._database.transaction() as connection:
            settled = connection.execute(
                update(receipts)
                .where(
                    receipts.c.run_id == run_id,
                    receipts.c.entra_id == entra_id,
                    receipts.c.outcome == Outcome.PENDING,
                )
                .values(values)
            )
        return bool(settled.rowcount)

    def _collision(self, run_id: int, skolon_id: str) -> CollisionError:
        receipts = tables.receipts
        with self._database.transaction() as connection:
            holder = connection.scalar(
                select(receipts.c.entra_id).where(
                    receipts.c.run_id == run_id, receipts.c.skolon_id == skolon_id
                )
            )
        return CollisionError(skolon_id, holder or "unknown")

    def _claims_since(self) -> ColumnElement[Any]:
        """Return the moment before which claims no longer count, by the database's own clock."""
        if self._database.is_sqlite:
            return func.datetime("now", f"-{CLAIM_SECONDS} seconds")
        return func.now() - dt.timedelta(seconds=CLAIM_SECONDS)


def _newer_run_has(tenant_id: Any, entra_id: str, run_id: int) -> ColumnElement[bool]:
    """Say whether a newer run, no dry one, has published the user and did or will do something."""
    receipts, runs = tables.receipts.alias(), tables.runs.alias()
    return exists().where(
        receipts.c.tenant_id == tenant_id,
        receipts.c.entra_id == entra_id,
        receipts.c.run_id > run_id,
        runs.c.id == receipts.c.run_id,
        runs.c.dry_run.is_(False),
        or_(runs.c.status != Status.CANCELLED, receipts.c.outcome != Outcome.PENDING),
    )


def _older_run_works_on(
    tenant_id: Any, entra_id: str, run_id: int, since: ColumnElement[Any]
) -> ColumnElement[bool]:
    receipts = tables.receipts.alias()
    return exists().where(
        receipts.c.tenant_id == tenant_id,
        receipts.c.entra_id == entra_id,
        receipts.c.run_id < run_id,
        receipts.c.outcome == Outcome.PENDING,
        receipts.c.claimed_at > since,
    )


def _receipt(row: Row[Any]) -> Receipt:
    return Receipt(
        run=row.run_id,
        entra_id=row.entra_id,
        outcome=Outcome(row.outcome),
        reason=row.reason and Reason(row.reason),
        stage=row.stage and Stage(row.stage),
        detail=row.detail,
        attempts=row.attempts,
        skolon_id=row.skolon_id,
        changed=tuple(Attribute(name) for name in row.changed or ()),
        published=in_utc(row.published_at),
        finished=row.finished_at and in_utc(row.finished_at),
    )
