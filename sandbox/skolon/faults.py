"""Faults between the sync and Skolon, and the list of those that are switched on.

A fault strikes the next matching requests, and ends after ``times`` of them.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from threading import Lock
from typing import Any, Literal

from sandbox.municipality.made_up_user import DOMAIN

#: status: answer with that status as a SCIM error; html: with a proxy's error page;
#: not_json: 200 with something else; truncated: the true answer, its second half missing;
#: cut: no answer, the connection is closed; delay: the true answer, late;
#: changed: another client changes the user just before the PATCH is carried out.
Kind = Literal["status", "html", "not_json", "truncated", "cut", "delay", "changed"]
KINDS: tuple[Kind, ...] = ("status", "html", "not_json", "truncated", "cut", "delay", "changed")

#: What a request is about: the token endpoint, a search among users (by GET, or by POST to `/.search`), one
#: user, anything else.
PathKind = Literal["token", "search", "user", "other"]
PATH_KINDS: tuple[PathKind, ...] = ("token", "search", "user", "other")


@dataclass(frozen=True, kw_only=True)
class Request:
    """As much of a request as a fault may ask about."""

    method: str
    path_kind: PathKind
    organisation: str | None = None
    user_id: str | None = None
    #: The paths that a PATCH changes.
    patched: frozenset[str] = frozenset()
    #: The filter of a search by POST.
    searched: str = ""


@dataclass(frozen=True, kw_only=True)
class Fault:
    """One thing that goes wrong, for which requests and how often.

    ``times`` None is for ever. ``method``, ``path_kind``, ``organisation`` and ``user_id``
    narrow down which requests it strikes, None is any; ``patched`` is a path that a PATCH changes, or the
    beginning of one, and ``searched`` a part of a search's filter. ``retry_after`` is the header as it is
    sent, None is no header. ``delay`` is in seconds.
    """

    kind: Kind
    times: int | None = 1
    method: str | None = None
    path_kind: PathKind | None = None
    organisation: str | None = None
    user_id: str | None = None
    patched: str | None = None
    searched: str | None = None
    status: int = 500
    scim_type: str | None = None
    detail: str = "A fault that was switched on"
    retry_after: str | None = None
    delay: float = 0.0

    def __post_init__(self) -> None:
        """Refuse a kind that doesn't exist, and one that could never strike."""
        if self.kind not in KINDS:
            raise ValueError(f"kind must be one of {', '.join(KINDS)}, not {self.kind!r}")
        if self.path_kind is not None and self.path_kind not in PATH_KINDS:
            raise ValueError(f"path_kind must be one of {', '.join(PATH_KINDS)}, not {self.path_kind!r}")
        if self.times is not None and self.times < 1:
            raise ValueError("times must be at least 1, or none for ever")

    def matches(self, request: Request) -> bool:
        """Tell whether the fault is meant for this request."""
        if self.kind == "changed" and (request.method, request.path_kind) != ("PATCH", "user"):
            return False
        if self.patched is not None and not any(path.startswith(self.patched) for path in request.patched):
            return False
        if self.searched is not None and self.searched not in request.searched:
            return False
        wanted = (self.method, self.path_kind, self.organisation, self.user_id)
        given = (request.method, request.path_kind, request.organisation, request.user_id)
        return all(want in (None, have) for want, have in zip(wanted, given, strict=True))


def throttled(times: int | None = 1, *, retry_after: str | None = "0.2", **narrowed: Any) -> Fault:
    """Return 429 for the next requests; ``retry_after`` None leaves the header out."""
    return Fault(kind="status", status=429, times=times, retry_after=retry_after, **narrowed)


def rejected(user_id: str) -> Fault:
    """Return a 400 ``invalidValue`` for every PATCH of one user, for ever."""
    return Fault(
        kind="status",
        status=400,
        scim_type="invalidValue",
        detail="The value is not accepted",
        times=None,
        method="PATCH",
        path_kind="user",
        user_id=user_id,
    )


def rejected_searches() -> Fault:
    """Return a 400 for every search for a made-up user's address, for ever; other searches are answered."""
    return Fault(kind="status", status=400, times=None, path_kind="search", searched=DOMAIN)


def without_search_by_post(status: int = 501, **narrowed: Any) -> Fault:
    """Return the refusal of every search by POST, for ever: what a server does that knows GET alone."""
    return Fault(
        kind="status",
        status=status,
        detail="Searches by POST are not supported",
        times=None,
        method="POST",
        path_kind="search",
        **narrowed,
    )


class FaultRegistry:
    """The faults that are switched on, first come, first served; safe for threads."""

    def __init__(self) -> None:
        self._faults: list[Fault] = []
        self._lock = Lock()

    def add(self, fault: Fault) -> None:
        """Switch a fault on."""
        with self._lock:
            self._faults.append(fault)

    def remove(self, fault: Fault) -> None:
        """Switch one fault off, however often it has struck."""
        with self._lock:
            self._faults = [one for one in self._faults if replace(one, times=fault.times) != fault]

    def clear(self) -> None:
        """Switch everything off."""
        with self._lock:
            self._faults.clear()

    def take(self, request: Request) -> Fault | None:
        """Return the fault that strikes this request, if any, and use it up by one."""
        with self._lock:
            for position, fault in enumerate(self._faults):
                if not fault.matches(request):
                    continue
                if fault.times == 1:
                    del self._faults[position]
                elif fault.times is not None:
                    self._faults[position] = replace(fault, times=fault.times - 1)
                return fault
        return None

    def waiting(self) -> list[dict[str, Any]]:
        """Return the faults that are still switched on, as plain dicts."""
        with self._lock:
            return [asdict(fault) for fault in self._faults]
