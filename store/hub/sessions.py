"""Sessions of the Data Hub."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import delete, insert, select, update

from schemas.hub.session import IDLE_LIFETIME, SESSION_LIFETIME, Session
from store import tables
from store.timestamps import as_utc, now

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement

    from store.database import Database


class HubSessions:
    """The sessions' table, by the hash of each session's token; may be shared by threads."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def start(self, token_hash: str, member: int) -> None:
        """Store a new session of a member, and remove those that have ended."""
        sessions, members, moment = tables.hub_sessions, tables.hub_members, now()
        values = {
            "token_hash": token_hash,
            "member_id": member,
            "created": moment,
            "last_seen": moment,
            "ends": moment + SESSION_LIFETIME,
        }
        with self._database.transaction() as connection:
            over = (sessions.c.ends <= moment) | (sessions.c.last_seen <= moment - IDLE_LIFETIME)
            connection.execute(delete(sessions).where(over))
            connection.execute(insert(sessions).values(values))
            connection.execute(update(members).where(members.c.id == member).values(signed_in=moment))

    def find(self, token_hash: str) -> Session | None:
        """Return a session, alive or not; None if there is none."""
        sessions = tables.hub_sessions
        query = select(sessions).where(sessions.c.token_hash == token_hash)
        with self._database.transaction() as connection:
            row = connection.execute(query).one_or_none()
        if row is None:
            return None
        return Session(member=row.member_id, last_seen=as_utc(row.last_seen), ends=as_utc(row.ends))

    def record_seen(self, token_hash: str) -> None:
        """Note that a page was asked for."""
        sessions = tables.hub_sessions
        with self._database.transaction() as connection:
            connection.execute(
                update(sessions).where(sessions.c.token_hash == token_hash).values(last_seen=now())
            )

    def end(self, token_hash: str) -> None:
        """End a session."""
        self._delete(tables.hub_sessions.c.token_hash == token_hash)

    def end_all(self, member: int) -> None:
        """End all sessions of a member."""
        self._delete(tables.hub_sessions.c.member_id == member)

    def _delete(self, condition: ColumnElement[bool]) -> None:
        with self._database.transaction() as connection:
            connection.execute(delete(tables.hub_sessions).where(condition))
