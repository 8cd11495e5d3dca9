"""One statement for several rows that threads have at the same moment: one journey to PostgreSQL for all."""

from __future__ import annotations

import datetime as dt
import json
from typing import TYPE_CHECKING, Any, Final, TypeVar

from sqlalchemy import JSON, String, and_, bindparam, cast, column, func, literal_column, select, true

from runtime.coalescer import Coalescer
from runtime.services import ShutdownError
from schemas.errors import TransientError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from sqlalchemy import Connection, FromClause, Row, Table
    from sqlalchemy.sql.base import Executable
    from sqlalchemy.types import TypeEngine

#: Rows of one statement at most; a thread has one row, so this is seldom reached.
MAX_ROWS: Final = 64

#: Seconds that a statement waits for further rows where the last one had several: a row more costs a
#: twentieth of a statement more.
PAUSE: Final = 0.005

#: What the parameters' names begin with: those of columns alone are SQLAlchemy's own.
_GIVEN: Final = "given_"

Asked = TypeVar("Asked")
Answer = TypeVar("Answer")


def coalesced(
    together: Callable[[None, Sequence[Asked]], Sequence[Answer | Exception]],
) -> Coalescer[None, Asked, Answer]:
    """Make one call of many; that the database is away, or lacks its tables, is the error of all."""
    return Coalescer(
        together,
        max_batch=MAX_ROWS,
        fill_wait=PAUSE,
        shared_errors=(TransientError, ShutdownError, UsageError),
    )


def lookup_join(
    given: FromClause, table: Table, *keys: str, is_sqlite: bool
) -> tuple[FromClause, FromClause]:
    """Return what to select from for the given rows' own rows of a table, and these rows.

    PostgreSQL looks each of them up by all its keys: of a plain join it may think that reading everything
    that has one of the keys, a whole run, is as good.
    """
    same = and_(*(table.c[key] == given.c[key] for key in keys))
    if is_sqlite:
        return given.join(table, same), table
    found = select(table).where(same).offset(literal_column("0")).lateral(f"{table.name}_found")
    return given.join(found, true()), found


class BatchRows:
    """Rows that a statement is given, as a table that it can join: `table` has the columns.

    Statements are made of it once and carried out often. On SQLite, where nothing travels, each row is
    a statement.
    """

    def __init__(self, columns: Mapping[str, TypeEngine[Any]], *, is_sqlite: bool) -> None:
        self._is_sqlite = is_sqlite
        self._columns = tuple(columns)
        self.table: FromClause
        if is_sqlite:
            given = [bindparam(f"{_GIVEN}{name}", type_=kind).label(name) for name, kind in columns.items()]
            self.table = select(*given).subquery("given")
        else:
            # One parameter, however many columns: psycopg takes longer over an array a column.
            given_rows = cast(bindparam(_GIVEN, type_=String()), JSON())
            typed = [column(name, kind) for name, kind in columns.items()]
            self.table = (
                func.json_to_recordset(given_rows)
                .table_valued(*typed, name="given")
                .render_derived(with_types=True)
            )

    def execute(
        self,
        connection: Connection,
        statement: Executable,
        rows: Sequence[Mapping[str, Any]],
        **parameters: object,
    ) -> Iterator[Row[Any]]:
        """Yield what the statement returns for the rows, in any order; `parameters` are the same for all."""
        for given in self._given(rows):
            yield from connection.execute(statement, {**given, **parameters})

    def write(self, connection: Connection, statement: Executable, rows: Sequence[Mapping[str, Any]]) -> None:
        """Carry out a statement that returns nothing; without rows there is nothing to do."""
        if rows:
            for given in self._given(rows):
                connection.execute(statement, given)

    def _given(self, rows: Sequence[Mapping[str, Any]]) -> Iterator[dict[str, Any]]:
        """Yield the parameters of each statement that is to be made."""
        if self._is_sqlite:
            for row in rows:
                yield {f"{_GIVEN}{name}": row[name] for name in self._columns}
        else:
            yield {_GIVEN: json.dumps(rows, default=_moment)}


def _moment(value: object) -> str:
    """Write what JSON has no form for: a moment, as PostgreSQL reads it."""
    if isinstance(value, dt.datetime):
        return value.isoformat()
    raise TypeError(f"a row cannot hold a {type(value).__name__}")
