"""What SQLAlchemy, psycopg and sqlite3 raise, as errors of ours that say what an operator can do."""

from __future__ import annotations

import sqlite3
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from sqlalchemy.exc import DataError, DBAPIError, InterfaceError, InternalError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from schemas.errors import Dependency, FailureKind, OperatorError, TransientError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator

_VARIABLE: Final = "UPDATE_SYNC_DATABASE_URL"

#: psycopg refuses the first, and Python the second.
UNSTORABLE: Final = "A text holds what no database can store: a NUL, or half a surrogate pair."

NOT_UPGRADED: Final = "The database is not upgraded: run 'update-sync database upgrade' first."

#: The database is away, or two transactions got into each other's way (deadlock, serialization).
_AWAY: Final = (OperationalError, InterfaceError, InternalError)

#: What PostgreSQL says within a connection (appendix A of its manual) and what an operator can do.
_REFUSED_BY_STATE: Final = {
    "25006": "PostgreSQL at {address} is read-only; is it a standby? Name the primary in {variable}.",
    "42501": "The user of {variable} lacks a right in PostgreSQL: have it own the database and its tables.",
    "42P01": NOT_UPGRADED,
    "42703": NOT_UPGRADED,
}
_AWAY_BY_STATE: Final = {
    "53100": "PostgreSQL at {address} has no disk space left: make room",
    "53300": "PostgreSQL at {address} has no connection left: raise its max_connections, "
    "or run fewer processes",
}

#: What PostgreSQL and libpq say when a connection cannot be made: they give no code then, only words.
_REFUSED_BY_WORDS: Final = {
    "password authentication failed": "PostgreSQL at {address} refuses the user or the password "
    "in {variable}: correct them there.",
    "no password supplied": "PostgreSQL at {address} asks for a password: name one in {variable}.",
    "no pg_hba.conf entry": "PostgreSQL at {address} lets the user of {variable} not in from here: "
    "allow it in its pg_hba.conf.",
    "permission denied for database": "The user of {variable} may not connect to its database: "
    "grant it CONNECT.",
    'role "': "PostgreSQL at {address} does not know the user in {variable}: create it, or correct its name.",
    'database "': "PostgreSQL at {address} has no database of the name in {variable}: create it, "
    "or correct the name.",
    "does not support SSL": "PostgreSQL at {address} speaks no TLS, which {variable} demands: "
    "switch it on there, or take sslmode away here.",
    "certificate verify failed": "The certificate of PostgreSQL at {address} is not trusted: "
    "name its authority with sslrootcert in {variable}.",
    "root certificate file": "The file that sslrootcert in {variable} names cannot be read: "
    "correct the path.",
    "invalid response to SSL negotiation": "What answers at {address} is not PostgreSQL: "
    "correct host and port in {variable}.",
    "expected authentication request": "What answers at {address} is not PostgreSQL: "
    "correct host and port in {variable}.",
    "invalid port number": "The port in {variable} is no port: correct it.",
    "invalid URI query parameter": "{variable} has an option that PostgreSQL does not know: take it away.",
    "invalid connection option": "{variable} has an option that PostgreSQL does not know: take it away.",
    'value: "': "An option in {variable} has a value that PostgreSQL does not know: correct it.",
}
_AWAY_BY_WORDS: Final = {
    "failed to resolve host": "the host of {address} is not known: is it right in {variable}?",
    "could not translate host name": "the host of {address} is not known: is it right in {variable}?",
    "Connection refused": "nothing listens at {address}: are host and port right in {variable}?",
    "timeout expired": "{address} does not answer",
    "the database system is": "PostgreSQL at {address} is starting or shutting down",
    "too many clients": _AWAY_BY_STATE["53300"],
    "too many connections": _AWAY_BY_STATE["53300"],
    "remaining connection slots": _AWAY_BY_STATE["53300"],
}

#: SQLite's primary result codes (sqlite.org/rescode.html).
_REFUSED_BY_SQLITE: Final = {
    sqlite3.SQLITE_CANTOPEN: "The database's file cannot be opened: does its folder exist, "
    "and may we write there?",
    sqlite3.SQLITE_READONLY: "The database's file may not be written to: have us own it and its folder, "
    "on a disk that is not read-only.",
    sqlite3.SQLITE_NOTADB: "The database's file is not SQLite's: correct the path in {variable}.",
    sqlite3.SQLITE_PERM: "The database's file may not be opened: have us own it.",
}
_AWAY_BY_SQLITE: Final = {
    sqlite3.SQLITE_FULL: "the disk of the database's file is full: make room",
    sqlite3.SQLITE_IOERR: "the disk of the database's file does not work, or is full",
}


@contextmanager
def translate_errors(address: str) -> Iterator[None]:
    """Turn SQLAlchemy's exceptions into ours; their texts may hold values, ours do not (promise P6).

    `address` is the server's, as it may be shown. Raises `TransientError` (database) when the database is
    away or two transactions got into each other's way, `OperatorError` when an operator has to mend it,
    and `UsageError` for a text that cannot be stored.
    """
    try:
        yield
    except PoolTimeoutError:
        raise TransientError(
            Dependency.DATABASE, "no connection became free in time", kind=FailureKind.TIMEOUT
        ) from None
    except UnicodeEncodeError:
        raise UsageError(UNSTORABLE) from None
    except DataError as error:
        if "NUL" not in str(error.orig):
            raise
        raise UsageError(UNSTORABLE) from None
    except DBAPIError as error:
        refused, away = _meaning(error)
        if refused is not None:
            detail = refused.format(address=address, variable=_VARIABLE)
            raise OperatorError(Dependency.DATABASE, detail, kind=FailureKind.REFUSED) from None
        if away is not None:
            detail = away.format(address=address, variable=_VARIABLE)
            raise TransientError(Dependency.DATABASE, detail, kind=FailureKind.NO_CONNECTION) from None
        if isinstance(error, _AWAY) or error.connection_invalidated:
            detail = f"the database did not do it ({type(error.orig or error).__name__})"
            raise TransientError(Dependency.DATABASE, detail, kind=FailureKind.NO_CONNECTION) from None
        raise


def _meaning(error: DBAPIError) -> tuple[str | None, str | None]:
    """Return what an operator has to mend, or else what is to be waited for, as far as the error tells."""
    cause = error.orig
    if isinstance(cause, sqlite3.Error):
        return _meaning_for_sqlite(cause)
    state = getattr(cause, "sqlstate", None)
    if state is not None:
        return _REFUSED_BY_STATE.get(state), _AWAY_BY_STATE.get(state)
    said = str(cause)
    away = next((text for words, text in _AWAY_BY_WORDS.items() if words in said), None)
    if away is not None:
        return None, away
    return next((text for words, text in _REFUSED_BY_WORDS.items() if words in said), None), None


def _meaning_for_sqlite(cause: sqlite3.Error) -> tuple[str | None, str | None]:
    if str(cause).startswith(("no such table", "no such column")):
        return NOT_UPGRADED, None
    # The lowest byte is the primary code, the others say more of it.
    code = getattr(cause, "sqlite_errorcode", 0) & 0xFF
    return _REFUSED_BY_SQLITE.get(code), _AWAY_BY_SQLITE.get(code)
