"""Links that sign a member of the Data Hub in, once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import delete, insert, select, update

from schemas.hub.session import LINK_LIFETIME, LinkFault
from store import tables
from store.timestamps import as_utc, now

if TYPE_CHECKING:
    import datetime as dt

    from store.database import Database


class HubInvitations:
    """The invitations' table, by the hash of each link's token; may be shared by threads."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, token_hash: str, member: int) -> dt.datetime:
        """Store a link of a member and return when it ends; the member's former links end with it."""
        invitations, begins = tables.hub_invitations, now()
        with self._database.transaction() as connection:
            connection.execute(delete(invitations).where(invitations.c.member_id == member))
            expires = begins + LINK_LIFETIME
            connection.execute(
                insert(invitations).values(token_hash=token_hash, member_id=member, expires=expires)
            )
        return expires

    def use(self, token_hash: str) -> int | LinkFault:
        """Use a link up and return its member, or why it does not sign in. Of two at once one succeeds."""
        invitations, moment = tables.hub_invitations, now()
        is_link = invitations.c.token_hash == token_hash
        with self._database.transaction() as connection:
            row = connection.execute(select(invitations).where(is_link)).one_or_none()
            if row is None:
                return LinkFault.UNKNOWN
            if row.used is None and as_utc(row.expires) <= moment:
                return LinkFault.TOO_OLD
            used = connection.execute(
                update(invitations).where(is_link, invitations.c.used.is_(None)).values(used=moment)
            )
            return int(row.member_id) if used.rowcount else LinkFault.USED
