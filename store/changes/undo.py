"""Undo: which run is to be put back, which users it may have changed, and what it wrote to each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import Text, and_, case, cast, exists, func, null, select, update

from schemas.dead_letter_reasons import Reason
from schemas.details.detail import Detail
from schemas.details.kinds import DetailKind
from schemas.errors import PermanentError
from schemas.outcomes import OPEN_STATUSES, Outcome, Stage, Status
from schemas.runs.before_image import ChangeRecord, load_change_record
from schemas.runs.changes import GuardCounts, count_changes, parse_changes, reverted_kinds
from schemas.runs.totals.run_undo import RunUndo
from store import tables
from store.timestamps import as_utc, now

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sqlalchemy import ColumnElement, Connection

    from schemas.crypto.encryption import FieldCipher
    from schemas.messages.messages import SyncRequest
    from schemas.runs.changes import ChangeCounts
    from schemas.users.attributes import Attribute
    from store.database import Database


@dataclass(frozen=True, kw_only=True)
class UndoRecord:
    """What a run did to the Skolon user of one Entra user, as far as its claim tells.

    `version` is the one that its update led to, None if that was never told. `since` is what newer runs
    have written to the same Skolon user.
    """

    skolon_id: str
    version: str | None
    written: ChangeRecord
    since: tuple[ChangeRecord, ...]


class UndoRecords:
    """What an undo reads of the run that it puts back; may be shared by threads."""

    def __init__(self, database: Database, cipher: FieldCipher) -> None:
        self._database = database
        self._cipher = cipher

    def count_claimed(self, run_id: int) -> int:
        """Return how many people a run has claimed in order to change them."""
        query = select(func.count()).where(*_claimed(run_id))
        with self._database.transaction() as connection:
            return int(connection.scalar(query) or 0)

    def count_forgotten(self, run_id: int) -> int:
        """Return how many users a run has updated whose results were removed, with the values from before."""
        pruned = tables.pruned_counts
        query = select(func.sum(pruned.c.users)).where(
            pruned.c.run_id == run_id, pruned.c.outcome == Outcome.UPDATED
        )
        with self._database.transaction() as connection:
            return int(connection.scalar(query) or 0)

    def undos_of(self, run_id: int) -> tuple[RunUndo, ...]:
        """Return the undos of a run that are no dry runs, the oldest first."""
        runs, receipts, undone, again = tables.runs, tables.receipts, tables.runs.alias(), tables.runs.alias()

        def of(outcome: Outcome) -> ColumnElement[int]:
            return func.sum(case((receipts.c.outcome == outcome, 1), else_=0))

        told = receipts.c.outcome.in_((Outcome.UPDATED, Outcome.DEAD_LETTERED))
        was_undone = exists().where(
            again.c.tenant_id == runs.c.tenant_id,
            again.c.reverts_run_id == runs.c.id,
            ~again.c.dry_run,
            again.c.status != Status.CANCELLED,
        )
        names_none = cast(runs.c.users, Text) == "[]"
        is_complete = and_(runs.c.status == Status.COMPLETED, names_none, ~was_undone)
        query = (
            select(
                runs.c.id,
                runs.c.status,
                runs.c.finished,
                of(Outcome.UPDATED).label("users"),
                of(Outcome.DEAD_LETTERED).label("failed"),
                func.max(case((is_complete, 1), else_=0)).label("is_complete"),
            )
            # By the tenant, whose runs have an index.
            .join(undone, undone.c.tenant_id == runs.c.tenant_id)
            .outerjoin(receipts, and_(receipts.c.run_id == runs.c.id, told))
            .where(undone.c.id == run_id, runs.c.reverts_run_id == run_id, ~runs.c.dry_run)
            .group_by(runs.c.id, runs.c.status, runs.c.finished)
            .order_by(runs.c.id)
        )
        with self._database.transaction() as connection:
            return tuple(
                RunUndo(
                    run=row.id,
                    status=Status(row.status),
                    finished=row.finished and as_utc(row.finished),
                    users=row.users,
                    is_complete=bool(row.is_complete) and not row.failed,
                )
                for row in connection.execute(query)
            )

    def last_preview(self, run_id: int) -> int | None:
        """Return the newest preview of an undo of a run that has come to its end, None if there is none."""
        runs, undone = tables.runs, tables.runs.alias()
        query = (
            select(func.max(runs.c.id))
            # By the tenant, whose runs have an index.
            .join(undone, undone.c.tenant_id == runs.c.tenant_id)
            .where(
                undone.c.id == run_id,
                runs.c.reverts_run_id == run_id,
                runs.c.dry_run,
                runs.c.status == Status.COMPLETED,
                cast(runs.c.users, Text) == "[]",
            )
        )
        with self._database.transaction() as connection:
            found: int | None = connection.scalar(query)
        return found

    def guard_counts(self, run_id: int, users: Sequence[str] = ()) -> GuardCounts:
        """Return what an undo of a run counts at most for the guard, of all its users or of some."""
        changes = self.changes(run_id, users)
        return GuardCounts(changed=changes.users, identity_changed=changes.identity)

    def changes(self, run_id: int, users: Sequence[str] = ()) -> ChangeCounts:
        """Return what an undo of a run changes at most, of all its users or of some.

        An undo changes fewer if attributes have their former values already, or have changed since.
        """
        receipts = tables.receipts
        query = select(receipts.c.changes, func.count().label("users")).where(*_claimed(run_id))
        if users:
            query = query.where(receipts.c.entra_id.in_(users))
        with self._database.transaction() as connection:
            groups = connection.execute(query.group_by(receipts.c.changes)).all()
        return count_changes((reverted_kinds(parse_changes(row.changes)), row.users) for row in groups)

    def users_of_forgotten_links(self, run_id: int, users: Sequence[str] = ()) -> list[str]:
        """Return the users of links that were taken back, and that had led to changes of a run.

        It is about the changes of all users of the run, or of some.
        """
        receipts = tables.receipts
        query = select(receipts.c.forgotten_link_users).where(
            *_claimed(run_id), receipts.c.forgotten_link_users.is_not(null())
        )
        if users:
            query = query.where(receipts.c.entra_id.in_(users))
        with self._database.transaction() as connection:
            links = connection.scalars(query).all()
        return list(dict.fromkeys(user for link in links for user in link))

    def claimed_users(self, run_id: int, *, after: str, limit: int) -> Sequence[str]:
        """Return the Entra ids, in order, of users that a run has claimed; the next ones `after` an id."""
        entra_id = tables.receipts.c.entra_id
        query = select(entra_id).where(*_claimed(run_id), entra_id > after).order_by(entra_id).limit(limit)
        with self._database.transaction() as connection:
            return connection.scalars(query).all()

    def load(self, run_id: int, entra_id: str, *, before: int) -> UndoRecord | None:
        """Return what a run has written to a user, None if it never was about to.

        `before` is the undo's own run: what that one has written is not asked for. Raises
        `UnsealableError` when none of the keys opens what was noted.
        """
        receipts = tables.receipts
        tenant_id = select(tables.runs.c.tenant_id).where(tables.runs.c.id == run_id).scalar_subquery()
        query = (
            select(
                receipts.c.run_id, receipts.c.skolon_id, receipts.c.skolon_version, receipts.c.before_image
            )
            .where(
                receipts.c.tenant_id == tenant_id,
                receipts.c.entra_id == entra_id,
                receipts.c.run_id >= run_id,
                receipts.c.run_id < before,
                receipts.c.claimed_at.is_not(None),
            )
            .order_by(receipts.c.run_id)
        )
        with self._database.transaction() as connection:
            rows = connection.execute(query).all()
        if not rows or rows[0].run_id != run_id:
            return None
        first, newer = rows[0], rows[1:]
        return UndoRecord(
            skolon_id=first.skolon_id,
            version=first.skolon_version,
            written=self._written(first.before_image),
            since=tuple(self._written(row.before_image) for row in newer if row.skolon_id == first.skolon_id),
        )

    def before_images(
        self, run_id: int, entra_id: str, skolon_id: str
    ) -> tuple[Mapping[Attribute, str | None], ...]:
        """Return the values from before this run and each one before it changed a user, the newest first."""
        receipts = tables.receipts
        tenant_id = select(tables.runs.c.tenant_id).where(tables.runs.c.id == run_id).scalar_subquery()
        query = (
            select(receipts.c.before_image)
            .where(
                receipts.c.tenant_id == tenant_id,
                receipts.c.entra_id == entra_id,
                receipts.c.run_id <= run_id,
                receipts.c.claimed_at.is_not(None),
                receipts.c.skolon_id == skolon_id,
            )
            .order_by(receipts.c.run_id.desc())
        )
        with self._database.transaction() as connection:
            sealed = connection.scalars(query).all()
        return tuple(self._written(each).before_image for each in sealed)

    def _written(self, encrypted: str | None) -> ChangeRecord:
        return decrypted_record(encrypted, self._cipher)


def decrypted_record(encrypted: str | None, cipher: FieldCipher) -> ChangeRecord:
    """Return what a claim notes of its change, an empty record if it has noted nothing."""
    return load_change_record(cipher.decrypt_json(encrypted)) if encrypted else ChangeRecord()


def prepare_undo(connection: Connection, tenant_id: int, request: SyncRequest) -> None:
    """See that a run can be undone, and cancel it if it is halted and is put back as a whole.

    Users of a halted run that are pending would else be changed after all when it is resumed. From here on
    workers that still process a user of it step back, or their claims can be seen. Raises
    `PermanentError` (`invalid_trigger`).
    """
    runs = tables.runs
    undone = connection.execute(
        select(runs.c.dry_run).where(runs.c.id == request.reverts_run_id, runs.c.tenant_id == tenant_id)
    ).one_or_none()
    if undone is None:
        raise _refusal(DetailKind.NO_RUN_TO_UNDO, request)
    if undone.dry_run:
        raise _refusal(DetailKind.DRY_RUN_TO_UNDO, request)
    if not (request.users or request.dry_run):
        connection.execute(
            update(runs)
            .where(runs.c.id == request.reverts_run_id, runs.c.status == Status.HALTED)
            .values(status=Status.CANCELLED, finished=now(), cleaned_up=False)
        )


def undo_block_reason(status: Status, *, dry_run: bool, people: int) -> str | None:
    """Return why a run cannot be undone at all, None if it can."""
    if dry_run:
        return "it was a dry run, which changes no user"
    if status in OPEN_STATUSES:
        return "it is open: wait for it, or cancel it"
    # A worker may process a user of a halted run just now; the undo takes care of that.
    if not people and status is not Status.HALTED:
        return "it has changed no user"
    return None


def _claimed(run_id: int) -> tuple[ColumnElement[bool], ...]:
    receipts = tables.receipts
    return receipts.c.run_id == run_id, receipts.c.claimed_at.is_not(None)


def _refusal(kind: DetailKind, request: SyncRequest) -> PermanentError:
    detail = Detail(kind, run=request.reverts_run_id or 0)
    return PermanentError(Reason.INVALID_TRIGGER, Stage.RECEIVE, detail)
