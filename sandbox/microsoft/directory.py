"""One tenant's users: plain Graph user dicts, in memory, with a log of what changed.

Reading a page costs as much as the page, however many users there are.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

User = dict[str, Any]


@dataclass(frozen=True, slots=True)
class LogEntry:
    """One change: whose, and of which properties (None: the user came or went)."""

    user_id: str
    properties: frozenset[str] | None


@dataclass(frozen=True, kw_only=True)
class Entity:
    """What a delta has to say about one user: the user as it is now, or why it is gone.

    ``cleared`` names the properties that had a value once and have none now; ``changed``
    those that this entry is about (None: all).
    """

    user_id: str
    user: User | None
    removed: str | None = None
    cleared: frozenset[str] = frozenset()
    changed: frozenset[str] | None = None


class Directory:
    """The users of one tenant; may be read and changed from many threads."""

    def __init__(self, users: Iterable[Mapping[str, Any]] = ()) -> None:
        #: The largest page, also when `$top` is larger: Graph may return smaller pages (Graph, "Paging").
        self.most_on_a_page: int | None = None
        self._lock = threading.RLock()
        # A row never moves, so a position stays good while users come and go.
        self._rows: list[User | None] = []
        self._row_of: dict[str, int] = {}
        self._id_by_name: dict[str, str] = {}
        self._cleared: dict[str, frozenset[str]] = {}
        self._removed: dict[str, str] = {}
        self._log: list[LogEntry] = []
        self._alive = 0
        for user in users:
            self.add(user)

    def __len__(self) -> int:
        return self._alive

    def add(self, user: Mapping[str, Any]) -> None:
        """Add a user. Raises ValueError without an ``id``, or when the id is there already."""
        user_id = user.get("id")
        if not isinstance(user_id, str):
            raise ValueError("a user needs an id that is a string; use add_raw for one without")  # noqa: TRY004 - a bad value, whatever its type
        with self._lock:
            if user_id in self._row_of:
                raise ValueError(f"there is a user {user_id} already")
            self._row_of[user_id] = len(self._rows)
            self._append(dict(user))
            self._name(user_id, user)
            self._removed.pop(user_id, None)
            self._log.append(LogEntry(user_id, None))

    def add_raw(self, user: Mapping[str, Any]) -> None:
        """Put anything on the list, as it is: without an id, or with one that is there already.

        It can't be asked for by id, and no delta tells of it.
        """
        with self._lock:
            self._append(dict(user))

    def change(self, user_id: str, changes: Mapping[str, Any]) -> None:
        """Set properties of a user; None clears one. Raises KeyError for an unknown id."""
        with self._lock:
            row = self._row_of[user_id]
            old = self._rows[row] or {}
            new = {**old, **changes, "id": user_id}
            touched = frozenset(name for name in new if new.get(name) != old.get(name))
            if not touched:
                return
            now_empty = frozenset(name for name in touched if new[name] is None)
            self._cleared[user_id] = self._cleared.get(user_id, frozenset()) - touched | now_empty
            self._rows[row] = new
            self._unname(old)
            self._name(user_id, new)
            self._log.append(LogEntry(user_id, touched))

    def remove(self, user_id: str, *, reason: str = "changed") -> None:
        """Remove a user. Raises KeyError for an unknown id.

        ``reason`` is what a delta says: "changed" for one that can be restored, "deleted"
        for one that is gone for good (Graph's reference, delta query overview).
        """
        with self._lock:
            row = self._row_of.pop(user_id)
            self._unname(self._rows[row] or {})
            self._rows[row] = None
            self._alive -= 1
            self._cleared.pop(user_id, None)
            self._removed[user_id] = reason
            self._log.append(LogEntry(user_id, None))

    def get(self, id_or_name: str) -> User | None:
        """Return one user by id or user principal name (whatever its case), or None."""
        with self._lock:
            row = self._row_of.get(id_or_name)
            if row is None:
                row = self._row_of.get(id_or_name.lower())
            if row is None:
                row = self._row_of.get(self._id_by_name.get(id_or_name.lower(), ""))
            return None if row is None else self._rows[row]

    def find(self, condition: Callable[[User], bool]) -> list[User]:
        """Return the users that meet a condition."""
        with self._lock:
            return [user for user in self._rows if user is not None and condition(user)]

    def page(self, position: int, size: int) -> tuple[list[User], int | None]:
        """Return at most ``size`` users from ``position`` on, and where the next page begins.

        None in place of the next position means that there are no more users.
        """
        size = min(size, self.most_on_a_page or size)
        with self._lock:
            users: list[User] = []
            for at in range(max(position, 0), len(self._rows)):
                user = self._rows[at]
                if user is None:
                    continue
                if len(users) == size:
                    return users, at
                users.append(user)
            return users, None

    def log_end(self) -> int:
        """Return the position after the last change so far."""
        with self._lock:
            return len(self._log)

    def changes(
        self, start: int, end: int, *, size: int, selected: frozenset[str] | None
    ) -> tuple[list[Entity], int | None]:
        """Return the users that the log names from ``start`` to ``end``, at most ``size`` of them.

        Changes to properties that are not ``selected`` do not count. A user that changed
        several times comes once in a page, and maybe again in the next. The second value is
        where to go on, None at the end.
        """
        with self._lock:
            found: dict[str, frozenset[str] | None] = {}
            at = max(start, 0)
            while at < min(end, len(self._log)):
                entry = self._log[at]
                touched = entry.properties
                if touched is None or selected is None or touched & selected:
                    if entry.user_id not in found and len(found) == size:
                        return [self._entity(*item) for item in found.items()], at
                    before = found.get(entry.user_id, frozenset())
                    found[entry.user_id] = None if touched is None or before is None else before | touched
                at += 1
            return [self._entity(*item) for item in found.items()], None

    def entity(self, user: User) -> Entity:
        """Return what a first delta says about a user."""
        with self._lock:
            user_id = str(user.get("id"))
            return Entity(user_id=user_id, user=user, cleared=self._cleared.get(user_id, frozenset()))

    def _entity(self, user_id: str, changed: frozenset[str] | None) -> Entity:
        row = self._row_of.get(user_id)
        if row is None:
            return Entity(user_id=user_id, user=None, removed=self._removed.get(user_id, "deleted"))
        cleared = self._cleared.get(user_id, frozenset())
        return Entity(user_id=user_id, user=self._rows[row], cleared=cleared, changed=changed)

    def _append(self, user: User) -> None:
        self._rows.append(user)
        self._alive += 1

    def _name(self, user_id: str, user: Mapping[str, Any]) -> None:
        name = user.get("userPrincipalName")
        if isinstance(name, str):
            self._id_by_name.setdefault(name.lower(), user_id)

    def _unname(self, user: Mapping[str, Any]) -> None:
        name = user.get("userPrincipalName")
        if isinstance(name, str) and self._id_by_name.get(name.lower()) == user.get("id"):
            del self._id_by_name[name.lower()]
