"""What the last runs have written to a user: a value that Skolon has altered since is not written again."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import or_, select, true

from schemas.users.attributes import Attribute
from store import tables
from store.batch_statements import BatchRows, coalesced
from store.changes.undo import decrypted_record
from store.receipts.work_items import RECEIPT_KEY

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import FromClause, Row, Select

    from runtime.coalescer import Coalescer
    from schemas.crypto.encryption import FieldCipher
    from schemas.runs.before_image import ChangeRecord
    from store.database import Database

#: Receipts of a user that are read.
_RECEIPTS_READ: Final = 10


@dataclass(frozen=True, kw_only=True)
class LastWrites:
    """What the last runs have written to an Entra user's Skolon user, the newest first.

    `version` is the one that the last of them, or a run that compared since, has met, None if that is not
    known. `altered` are the attributes of which that one said that Skolon had altered them.
    """

    skolon_id: str
    version: str | None
    records: tuple[ChangeRecord, ...]
    altered: frozenset[Attribute]

    def wrote(self, attribute: Attribute, value: str | None) -> bool:
        """Say whether the newest run that has written an attribute wrote this value."""
        record = self._newest(attribute)
        return record is not None and record.wrote(attribute, value)

    def showed(self, attribute: Attribute, value: str | None) -> bool:
        """Say whether Skolon showed this value right after that run had written another one."""
        record = self._newest(attribute)
        return record is not None and record.showed(attribute, value)

    def _newest(self, attribute: Attribute) -> ChangeRecord | None:
        return next((each for each in self.records if attribute in each.before_image), None)


class WriteHistory:
    """What runs have written to users; threads that ask at the same moment share a query."""

    def __init__(self, database: Database, cipher: FieldCipher) -> None:
        self._database = database
        self._cipher = cipher
        self._users = BatchRows(RECEIPT_KEY, is_sqlite=database.is_sqlite)
        self._query = _query(self._users.table, is_sqlite=database.is_sqlite)
        self._reading: Coalescer[None, tuple[int, str], list[Row[Any]]] = coalesced(self._read_batch)

    def last_writes(self, run_id: int, entra_id: str) -> LastWrites | None:
        """Return what runs before this one have written to a user; None if they have written nothing.

        Raises `DecryptionError` when none of the keys decrypts what was noted.
        """
        rows = self._reading.call(None, (run_id, entra_id))
        if not rows or rows[0].skolon_id is None:
            return None
        last = rows[0]
        claimed = [row for row in rows if row.before_image is not None and row.skolon_id == last.skolon_id]
        return LastWrites(
            skolon_id=last.skolon_id,
            version=last.skolon_version,
            records=tuple(decrypted_record(row.before_image, self._cipher) for row in claimed),
            altered=frozenset(map(Attribute, last.altered_attributes or ())),
        )

    def _read_batch(self, _: None, asked: Sequence[tuple[int, str]]) -> list[list[Row[Any]]]:
        """Return the receipts of each user, the newest first."""
        users = [{"run_id": run_id, "entra_id": entra_id} for run_id, entra_id in sorted(set(asked))]
        found: defaultdict[tuple[int, str], list[Row[Any]]] = defaultdict(list)
        with self._database.statement() as connection:
            for row in self._users.execute(connection, self._query, users):
                found[row.run_id, row.entra_id].append(row)
        for rows in found.values():
            rows.sort(key=lambda row: int(row.written_by), reverse=True)
        return [found[user] for user in asked]


def _query(given: FromClause, *, is_sqlite: bool) -> Select[Any]:
    receipts, runs = tables.receipts, tables.runs
    this_run = runs.alias()
    tenant_id = (
        select(this_run.c.tenant_id).where(this_run.c.id == given.c.run_id).correlate(given).scalar_subquery()
    )
    written = (
        select(
            receipts.c.run_id.label("written_by"),
            receipts.c.skolon_id,
            receipts.c.skolon_version,
            receipts.c.before_image,
            receipts.c.altered_attributes,
        )
        .join(runs, runs.c.id == receipts.c.run_id)
        .where(
            receipts.c.tenant_id == tenant_id,
            receipts.c.entra_id == given.c.entra_id,
            receipts.c.run_id < given.c.run_id,
            ~runs.c.dry_run,
            or_(receipts.c.before_image.is_not(None), receipts.c.skolon_version.is_not(None)),
        )
        .order_by(receipts.c.run_id.desc())
        .limit(_RECEIPTS_READ)
    )
    if is_sqlite:
        # SQLite has no LATERAL, and is given one user at a time.
        return written.add_columns(given.c.run_id, given.c.entra_id).join(given, true())
    each = written.correlate(given).lateral("written")
    return select(given.c.run_id, given.c.entra_id, each).join(each, true())
