"""A WSGI layer before Skolon that breaks one of its organisations for a while."""

from __future__ import annotations

import json
import threading
from typing import TYPE_CHECKING, Final

from werkzeug.wrappers import Response

from sandbox.serving import CutConnectionError
from sandbox.skolon.answers import faulty_response
from sandbox.skolon.faults import Fault

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

#: Seconds for which a request hangs: longer than the product's patience, which is a minute.
HANGS: Final = 75.0

MALFORMED: Final = "malformed"
_HANGING: Final = "hanging"
_ANSWERS: Final = {
    "503": Fault(kind="status", status=503),
    "500": Fault(kind="status", status=500),
    "404-page": Fault(kind="html", status=404),
}
#: Outages of the organisation, and users of it that cannot be read.
VARIANTS: Final = (*_ANSWERS, _HANGING, MALFORMED)


class BrokenOrganisation:
    """A WSGI layer around the stand-ins; `break_off` and `heal` may be called while it serves."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._organisation: str | None = None
        self._variant = ""
        self._left = 0
        self._healed = threading.Event()
        #: How many requests were answered badly, or not at all.
        self.struck = 0

    def break_off(self, organisation: str, variant: str, after: int) -> None:
        """Break an organisation in one of `VARIANTS`, once it has answered so many requests from now on."""
        with self._lock:
            self._organisation, self._variant, self._left = organisation, variant, after
            self._healed.clear()

    def heal(self) -> None:
        """Have it answer as ever. Requests that hang are lost."""
        with self._lock:
            self._organisation = None
            self._healed.set()

    def around(self, application: WSGIApplication) -> WSGIApplication:
        """Return the application with this layer around it."""

        def layered(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
            variant = self._met(str(environ["PATH_INFO"]).strip("/").split("/")[0])
            if variant is None:
                return application(environ, start_response)
            if variant == MALFORMED:
                return self._malformed(application, environ, start_response)
            self._count()
            if variant == _HANGING:
                self._healed.wait(HANGS)
                raise CutConnectionError
            return faulty_response(_ANSWERS[variant])(environ, start_response)

        return layered

    def _met(self, organisation: str) -> str | None:
        with self._lock:
            if organisation != self._organisation:
                return None
            self._left -= 1
            return self._variant if self._left < 0 else None

    def _malformed(
        self, application: WSGIApplication, environ: WSGIEnvironment, start_response: StartResponse
    ) -> Iterable[bytes]:
        answered = Response.from_app(application, environ, buffered=True)
        found = json.loads(answered.get_data() or b"{}").get("Resources")
        answer: Callable[[WSGIEnvironment, StartResponse], Iterable[bytes]] = answered
        if found:
            self._count()
            body = {
                **json.loads(answered.get_data()),
                "Resources": [{**user, "userName": [5]} for user in found],
            }
            answer = Response(json.dumps(body), answered.status, mimetype=answered.mimetype)
        return answer(environ, start_response)

    def _count(self) -> None:
        with self._lock:
            self.struck += 1
