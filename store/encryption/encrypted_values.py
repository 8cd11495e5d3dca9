"""What the database holds sealed, whatever the column: which key each value needs, and a newer one for it.

The columns are those that `store.tables` marks as sealed; there is no other list of them.
"""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from sqlalchemy import JSON, Text, cast, select, tuple_, update

from schemas.crypto.encryption import KeyAge
from store import tables
from store.encryption.scope_rules import ENCRYPTED_MEMBER

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from sqlalchemy import Column, ColumnElement

    from schemas.crypto.encryption import FieldCipher
    from store.database import Database

#: Rows that are looked at, and changed, in one transaction.
BATCH: Final = 500

#: A row's primary key.
_Key = tuple[Any, ...]


@dataclass(frozen=True, kw_only=True)
class ColumnStatus:
    """How many of a column's values each kind of key opens; `rotated` of them have just been sealed anew."""

    column: str
    ages: Mapping[KeyAge, int]
    rotated: int = 0

    def as_json(self) -> dict[str, Any]:
        """Return it for programs."""
        return {"column": self.column, **{str(age): self.ages.get(age, 0) for age in KeyAge}}


class _Renewed(NamedTuple):
    """What a row's column holds and is to hold, and how many values in it needed an older key."""

    before: str
    after: Any
    values: int


class EncryptedValues:
    """All that is sealed in the database; may be used while workers run."""

    def __init__(self, database: Database, cipher: FieldCipher) -> None:
        self._database = database
        self._cipher = cipher

    def status(self) -> list[ColumnStatus]:
        """Return, for each column, how many values which key opens; nothing is changed."""
        return [self._column(column, rotates=False) for column in tables.ENCRYPTED_COLUMNS]

    def rotate(self) -> Iterator[ColumnStatus]:
        """Seal with the first key what an older one has sealed; yield how each column stands after that.

        What another process changes or has locked meanwhile is left for the next time. May be broken off
        anywhere: what is done is done. Raises `TransientError` (database).
        """
        for column in tables.ENCRYPTED_COLUMNS:
            yield self._column(column, rotates=True)

    def _column(self, column: Column[Any], *, rotates: bool) -> ColumnStatus:
        ages: Counter[KeyAge] = Counter()
        rotated = 0
        after: _Key | None = None
        while True:
            rows = self._rows(column, after)
            renewed: dict[_Key, _Renewed] = {}
            for row in rows:
                found, value = self._looked_at(column, row.sealed)
                ages.update(found)
                if found[KeyAge.OLDER]:
                    renewed[tuple(row[:-1])] = _Renewed(row.sealed, value, found[KeyAge.OLDER])
            if rotates and renewed:
                rotated += sum(renewed[key].values for key in self._replace(column, renewed))
            if len(rows) < BATCH:
                break
            after = tuple(rows[-1][:-1])
        ages[KeyAge.OLDER] -= rotated
        ages[KeyAge.NEWEST] += rotated
        name = f"{column.table.name}.{column.name}"
        return ColumnStatus(column=name, ages=ages, rotated=rotated)

    def _rows(self, column: Column[Any], after: _Key | None) -> Sequence[Any]:
        keys = _keys(column)
        query = select(*keys, cast(column, Text).label("sealed")).where(column.is_not(None))
        if after is not None:
            query = query.where(tuple_(*keys) > after)
        with self._database.transaction() as connection:
            return connection.execute(query.order_by(*keys).limit(BATCH)).all()

    def _replace(self, column: Column[Any], renewed: Mapping[_Key, _Renewed]) -> list[_Key]:
        """Write the renewed values of rows that are as they were; return the keys of those rows."""
        keys = _keys(column)
        free = select(*keys).where(tuple_(*keys).in_(list(renewed))).with_for_update(skip_locked=True)
        done = []
        with self._database.transaction() as connection:
            # No lock is waited for, so workers that lock in another order are no danger.
            for key in [tuple(row) for row in connection.execute(free)]:
                one = renewed[key]
                is_row: ColumnElement[bool] = tuple_(*keys) == key
                statement = (
                    update(column.table)
                    .where(is_row, cast(column, Text) == one.before)
                    .values({column.name: one.after})
                )
                if connection.execute(statement).rowcount:
                    done.append(key)
        return done

    def _looked_at(self, column: Column[Any], raw: str) -> tuple[Counter[KeyAge], Any]:
        """Return the ages of the keys that a column's value needs, and the value sealed with the first."""
        ages: Counter[KeyAge] = Counter()
        if not isinstance(column.type, JSON):
            return ages, self._renewed(raw, ages)
        return ages, self._renewed_inside(json.loads(raw), ages)

    def _renewed_inside(self, value: Any, ages: Counter[KeyAge]) -> Any:
        if isinstance(value, list):
            return [self._renewed_inside(each, ages) for each in value]
        if not isinstance(value, dict):
            return value
        return {
            name: self._renewed(inner, ages)
            if name == ENCRYPTED_MEMBER and isinstance(inner, str)
            else self._renewed_inside(inner, ages)
            for name, inner in value.items()
        }

    def _renewed(self, sealed: str, ages: Counter[KeyAge]) -> str:
        age = self._cipher.key_age(sealed)
        ages[age] += 1
        return self._cipher.rotate(sealed) if age is KeyAge.OLDER else sealed


def _keys(column: Column[Any]) -> list[Column[Any]]:
    return list(column.table.primary_key.columns)
