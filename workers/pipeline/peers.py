"""The other users of a user's run: which of them are still to come, and how long this one has waited."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Final, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from schemas.messages.messages import UserSync
    from schemas.users.attributes import Attribute
    from store.store import Store

#: Seconds until a user that waits for another one is tried again, at least and at most.
_FIRST_WAIT: Final = 1.0
_LONGEST_WAIT: Final = 60.0

#: For how long a value is awaited of a Skolon user whose account is not known yet.
_UNKNOWN_ACCOUNT: Final = dt.timedelta(seconds=30)


class Peers(Protocol):
    """What a user's steps ask about the other users of its run."""

    #: Whether the others go first. Otherwise nothing is written, so a value that is given up is free.
    waits: bool

    def is_expected(self, user_id: str) -> bool:
        """Say whether another user still comes to an outcome in the run."""

    def may_name_account(self) -> bool:
        """Say whether another user may still turn out to own a Skolon user without an account."""

    def retry_after(self) -> float:
        """Return in how many seconds to try again."""

    def before_images(self, skolon_id: str) -> Sequence[Mapping[Attribute, str | None]]:
        """Return the values from before each run that changed this user, the newest run first."""


class RunPeers:
    """The users of a run that writes."""

    waits = True

    def __init__(self, store: Store, message: UserSync) -> None:
        self._store = store
        self._message = message

    def is_expected(self, user_id: str) -> bool:
        """Say whether another user has no outcome in the run yet, or may still be listed."""
        return self._store.peer_progress.is_expected(self._message.run, user_id)

    def may_name_account(self) -> bool:
        """Say so for a while as long as other users have no outcome: a match writes the External Id."""
        return self._waited() < _UNKNOWN_ACCOUNT and self._store.peer_progress.others_pending(
            self._message.run
        )

    def retry_after(self) -> float:
        """Return a quarter of the time that this user has waited, within bounds."""
        return min(max(self._waited().total_seconds() / 4, _FIRST_WAIT), _LONGEST_WAIT)

    def before_images(self, skolon_id: str) -> Sequence[Mapping[Attribute, str | None]]:
        """Return what this user's claims have noted, also those of runs that have ended."""
        return self._store.undo_records.before_images(self._message.run, self._message.user, skolon_id)

    def _waited(self) -> dt.timedelta:
        since = self._store.waits.since(self._message.run, self._message.user)
        return dt.timedelta(0) if since is None else dt.datetime.now(dt.UTC) - since


class DryRunPeers:
    """The users of a run that writes nothing, so that none has given up a value when another one comes."""

    waits = False

    def __init__(self, store: Store, message: UserSync) -> None:
        self._store = store
        self._message = message

    def is_expected(self, user_id: str) -> bool:
        """Say whether another user is in the run."""
        return self._store.peer_progress.is_expected(self._message.run, user_id, settled=True)

    def may_name_account(self) -> bool:
        """Say no: a dry run writes no External Id."""
        return False

    def retry_after(self) -> float:
        """Return the shortest wait; a dry run waits for no one."""
        return _FIRST_WAIT

    def before_images(self, skolon_id: str) -> Sequence[Mapping[Attribute, str | None]]:
        """Return what this user's claims in other runs have noted."""
        return self._store.undo_records.before_images(self._message.run, self._message.user, skolon_id)


class AnyRunPeers:
    """The users of a run that is only imagined: every user in scope is in it."""

    waits = False

    def is_expected(self, user_id: str) -> bool:
        """Say yes."""
        del user_id
        return True

    def may_name_account(self) -> bool:
        """Say no: nothing is written."""
        return False

    def retry_after(self) -> float:
        """Return the shortest wait; an explanation waits for no one."""
        return _FIRST_WAIT

    def before_images(self, skolon_id: str) -> Sequence[Mapping[Attribute, str | None]]:
        """Return nothing."""
        del skolon_id
        return ()


#: The peers of a user that is only looked at.
ANY_RUN: Final = AnyRunPeers()
