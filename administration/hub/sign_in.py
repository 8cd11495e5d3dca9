"""Signing in to the Data Hub by a link, and the session that it starts."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Final

from administration.hub.tokens import hash_token, new_token
from schemas.hub.session import MAX_REFUSED, AuditKind, LinkFault

if TYPE_CHECKING:
    from schemas.crypto.blind_index import BlindIndex
    from schemas.hub.member import Member
    from store.store import Store

#: A session is noted as seen at most so often: a page costs no write but the first of a minute.
_SEEN_INTERVAL: Final = dt.timedelta(minutes=1)


class SignIn:
    """Turns links into sessions, and sessions into members; may be shared by threads."""

    def __init__(self, store: Store, index: BlindIndex) -> None:
        """Take the database, and the index that makes digests of browsers' addresses."""
        self._store = store
        self._index = index

    def link_fault(self, token: str) -> LinkFault | None:
        """Return why a link would not sign in, None if it would. Nothing is used up, and nothing recorded."""
        return self._store.hub_invitations.fault(hash_token(token))

    def member_of_link(self, token: str) -> Member | None:
        """Return the member that a link, used or not, was made for; None for what is no link."""
        member = self._store.hub_invitations.member_of(hash_token(token))
        return None if member is None else self._store.hub_members.find(member)

    def use_link(self, token: str, *, browser: str, address: str) -> str | LinkFault:
        """Use a link up and return the token of a new session, or why there is none.

        `browser` is a secret of the browser, whose second click is answered as its first one. `address` is
        where it is: of an address only so many refused sign-ins are recorded. What is right signs in always.
        """
        member = self._store.hub_invitations.use(hash_token(token), hash_token(browser))
        if isinstance(member, LinkFault):
            return member if self.record_refused(address) else LinkFault.TOO_MANY
        session = self.start_session(member)
        self.record(AuditKind.SIGNED_IN, member, address)
        return session

    def record(self, kind: AuditKind, member: int, address: str) -> None:
        """Record what a member has done in a browser that is at an address."""
        self._store.hub_audit.record(kind, member=member, address_digest=self._digest(address))

    def record_refused(self, address: str) -> bool:
        """Record a refused sign-in; False if there were too many from the address to record another one."""
        audit, digest = self._store.hub_audit, self._digest(address)
        if audit.count_refused(digest) >= MAX_REFUSED:
            return False
        audit.record(AuditKind.SIGN_IN_REFUSED, address_digest=digest)
        return True

    def start_session(self, member: int) -> str:
        """Start a session of a member and return its token."""
        token = new_token()
        self._store.hub_sessions.start(hash_token(token), member)
        return token

    def member_of(self, token: str, now: dt.datetime, *, is_active: bool = True) -> Member | None:
        """Return the member whose session has this token, None if there is none at the aware time `now`.

        `is_active` says that a user asked, and not a page by itself: only then the session stays alive.
        """
        session_hash = hash_token(token)
        session = self._store.hub_sessions.find(session_hash)
        if session is None or not session.is_alive(now):
            return None
        if is_active and now - session.last_seen >= _SEEN_INTERVAL:
            self._store.hub_sessions.record_seen(session_hash)
        return self._store.hub_members.find(session.member)

    def sign_out(self, token: str, member: Member) -> None:
        """End a session of a member."""
        self._store.hub_sessions.end(hash_token(token))
        self._store.hub_audit.record(AuditKind.SIGNED_OUT, member=member.id)

    def sign_out_everywhere(self, member: Member) -> None:
        """End all sessions of a member."""
        self._store.hub_sessions.end_all(member.id)
        self._store.hub_audit.record(AuditKind.SIGNED_OUT_EVERYWHERE, member=member.id)

    def _digest(self, address: str) -> str:
        return self._index.digest("hub", "address", address)
