"""Messages of runs, sealed and opened; and by which keys those of each run were sealed.

What no key of ours opens is a forgery, or was sealed with a key that this process has not been given. The
message itself cannot tell: anybody may write anything into it. So the books tell which keys a run used.
"""

from __future__ import annotations

from collections import OrderedDict
from threading import Lock
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import insert, select
from sqlalchemy.exc import IntegrityError

from schemas.crypto.encryption import UnsealableError
from schemas.messages import binding
from store import tables
from store.runs.rows import is_run_id

if TYPE_CHECKING:
    from schemas.crypto.encryption import Sealer
    from schemas.messages.binding import OpenedUser
    from schemas.messages.messages import TenantPage, TenantSync, UserSync
    from store.database import Database

#: Runs of which a process remembers that its key is noted (promise P10).
_REMEMBERED: Final = 1024


class RunSeals:
    """The one door to what is sealed in messages; may be shared by threads."""

    def __init__(self, database: Database, sealer: Sealer) -> None:
        self._database = database
        self._sealer = sealer
        self._noted: OrderedDict[int, None] = OrderedDict()
        self._lock = Lock()

    def page(self, page: TenantPage) -> TenantPage:
        """Return the page with the proof that it is ours."""
        self._note(page.run)
        return binding.sealed_page(page, self._sealer)

    def user(self, user: UserSync, data: object | None = None, *, operation: int | None = None) -> UserSync:
        """Return the user's message with its payload; without `data` the user is to be read afresh.

        `operation` is the replay that publishes it, if one does.
        """
        self._note(user.run)
        return binding.sealed_user(user, data, operation, self._sealer)

    def check_page(self, page: TenantPage) -> None:
        """Raise `PermanentError` (`forged_message`) unless the page is ours.

        Raises `UnsealableError` when this process lacks a key that the run uses.
        """
        try:
            binding.check_page(page, self._sealer)
        except UnsealableError:
            raise self._why_closed(page.run) from None

    def open_user(self, user: UserSync) -> OpenedUser:
        """Return what is sealed in a user's message; raises as `check_page` does."""
        try:
            return binding.open_user(user, self._sealer)
        except UnsealableError:
            raise self._why_closed(user.run) from None

    def proof(self, event_id: str, fields: dict[str, Any]) -> str:
        """Return the proof that a trigger is our operator's."""
        return binding.trigger_proof(event_id, fields, self._sealer)

    def is_allowed(self, wish: TenantSync, event_id: str, fields: dict[str, Any]) -> bool:
        """Say whether a trigger asks for no more than anybody may, or is our operator's."""
        if not binding.is_privileged(wish, event_id):
            return True
        try:
            return binding.has_proof(event_id, fields, self._sealer)
        except UnsealableError:
            return False

    def _why_closed(self, run_id: int) -> Exception:
        used: set[str] = set()
        if is_run_id(run_id):
            keys = tables.run_keys
            with self._database.transaction() as connection:
                used = set(connection.scalars(select(keys.c.key_id).where(keys.c.run_id == run_id)))
        if used <= set(self._sealer.key_ids):
            return binding.forged("the message holds what none of the run's keys has sealed")
        return UnsealableError()

    def _note(self, run_id: int) -> None:
        """Note by which key this process seals a run's messages, before the first of them is published."""
        with self._lock:
            if run_id in self._noted:
                return
        values = {"run_id": run_id, "key_id": self._sealer.key_ids[0]}
        keys = tables.run_keys
        try:
            with self._database.transaction() as connection:
                is_there = select(keys.c.run_id).where(
                    keys.c.run_id == run_id, keys.c.key_id == values["key_id"]
                )
                if connection.scalar(is_there) is None:
                    connection.execute(insert(keys).values(values))
        except IntegrityError:
            # Another process has noted the same, or the run is gone and its messages are for nobody.
            return
        with self._lock:
            self._noted[run_id] = None
            if len(self._noted) > _REMEMBERED:
                self._noted.popitem(last=False)
