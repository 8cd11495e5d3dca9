"""Halts the run of an organisation whose server answers every update with success, and makes none."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Final

from cachetools import TTLCache

from clients.skolon.updates.answers import moved
from schemas.details.detail import Detail
from schemas.details.kinds import DetailKind
from schemas.errors import HaltError
from schemas.outcomes import Cause, Stage

if TYPE_CHECKING:
    from collections.abc import Mapping

    from schemas.users.attributes import Attribute
    from schemas.users.skolon_user import SkolonUser

#: Users in a row, and attributes among their changes, of which nothing has changed. One attribute alone may
#: be one that the server keeps in another form.
MAX_IGNORED: Final = 10
MIN_ATTRIBUTES: Final = 3

#: Organisations that are remembered (promise P10), and for how many seconds.
_CAPACITY: Final = 1000
_TTL: Final = 3600.0


class IgnoredUpdates:
    """Counts updates without effect by organisation, until one has an effect; may be shared by threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        #: The changed attributes of each user; None once an update has had an effect.
        self._rows: TTLCache[str, list[frozenset[Attribute]] | None] = TTLCache(_CAPACITY, ttl=_TTL)

    def note(
        self,
        organisation: str,
        before: SkolonUser,
        after: SkolonUser,
        changes: Mapping[Attribute, str | None],
    ) -> None:
        """Note a user before and after an update; raises `HaltError` (`skolon_update`)."""
        with self._lock:
            if moved(before, after, changes):
                self._rows[organisation] = None
                return
            row = self._rows.setdefault(organisation, [])
            if row is None:
                return
            row.append(frozenset(changes))
            is_ignored = len(row) >= MAX_IGNORED and len(frozenset().union(*row)) >= MIN_ATTRIBUTES
            del row[:-MAX_IGNORED]
        if is_ignored:
            raise HaltError(
                Cause.SKOLON_UPDATE,
                Detail(DetailKind.UPDATES_IGNORED, users=MAX_IGNORED),
                stage=Stage.UPDATE,
            )
