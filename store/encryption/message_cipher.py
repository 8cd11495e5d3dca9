"""Messages of runs, sealed and opened; and by which keys those of each run were sealed.

What no key of ours opens is a forgery, or was sealed with a key that this process has not been given. The
message itself cannot tell: any publisher may write anything into it. So the database tells which keys a run
used.
"""

from __future__ import annotations

from threading import Lock
from typing import TYPE_CHECKING, Any, Final, TypeVar

from cachetools import LRUCache, TTLCache
from sqlalchemy import insert, select
from sqlalchemy.exc import IntegrityError

from schemas.crypto.encryption import DecryptionError
from schemas.details.kinds import DetailKind
from schemas.errors import PermanentError
from schemas.messages import authentication
from schemas.messages.messages import UserSync
from store import tables
from store.runs.rows import is_run_id

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from schemas.crypto.encryption import FieldCipher
    from schemas.messages.authentication import DecryptedUser
    from schemas.messages.messages import SyncRequest, TenantPage
    from store.database import Database

#: Runs of which a process remembers that its key is noted (promise P10).
_REMEMBERED: Final = 1024

#: Seconds for which a process remembers the uid of a run: its database may be lost and made anew meanwhile.
UID_SECONDS: Final = 30.0

Opened = TypeVar("Opened")


class MessageCipher:
    """The one door to what is sealed in messages; may be shared by threads."""

    def __init__(self, database: Database, cipher: FieldCipher) -> None:
        self._database = database
        self._cipher = cipher
        self._noted: LRUCache[int, bool] = LRUCache(_REMEMBERED)
        self._uids: TTLCache[int, str] = TTLCache(_REMEMBERED, UID_SECONDS)
        self._lock = Lock()
        #: Held by the one thread that reads a uid: all threads of a worker that starts ask at once.
        self._reading = Lock()

    def sign_page(self, page: TenantPage) -> TenantPage:
        """Return the page with the proof that it is ours."""
        self._note(page.run)
        return authentication.sign_page(page, self._cipher, self._uid(page.run))

    def encrypt_user(
        self, user: UserSync, data: object | None = None, *, operation: int | None = None
    ) -> UserSync:
        """Return the user's message with its payload; without `data` the user is to be read afresh.

        `operation` is the replay that publishes it, if one does.
        """
        self._note(user.run)
        return authentication.encrypt_user(user, data, operation, self._cipher, self._uid(user.run))

    def encrypt_users(self, tenant: str, run_id: int, data: Mapping[str, object | None]) -> list[UserSync]:
        """Return the messages of a run's users, as `encrypt_user` does; `data` has each user's, by id."""
        self._note(run_id)
        uid = self._uid(run_id)
        return [
            authentication.encrypt_user(
                UserSync(tenant=tenant, run=run_id, user=user, payload=None), one, None, self._cipher, uid
            )
            for user, one in data.items()
        ]

    def check_page(self, page: TenantPage) -> None:
        """Raise `PermanentError` (`forged_message`) unless the page is ours.

        Raises `DecryptionError` when this process lacks a key that the run uses.
        """
        self._open(page.run, lambda uid: authentication.verify_page(page, self._cipher, uid))

    def decrypt_user(self, user: UserSync) -> DecryptedUser:
        """Return what is sealed in a user's message; raises as `check_page` does."""
        return self._open(user.run, lambda uid: authentication.decrypt_user(user, self._cipher, uid))

    def sign_trigger(self, event_id: str, fields: dict[str, Any]) -> str:
        """Return the proof that a trigger is our operator's."""
        return authentication.sign_trigger(event_id, fields, self._cipher)

    def is_allowed(self, request: SyncRequest, event_id: str, fields: dict[str, Any]) -> bool:
        """Say whether a trigger asks for no more than any client may, or is our operator's."""
        if not authentication.is_privileged(request, event_id):
            return True
        try:
            return authentication.has_valid_proof(event_id, fields, self._cipher)
        except DecryptionError:
            return False

    def _open(self, run_id: int, open_with: Callable[[str | None], Opened]) -> Opened:
        """Open a message with the uid of its run, which is read again before it is taken for a forgery."""
        try:
            try:
                return open_with(self._uid(run_id))
            except PermanentError:
                return open_with(self._uid(run_id, is_fresh=True))
        except DecryptionError:
            raise self._why_closed(run_id) from None

    def _uid(self, run_id: int, *, is_fresh: bool = False) -> str | None:
        """Return the uid of a run, None if there is none of that number; remembered for half a minute."""
        if not is_run_id(run_id):
            return None
        if is_fresh:
            return self._read_uid(run_id)
        known = self._kept_uid(run_id)
        if known is None:
            with self._reading:
                known = self._kept_uid(run_id) or self._read_uid(run_id)
        return known

    def _kept_uid(self, run_id: int) -> str | None:
        with self._lock:
            return self._uids.get(run_id)

    def _read_uid(self, run_id: int) -> str | None:
        with self._database.transaction() as connection:
            known: str | None = connection.scalar(select(tables.runs.c.uid).where(tables.runs.c.id == run_id))
        if known is not None:
            with self._lock:
                self._uids[run_id] = known
        return known

    def _why_closed(self, run_id: int) -> Exception:
        used: set[str] = set()
        if is_run_id(run_id):
            keys = tables.run_keys
            with self._database.transaction() as connection:
                used = set(connection.scalars(select(keys.c.key_id).where(keys.c.run_id == run_id)))
        if used <= set(self._cipher.key_ids):
            return authentication.forged_message(DetailKind.SEALED_BY_OTHERS)
        return DecryptionError()

    def _note(self, run_id: int) -> None:
        """Note by which key this process seals a run's messages, before the first of them is published."""
        with self._lock:
            if self._noted.get(run_id):
                return
        values = {"run_id": run_id, "key_id": self._cipher.key_ids[0]}
        keys = tables.run_keys
        try:
            with self._database.transaction() as connection:
                is_there = select(keys.c.run_id).where(
                    keys.c.run_id == run_id, keys.c.key_id == values["key_id"]
                )
                if connection.scalar(is_there) is None:
                    connection.execute(insert(keys).values(values))
        except IntegrityError:
            # Another process has noted the same, or the run is gone and its messages have no reader.
            return
        with self._lock:
            self._noted[run_id] = True
