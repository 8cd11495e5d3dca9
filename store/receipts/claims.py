"""Claims: before a worker changes a Skolon user it has it to itself, and what there was is kept."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import (
    String,
    Text,
    null,
    select,
    update,
)
from sqlalchemy.exc import IntegrityError

from schemas.crypto.encryption import DecryptionError
from schemas.details.detail import Detail
from schemas.details.kinds import DetailKind
from schemas.errors import NotYetError
from schemas.runs.before_image import ChangeRecord, load_change_record
from schemas.runs.changes import GuardCounts, change_kinds, format_changes, guard_counts, parse_changes
from store import tables
from store.batch_statements import BatchRows, coalesced
from store.receipts.claim_statements import (
    NotedClaim,
    Person,
    claimed_rows,
    lock_query,
    noted_claim,
    people_rows,
    renew_statement,
    too_late_query,
)
from store.receipts.collisions import collision
from store.receipts.work_items import RECEIPT_KEY
from store.runs.guard_counters import Increment, one_by_one_if_exceeded

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

    from sqlalchemy import Connection
    from sqlalchemy.types import TypeEngine

    from runtime.coalescer import Coalescer
    from schemas.crypto.encryption import FieldCipher
    from schemas.users.attributes import Attribute
    from store.database import Database
    from store.runs.guard_counters import GuardCounters, LimitCheck

#: What a claim writes into a receipt, and which one it is.
_CLAIMED: Final[dict[str, TypeEngine[Any]]] = {
    **RECEIPT_KEY,
    "skolon_id": String(),
    "changed": String(),
    "changes": String(),
    "before_image": Text(),
}


@dataclass(frozen=True, kw_only=True)
class Claim:
    """A Skolon user is ours to update, unless a newer run has published the Entra user meanwhile.

    Or unless the run has been cancelled: an undo cancels the halted run that it puts back, and must not be
    overtaken by what was in its workers' hands.
    """

    superseded: bool
    #: The guard has counted it just now: it is the first one of the user, and the guard watches.
    is_counted: bool = field(default=False, compare=False)


@dataclass(frozen=True, kw_only=True)
class _Wanted:
    """A claim that is to be made; `check_limits` is None where the guard does not watch."""

    run_id: int
    entra_id: str
    skolon_id: str
    old_values: Mapping[Attribute, str | None]
    new_values: Mapping[Attribute, str | None]
    check_limits: LimitCheck | None

    @property
    def person(self) -> Person:
        return self.run_id, self.entra_id


@dataclass(frozen=True, kw_only=True)
class _WrittenClaims:
    """The users that are claimed; by their places the errors of others, and what the guard has to count."""

    claimed: Collection[Person]
    failed: Mapping[int, Exception]
    counted: Mapping[int, Increment]


class Claims:
    """Claims of workers on people, kept in their receipts; may be shared by threads."""

    def __init__(self, database: Database, guard_counters: GuardCounters, cipher: FieldCipher) -> None:
        self._database = database
        self._guard_counters = guard_counters
        self._cipher = cipher
        self._people = BatchRows(RECEIPT_KEY, is_sqlite=database.is_sqlite)
        self._claimed = BatchRows(_CLAIMED, is_sqlite=database.is_sqlite)
        self._lock = lock_query(self._people.table, is_sqlite=database.is_sqlite)
        self._renew = renew_statement(self._claimed.table, is_sqlite=database.is_sqlite)
        self._too_late = too_late_query(self._people.table, is_sqlite=database.is_sqlite)
        self._claiming: Coalescer[None, _Wanted, Claim] = coalesced(
            one_by_one_if_exceeded(self._claim_together)
        )

    def claim(  # noqa: PLR0913 - what a claim is made of
        self,
        run_id: int,
        entra_id: str,
        skolon_id: str,
        old_values: Mapping[Attribute, str | None],
        *,
        check_limits: LimitCheck | None = None,
        new_values: Mapping[Attribute, str | None] | None = None,
    ) -> Claim:
        """Claim a Skolon user before it is changed, and keep the values of what will change, sealed.

        Of the `new_values` it is kept how they differ (filled, changed or erased), and traces by which an
        undo knows them again. A second claim of the same user renews the first and keeps its old values: what
        is there now may be what we wrote. Raises `CollisionError` when another user of the run has it, and
        `NotYetError` when the user has an outcome. With `check_limits`, a first claim counts for
        the guard, and what `allow` raises of the counts undoes it.
        """
        wanted = _Wanted(
            run_id=run_id,
            entra_id=entra_id,
            skolon_id=skolon_id,
            old_values=old_values,
            new_values=new_values or {},
            check_limits=check_limits,
        )
        try:
            return self._claiming.call(None, wanted)
        except IntegrityError:
            raise collision(self._database, run_id, skolon_id) from None

    def withdraw(
        self,
        run_id: int,
        entra_id: str,
        refused: Mapping[Attribute, str | None],
        *,
        miscounted: GuardCounts,
    ) -> None:
        """Take back of a claim the values that Skolon has refused, and what the guard counted for them.

        A claim of which nothing is left no longer counts as one, though the Skolon user stays noted.
        """
        self._amend(run_id, entra_id, lambda record: record.without(refused), miscounted)

    def note_shown(
        self,
        run_id: int,
        entra_id: str,
        shown: Mapping[Attribute, str | None],
        *,
        miscounted: GuardCounts,
    ) -> None:
        """Keep digests of what Skolon shows of attributes that it does not show as the run has written them.

        What Skolon shows as it was before the run has not changed, and the claim no longer says so. A claim
        without a change does not count as one. `miscounted` is what the guard has counted for such changes.
        """
        self._amend(run_id, entra_id, lambda record: record.with_shown(shown), miscounted, shown)

    def note_accepted(self, run_id: int, entra_id: str, shown: Mapping[Attribute, str | None]) -> None:
        """Keep digests of what Skolon shows of attributes whose changes it has accepted, and not made so far.

        The claim still says that the run has changed them.
        """
        self._amend(run_id, entra_id, lambda record: record.with_shown(shown), GuardCounts())

    def _amend(
        self,
        run_id: int,
        entra_id: str,
        amended: Callable[[ChangeRecord], ChangeRecord],
        miscounted: GuardCounts,
        shown: Mapping[Attribute, str | None] | None = None,
    ) -> None:
        receipts = tables.receipts
        with self._database.transaction() as connection:
            before = self._locked(connection, [(run_id, entra_id)]).get((run_id, entra_id))
            if before is None:
                return
            record = amended(self._written(before.before_image))
            made = record.before_image.keys() - {
                attribute
                for attribute, value in (shown or {}).items()
                if record.before_image.get(attribute) == value
            }
            kinds = {name: kind for name, kind in parse_changes(before.changes).items() if name in made}
            values: dict[str, Any] = {
                "changed": sorted(map(str, made)) or null(),
                "changes": format_changes(kinds),
                "before_image": self._cipher.encrypt_json(record.as_json()) if record.before_image else None,
            }
            if not made:
                values["claimed_at"] = None
            connection.execute(
                update(receipts)
                .where(receipts.c.run_id == run_id, receipts.c.entra_id == entra_id)
                .values(values)
            )
            if miscounted != GuardCounts():
                correction = GuardCounts() - miscounted
                unlimited = Increment(run_id=run_id, counts=correction, check_limits=lambda *_: None)
                self._guard_counters.add(connection, [unlimited])

    def holder(self, run_id: int, skolon_id: str) -> str | None:
        """Return the Entra id of the user that has a Skolon user in a run, or None."""
        receipts = tables.receipts
        query = select(receipts.c.entra_id).where(
            receipts.c.run_id == run_id, receipts.c.skolon_id == skolon_id
        )
        with self._database.transaction() as connection:
            return connection.scalar(query)

    def _claim_together(self, _: None, wanted: Sequence[_Wanted]) -> list[Claim | Exception]:
        with self._database.transaction(point_lookups=True) as connection:
            written = self._write_all(connection, wanted)
            self._guard_counters.add(connection, list(written.counted.values()))
        late: set[Person] = set()
        if written.claimed:
            # In a transaction of its own, after the commit: a newer run that does not see our claim yet
            # has published its receipt before, and is seen here; one that comes later sees the claim.
            with self._database.statement() as connection:
                found = self._people.execute(connection, self._too_late, people_rows(written.claimed))
                late = {(row.run_id, row.entra_id) for row in found}
        return [
            written.failed.get(place)
            or Claim(superseded=one.person in late, is_counted=place in written.counted)
            for place, one in enumerate(wanted)
        ]

    def _write_all(self, connection: Connection, wanted: Sequence[_Wanted]) -> _WrittenClaims:
        """Write the claims that can be made."""
        failed: dict[int, Exception] = {}
        renewed: dict[Person, NotedClaim] = {}
        counted: dict[int, Increment] = {}
        noted = self._locked(connection, {one.person for one in wanted})
        for place, one in enumerate(wanted):
            # Of a message that came twice in the same moment the second renews the first one's claim.
            before = renewed.get(one.person) or noted.get(one.person)
            try:
                renewed[one.person] = self._renewed(before, one)
            except (NotYetError, DecryptionError) as error:
                failed[place] = error
                continue
            if before is not None and not before.is_claimed and one.check_limits is not None:
                counted[place] = Increment(
                    run_id=one.run_id,
                    counts=guard_counts(one.old_values),
                    check_limits=one.check_limits,
                )
        self._claimed.write(connection, self._renew, claimed_rows(renewed))
        return _WrittenClaims(claimed=renewed.keys(), failed=failed, counted=counted)

    def _locked(self, connection: Connection, people: Iterable[Person]) -> dict[Person, NotedClaim]:
        """Return what is noted of those whose receipts are open, and keep these as they are."""
        rows = self._people.execute(connection, self._lock, people_rows(people))
        return {(row.run_id, row.entra_id): noted_claim(row) for row in rows}

    def _renewed(self, before: NotedClaim | None, wanted: _Wanted) -> NotedClaim:
        """Return what is to be noted of a claim, given what was `before`; None if the receipt is not open."""
        if before is None:
            raise NotYetError(Detail(DetailKind.SETTLED_MEANWHILE))
        old_values, new_values = wanted.old_values, wanted.new_values
        # What was noted of another Skolon user says nothing about this one.
        same = before.skolon_id == wanted.skolon_id
        written = self._written(before.before_image if same else None).extended(old_values, new_values)
        kinds = {**change_kinds(old_values, new_values), **(parse_changes(before.changes) if same else {})}
        return NotedClaim(
            skolon_id=wanted.skolon_id,
            changed=sorted({*(before.changed if same else ()), *map(str, old_values)}),
            changes=format_changes(kinds),
            before_image=self._cipher.encrypt_json(written.as_json()),
            is_claimed=True,
        )

    def _written(self, sealed: str | None) -> ChangeRecord:
        return load_change_record(self._cipher.decrypt_json(sealed)) if sealed else ChangeRecord()
