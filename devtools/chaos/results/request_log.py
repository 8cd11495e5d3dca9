"""What the stand-ins' process sees pass by: every PATCH and what it changed, and the moments to kill at."""

from __future__ import annotations

import threading
from collections import Counter, defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from sandbox.serving import CutConnectionError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

#: A moment at which the suite may want to do something: a PATCH has come, a PATCH has been carried out,
#: a page of the list of users has been made; in the last two the answer has not been sent.
Moment = Literal["before-patch", "after-patch", "page"]
MOMENTS: tuple[Moment, ...] = ("before-patch", "after-patch", "page")
#: What becomes of the request after it: it is carried out and answered, or its connection ends at once.
Decision = Literal["go-on", "cut"]


@dataclass(eq=False)
class _Watch:
    """A wish to be told of a moment, after some have been let pass."""

    moment: Moment
    skip: int


class RequestGate:
    """Tells of moments that were asked for, and holds the request until it is told what to do with it."""

    def __init__(self, tell: Callable[[Moment], None]) -> None:
        self._tell = tell
        self._lock = threading.Lock()
        self._watches: list[_Watch] = []
        self._decisions: dict[Moment, Decision] = {}
        self._told = threading.Condition(self._lock)

    def watch(self, moment: Moment, skip: int = 0) -> None:
        """Ask to be told of such a moment, once, after so many others."""
        with self._lock:
            self._watches.append(_Watch(moment, skip))

    def forget(self) -> None:
        """Ask for nothing any more."""
        with self._lock:
            self._watches.clear()

    def decide(self, moment: Moment, decision: Decision) -> None:
        """Say what is to become of the request that is held at that moment."""
        with self._told:
            self._decisions[moment] = decision
            self._told.notify_all()

    def wait_at(self, moment: Moment, *, seconds: float = 20.0) -> None:
        """Pass that moment, at once or when it was told how. Raises CutConnectionError if not at all."""
        with self._told:
            watch = next((one for one in self._watches if one.moment == moment), None)
            if watch is None:
                return
            if watch.skip:
                watch.skip -= 1
                return
            self._watches.remove(watch)
            self._decisions.pop(moment, None)
            self._tell(moment)
            self._told.wait_for(lambda: moment in self._decisions, seconds)
            cut = self._decisions.get(moment) == "cut"
        if cut:
            raise CutConnectionError


class RequestLog:
    """A WSGI layer around the stand-ins that keeps account of what PATCH requests did to Skolon users.

    `user` returns a Skolon user of an organisation as it is held now. A PATCH was carried out when the user
    has another version afterwards, or when it was answered with success though nothing of the user changed.
    """

    def __init__(self, gate: RequestGate, user: Callable[[str, str], dict[str, Any] | None]) -> None:
        self._gate = gate
        self._user = user
        self._lock = threading.Lock()
        self._of_user: defaultdict[str, threading.Lock] = defaultdict(threading.Lock)
        self.effective: Counter[str] = Counter()
        self.idle: Counter[str] = Counter()

    def around(self, application: WSGIApplication) -> WSGIApplication:
        """Return the application with this layer around it."""

        def layered(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
            path = str(environ["PATH_INFO"]).strip("/").split("/")
            if environ["REQUEST_METHOD"] == "PATCH" and path[1:4] == ["scim", "v2", "Users"]:
                return self._patch(application, path[0], path[4], environ, start_response)
            answer = application(environ, start_response)
            if path == ["v1.0", "users"]:
                self._gate.wait_at("page")
            return answer

        return layered

    def accounts(self) -> dict[str, dict[str, int]]:
        """Return, by Skolon user, how many PATCHes changed something, and how many were answered idly."""
        with self._lock:
            return {"effective": dict(self.effective), "idle": dict(self.idle)}

    def _patch(
        self,
        application: WSGIApplication,
        organisation: str,
        user_id: str,
        environ: WSGIEnvironment,
        start: StartResponse,
    ) -> Iterable[bytes]:
        self._gate.wait_at("before-patch")
        status = ""

        def noting(line: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Any:
            nonlocal status
            status = line
            return start(line, headers, exc_info)

        with self._lock:
            lock = self._of_user[user_id]
        with lock:
            before = self._user(organisation, user_id)
            # The storage is changed before the application returns; its body only spells the answer.
            answer = application(environ, noting)
            after = self._user(organisation, user_id)
        with self._lock:
            if _content(before) != _content(after):
                self.effective[user_id] += 1
            elif _version(before) != _version(after) or status.startswith("2"):
                self.idle[user_id] += 1
        self._gate.wait_at("after-patch")
        return answer


def _content(user: dict[str, Any] | None) -> dict[str, Any] | None:
    return None if user is None else {name: value for name, value in user.items() if name != "meta"}


def _version(user: dict[str, Any] | None) -> object:
    return None if user is None else user["meta"]["version"]
