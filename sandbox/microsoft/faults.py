"""Faults that can be switched on: the next so many requests of a kind go wrong in a given way."""

from __future__ import annotations

import threading
from collections import Counter
from dataclasses import dataclass
from enum import StrEnum

from sandbox.microsoft.http_messages import Kind


class Effect(StrEnum):
    """How a request goes wrong."""

    #: An error in the service's own form: ``status``, ``code``, ``retry_after``.
    ERROR = "error"
    #: A proxy's HTML page in place of JSON; ``status`` is 502 unless told.
    HTML = "html"
    #: 200, JSON by its header, no JSON by its body.
    GARBAGE = "garbage"
    #: The right answer, but the connection ends in the middle of its body.
    TRUNCATED = "truncated"
    #: The connection ends without an answer.
    CUT = "cut"
    #: The right answer, ``seconds`` late.
    DELAY = "delay"
    #: The page token of this request has expired; ``code`` is Directory_ExpiredPageToken unless told.
    EXPIRED_PAGE_TOKEN = "expired_page_token"  # noqa: S105 - a name, no password
    #: The page's nextLink is the address of the page itself.
    REPEATED_LINK = "repeated_link"
    #: The page's links lead on from its own address, without the host.
    RELATIVE_LINK = "relative_link"
    #: A page without users before the one asked for, with a nextLink.
    EMPTY_PAGE = "empty_page"
    #: A page without a nextLink although there is more.
    CUT_SHORT = "cut_short"
    #: A delta page that ends with its first entity once more.
    REPEATED_ENTITY = "repeated_entity"
    #: A delta's round takes in what changed since it began, so that it names a user once more.
    GROWING_ROUND = "growing_round"
    #: The delta token has expired, in one of three ways: ``status`` 410 (the default), 404 or 400.
    EXPIRED_DELTA = "expired_delta"
    #: Birthday on a list is refused with SharePoint's 400 rather than with 501.
    SHAREPOINT_REFUSAL = "sharepoint_refusal"


_ENTRA = frozenset((Kind.DISCOVERY, Kind.TOKEN))
_PAGED = frozenset((Kind.USERS, Kind.DELTA))
#: What an effect that is aimed at no kind in particular can strike, where that is not all of Graph.
_REACH = {
    Effect.EXPIRED_PAGE_TOKEN: _PAGED,
    Effect.REPEATED_LINK: _PAGED,
    Effect.RELATIVE_LINK: _PAGED,
    Effect.EMPTY_PAGE: _PAGED,
    Effect.CUT_SHORT: _PAGED,
    Effect.REPEATED_ENTITY: frozenset((Kind.DELTA,)),
    Effect.GROWING_ROUND: frozenset((Kind.DELTA,)),
    Effect.EXPIRED_DELTA: frozenset((Kind.DELTA,)),
    Effect.SHAREPOINT_REFUSAL: frozenset((Kind.USERS,)),
}


@dataclass(frozen=True, kw_only=True)
class Fault:
    """One fault: how, on which requests, and how often.

    ``kind`` None means every request to Graph that the effect can strike (Entra's two
    kinds have to be named), ``page`` counts from 1 (None: every page), ``user``
    is an Entra id or user principal name as it stands in the address. The first ``skip``
    requests that fit are spared, then ``times`` are struck (None: all of them).
    """

    effect: Effect
    kind: Kind | None = None
    page: int | None = None
    user: str | None = None
    skip: int = 0
    times: int | None = 1
    status: int | None = None
    code: str | None = None
    retry_after: str | None = None
    seconds: float = 0.0

    def fits(self, kind: Kind, page: int, user: str | None) -> bool:
        """Whether the fault is aimed at such a request."""
        reach = _REACH.get(self.effect, frozenset(Kind) - _ENTRA)
        aimed = kind in reach if self.kind is None else kind is self.kind
        return aimed and self.page in (None, page) and self.user in (None, user)


class Faults:
    """The faults that are switched on; may be used from many threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._faults: list[tuple[Fault, int]] = []

    def add(self, fault: Fault) -> None:
        """Switch a fault on."""
        with self._lock:
            self._faults.append((fault, 0))

    def remove(self, fault: Fault) -> None:
        """Switch one fault off, wherever it is on."""
        with self._lock:
            self._faults = [(each, met) for each, met in self._faults if each != fault]

    def clear(self) -> None:
        """Switch every fault off."""
        with self._lock:
            self._faults.clear()

    def waiting(self) -> list[Fault]:
        """Return the faults that may still strike."""
        with self._lock:
            return [fault for fault, _ in self._faults]

    def left(self, fault: Fault) -> int:
        """Return how many requests this very fault, one with a number of times, may still strike."""
        with self._lock:
            waiting = ((one.times or 0) + min(one.skip - met, 0) for one, met in self._faults if one is fault)
            return next(waiting, 0)

    def take(self, kind: Kind, *, page: int = 1, user: str | None = None) -> tuple[Fault, ...]:
        """Return the faults that strike this request, and count it."""
        struck: list[Fault] = []
        kept: list[tuple[Fault, int]] = []
        with self._lock:
            for fault, met in self._faults:
                fits = fault.fits(kind, page, user)
                now_met = met + 1 if fits else met
                if fits and now_met > fault.skip:
                    struck.append(fault)
                if fault.times is None or now_met < fault.skip + fault.times:
                    kept.append((fault, now_met))
            self._faults = kept
        return tuple(struck)


class RequestLog:
    """How many requests of each kind came; those inside a ``$batch`` as "batched …"."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts: Counter[str] = Counter()

    def count(self, kind: Kind, *, batched: bool = False) -> None:
        """Count one request."""
        with self._lock:
            self._counts[f"batched {kind}" if batched else str(kind)] += 1

    def counts(self) -> dict[str, int]:
        """Return the sums so far; a kind that did not come is not there."""
        with self._lock:
            return dict(self._counts)

    def reset(self) -> None:
        """Start again from nothing."""
        with self._lock:
            self._counts.clear()
