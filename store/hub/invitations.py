"""Links that sign a member of the Data Hub in, once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, insert, select, update

from schemas.hub.session import LINK_LIFETIME, REPEATED_WITHIN, LinkFault
from store import tables
from store.timestamps import as_utc, now

if TYPE_CHECKING:
    import datetime as dt

    from sqlalchemy import Row, Select

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

    def end_all(self, member: int) -> None:
        """Have no link sign a member in any more."""
        invitations = tables.hub_invitations
        with self._database.transaction() as connection:
            connection.execute(delete(invitations).where(invitations.c.member_id == member))

    def fault(self, token_hash: str) -> LinkFault | None:
        """Return why a link would not sign in, None if it would. Nothing changes."""
        with self._database.transaction() as connection:
            row = connection.execute(_link(token_hash)).one_or_none()
        return _fault(row, now())

    def use(self, token_hash: str, browser_hash: str) -> int | LinkFault:
        """Use a link up and return its member, or why it does not sign in. Of two at once one succeeds.

        The browser that has used it just now, which `browser_hash` tells from others, gets the member again.
        """
        invitations, moment = tables.hub_invitations, now()
        is_unused = (invitations.c.token_hash == token_hash) & invitations.c.used.is_(None)
        with self._database.transaction() as connection:
            fault = _fault(connection.execute(_link(token_hash)).one_or_none(), moment)
            if fault is None:
                values = {"used": moment, "browser_hash": browser_hash}
                connection.execute(update(invitations).where(is_unused).values(values))
            elif fault is not LinkFault.USED:
                return fault
            # As it is now, whether this call has used it or another one at the same moment.
            row = connection.execute(_link(token_hash)).one_or_none()
        if row is None:
            return LinkFault.UNKNOWN
        is_same = row.browser_hash == browser_hash and as_utc(row.used) > moment - REPEATED_WITHIN
        return int(row.member_id) if is_same else LinkFault.USED

    def member_of(self, token_hash: str) -> int | None:
        """Return the member of a link, used or not; None if there is none."""
        query = select(tables.hub_invitations.c.member_id)
        with self._database.transaction() as connection:
            return connection.scalar(query.where(tables.hub_invitations.c.token_hash == token_hash))


def _link(token_hash: str) -> Select[Any]:
    return select(tables.hub_invitations).where(tables.hub_invitations.c.token_hash == token_hash)


def _fault(row: Row[Any] | None, moment: dt.datetime) -> LinkFault | None:
    if row is None:
        return LinkFault.UNKNOWN
    if row.used is not None:
        return LinkFault.USED
    return LinkFault.TOO_OLD if as_utc(row.expires) <= moment else None
