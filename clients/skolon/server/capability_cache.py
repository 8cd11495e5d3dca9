"""Remembers what each organisation's server can do, and shares it with the other processes."""

from __future__ import annotations

import datetime as dt
import threading
import time
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final, Protocol

import structlog
from cachetools import LRUCache

from clients.skolon.server.capabilities import Capabilities, dump_capabilities, load_capabilities, ttl_of
from clients.turns import Turn
from schemas.errors import UpdateSyncError

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping
    from contextlib import AbstractContextManager

    from schemas.capability_finding import CapabilityFinding

#: Seconds after which a process reads again what the database holds: other processes find out and forget.
REREAD: Final = 300.0

#: Organisations of which a process remembers the findings (promise P10).
_CAPACITY: Final = 1000

_UNKNOWN: Final = Capabilities()

_log = structlog.get_logger(__name__)


class CapabilityStore(Protocol):
    """Keeps findings for all processes. Its methods may raise an `UpdateSyncError`, but must not wait."""

    def load(self, organisation: str) -> Mapping[str, CapabilityFinding]:
        """Return what was found out, by the names of the capabilities."""

    def record(self, organisation: str, found: Mapping[str, Any]) -> None:
        """Store capabilities by name, each as JSON."""

    def forget(self, organisation: str, names: Collection[str] = ()) -> None:
        """Remove what was found out; of some capabilities alone if there are `names`."""


@dataclass(frozen=True, kw_only=True)
class _Known:
    """What a process knows of an organisation: values by name, and until when each is valid."""

    values: Mapping[str, Any] = field(default_factory=dict)
    ends: Mapping[str, float] = field(default_factory=dict)
    reread_at: float = 0.0

    @cached_property
    def capabilities(self) -> Capabilities:
        """The same as a value."""
        return Capabilities(**self.values) if self.values else _UNKNOWN

    def at(self, now: float) -> _Known:
        """Return what is still valid."""
        if all(now < end for end in self.ends.values()):
            return self
        ends = {name: end for name, end in self.ends.items() if now < end}
        values = {name: self.values[name] for name in ends}
        return _Known(values=values, ends=ends, reread_at=self.reread_at)


class CapabilityCache:
    """The capabilities of the servers of a process's organisations; may be shared by threads.

    A store that is away does not matter: what it would have told is found out again.
    """

    def __init__(
        self,
        store: CapabilityStore | None = None,
        *,
        clock: Callable[[], float] = time.monotonic,
        wall_clock: Callable[[], dt.datetime] = lambda: dt.datetime.now(dt.UTC),
    ) -> None:
        """Take the store that all processes share, a clock in seconds, and one that tells the moment."""
        self._store = store
        self._clock = clock
        self._wall_clock = wall_clock
        self._lock = threading.Lock()
        self._loading = threading.Lock()
        self._known: LRUCache[str, _Known] = LRUCache(_CAPACITY)
        self._probe_turns: dict[str, Turn] = {}
        self._store_away_until = 0.0

    def get(self, organisation: str) -> Capabilities:
        """Return what is known of an organisation's server."""
        return self._current(organisation).capabilities

    def record(self, organisation: str, **found: Any) -> None:
        """Remember capabilities by their names, each for a while from when it was found out."""
        self._current(organisation)
        with self._lock:
            now = self._clock()
            known = self._known.get(organisation, _Known()).at(now)
            news = {
                name: value for name, value in found.items() if getattr(known.capabilities, name) != value
            }
            if news:
                self._known[organisation] = _Known(
                    values={**known.values, **news},
                    ends={**known.ends, **{name: now + ttl_of(name) for name in news}},
                    reread_at=known.reread_at,
                )
        if news and self._store is not None:
            self._try(lambda store: store.record(organisation, dump_capabilities(news)))

    def forget(self, organisation: str, names: Collection[str] = ()) -> None:
        """Forget what is known, of some capabilities alone if there are `names`: it is found out again."""
        known = self._current(organisation) if names else _Known()
        values = {name: value for name, value in known.values.items() if name not in names}
        ends = {name: known.ends[name] for name in values}
        with self._lock:
            self._known[organisation] = _Known(values=values, ends=ends, reread_at=self._clock() + REREAD)
        self._try(lambda store: store.forget(organisation, names))

    def probe_turn(self, organisation: str) -> AbstractContextManager[None]:
        """Have one thread probe a server; the others wait for it, and share its failure."""
        with self._lock:
            turn = self._probe_turns.setdefault(organisation, Turn())
        return turn.taken()

    def _current(self, organisation: str) -> _Known:
        """Return what is known and valid, after the store was read if it is time for that."""
        known = self._at_hand(organisation)
        if known is None:
            with self._loading:  # the others wait: what they would find out may be known
                known = self._at_hand(organisation) or self._load(organisation)
        return known

    def _at_hand(self, organisation: str) -> _Known | None:
        """Return what is known, None if the store has to be read first."""
        with self._lock:
            now = self._clock()
            known = self._known.get(organisation)
            is_due = self._store is not None and (known is None or known.reread_at <= now)
            if is_due and self._store_away_until <= now:
                return None
            return (known or _Known()).at(now)

    def _load(self, organisation: str) -> _Known:
        findings = self._try(lambda store: store.load(organisation))
        with self._lock:
            now = self._clock()
            if findings is not None:
                valid = load_capabilities(findings, self._wall_clock())
                self._known[organisation] = _Known(
                    values={name: value for name, (value, _) in valid.items()},
                    ends={name: now + seconds for name, (_, seconds) in valid.items()},
                    reread_at=now + REREAD,
                )
            return self._known.get(organisation, _Known()).at(now)

    def _try(self, use: Callable[[CapabilityStore], Any]) -> Any:
        """Return what the store gives; None while it is away, which is not tried again for a while."""
        if self._store is None or self._clock() < self._store_away_until:
            return None
        try:
            return use(self._store)
        except UpdateSyncError as error:
            self._store_away_until = self._clock() + REREAD
            _log.warning("capabilities_not_stored", detail=str(error))
            return None
