"""The stand-in as one WSGI application: organisations, tokens, faults, counts and a control path.

Paths: ``/{organisation}/scim/v2/Users`` (SCIM), ``/oauth/access_token`` (tokens) and
``/control/…`` (see ``sandbox.skolon.control``), which no fault strikes and no count counts.
"""

from __future__ import annotations

import io
import json
import time
from collections import Counter
from threading import Lock
from typing import TYPE_CHECKING, Any

from scim2_models import UnauthorizedException
from scim2_server.applications.wsgi import WSGIApplication
from werkzeug.wrappers import Request as HttpRequest
from werkzeug.wrappers import Response

from sandbox.serving import CutConnectionError
from sandbox.skolon.answers import faulty_response, scim_error
from sandbox.skolon.control import control
from sandbox.skolon.faults import Fault, FaultRegistry, Request
from sandbox.skolon.schema import INDEXED_PATHS, skolon_provider
from sandbox.skolon.storage import IndexedStorage
from sandbox.skolon.tokens import Tokens

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from wsgiref.types import StartResponse, WSGIEnvironment

    from scim2_models import ResourceType, ScimProvider
    from scim2_server.requests import ScimRequest

    from sandbox.skolon.indexes import Document

TOKEN_PATH = "/oauth/access_token"  # noqa: S105 - a path, not a password
#: The path below an organisation's name; the version belongs to the SCIM server.
_SCIM = "scim"


class _Organisation(WSGIApplication):
    """One organisation's SCIM server: scim2-server's own application, with a door."""

    def __init__(self, provider: ScimProvider, tokens: Tokens) -> None:
        self.kept = IndexedStorage(provider, indexed=INDEXED_PATHS)
        super().__init__(self.kept, provider)
        self._tokens = tokens

    def check_auth(self, request: ScimRequest) -> None:
        """Raise UnauthorizedException, a 401, for a request without a token in force."""
        if not self._tokens.admits(request.header("Authorization") or ""):
            raise UnauthorizedException(detail="The access token is missing, wrong or expired")


class SkolonStandIn:
    """Skolon for one or more organisations, in memory; safe for threads.

    ``organisations`` names each and gives its users as SCIM JSON. A caller is let in with
    ``bearer_token``, or with a token got for ``client_id`` and ``client_secret``, which is in
    force for ``token_lifetime`` seconds. ``application`` is to be served.
    """

    def __init__(  # noqa: PLR0913 - each is one thing that a user of the stand-in may want to set
        self,
        organisations: Mapping[str, Iterable[Document]],
        *,
        bearer_token: str | None = None,
        client_id: str | None = None,
        client_secret: str | None = None,
        token_lifetime: float = 3600.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.tokens = Tokens(
            bearer_token=bearer_token,
            client_id=client_id,
            client_secret=client_secret,
            lifetime=token_lifetime,
            clock=clock,
        )
        self.faults = FaultRegistry()
        self._provider = skolon_provider()
        self._counts: Counter[str] = Counter()
        self._lock = Lock()
        self._organisations: dict[str, _Organisation] = {}
        for organisation, users in organisations.items():
            self.fill(organisation, users)

    @property
    def organisations(self) -> tuple[str, ...]:
        """The names of the organisations."""
        return tuple(self._organisations)

    def fill(self, organisation: str, users: Iterable[Document]) -> None:
        """Give an organisation these users in place of those it had; makes it when it is new.

        Users are SCIM JSON, spelled as the schema spells it; ``id`` is made up when missing.
        """
        filled = _Organisation(self._provider, self.tokens)
        filled.kept.fill(self._user_type, users)
        self._organisations[organisation] = filled

    def users(self, organisation: str) -> list[Document]:
        """Return copies of an organisation's users as SCIM JSON. Raises KeyError."""
        return self._organisations[organisation].kept.documents(self._user_type)

    def user(self, organisation: str, user_id: str) -> Document | None:
        """Return a copy of one user as SCIM JSON, None when there is none. Raises KeyError."""
        return self._organisations[organisation].kept.document(self._user_type, user_id)

    def change(self, organisation: str, user_id: str, changes: Document) -> Document:
        """Merge changes into a user and return a copy; nothing is counted as a request of a client.

        Raises KeyError, ValueError for what the schema does not take, and UniquenessException.
        """
        return self._organisations[organisation].kept.change(self._user_type, user_id, changes)

    def change_behind(self, organisation: str, user_id: str) -> None:
        """Give a user a new version, as if another source had changed it."""
        self._organisations[organisation].kept.touch(self._user_type, user_id)

    def requests(self) -> dict[str, int]:
        """Return how many requests came in, by method and kind: ``{"PATCH user": 3}``."""
        with self._lock:
            return dict(self._counts)

    def forget_requests(self) -> None:
        """Count from nought again."""
        with self._lock:
            self._counts.clear()

    def application(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request (WSGI)."""
        segments = str(environ.get("PATH_INFO", "")).strip("/").split("/")
        if segments[0] == "control":
            return control(self, HttpRequest(environ), segments[1:])(environ, start_response)
        request = _read(environ, segments)
        with self._lock:
            self._counts[f"{request.method} {request.path_kind}"] += 1
        fault = self.faults.take(request)
        if fault is None:
            return self._answer(request, environ, start_response)
        return self._answer_badly(fault, request, environ, start_response)

    def _answer(
        self, request: Request, environ: WSGIEnvironment, start_response: StartResponse
    ) -> Iterable[bytes]:
        if request.path_kind == "token":
            return self.tokens.response(HttpRequest(environ))(environ, start_response)
        organisation = self._organisations.get(request.organisation or "")
        if organisation is None:
            return scim_error(404, "No such organisation")(environ, start_response)
        prefix = f"/{request.organisation}/{_SCIM}"
        environ["SCRIPT_NAME"] = f"{environ.get('SCRIPT_NAME', '')}{prefix}"
        environ["PATH_INFO"] = str(environ["PATH_INFO"]).removeprefix(prefix)
        return organisation(environ, start_response)

    def _answer_badly(
        self, fault: Fault, request: Request, environ: WSGIEnvironment, start_response: StartResponse
    ) -> Iterable[bytes]:
        match fault.kind:
            case "cut":
                raise CutConnectionError
            case "delay":
                time.sleep(fault.delay)
            case "changed":
                if request.organisation in self._organisations and request.user_id is not None:
                    self.change_behind(str(request.organisation), request.user_id)
            case "truncated":
                return _truncated(_whole(self._answer, request, environ), start_response)
            case _:
                return faulty_response(fault)(environ, start_response)
        return self._answer(request, environ, start_response)

    @property
    def _user_type(self) -> ResourceType:
        return self._provider.resource_types[0]


def _read(environ: WSGIEnvironment, segments: list[str]) -> Request:
    method = str(environ["REQUEST_METHOD"])
    match segments:
        case ["oauth", "access_token"]:
            return Request(method=method, path_kind="token")
        case [organisation, "scim", "v2", "Users"] if method == "GET":
            return Request(method=method, path_kind="search", organisation=organisation)
        case [organisation, "scim", "v2", "Users", ".search"] if method == "POST":
            searched = str(_json(environ).get("filter", ""))
            return Request(method=method, path_kind="search", organisation=organisation, searched=searched)
        case [organisation, "scim", "v2", "Users", user_id]:
            return Request(
                method=method,
                path_kind="user",
                organisation=organisation,
                user_id=user_id,
                patched=_patched(environ) if method == "PATCH" else frozenset(),
            )
        case [organisation, "scim", *_]:
            return Request(method=method, path_kind="other", organisation=organisation)
        case _:
            return Request(method=method, path_kind="other")


def _patched(environ: WSGIEnvironment) -> frozenset[str]:
    """Return the paths of a PATCH."""
    try:
        return frozenset(operation["path"] for operation in _json(environ)["Operations"])
    except (TypeError, KeyError):
        return frozenset()


def _json(environ: WSGIEnvironment) -> dict[str, Any]:
    """Return the JSON object in a request's body, empty if there is none; the body can be read again."""
    body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
    environ["wsgi.input"] = io.BytesIO(body)
    try:
        value = json.loads(body)
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


def _whole(response: Any, request: Request, environ: WSGIEnvironment) -> Response:
    return Response.from_app(lambda env, start: response(request, env, start), environ, buffered=True)


def _truncated(response: Response, start_response: StartResponse) -> Iterable[bytes]:
    body = response.get_data()
    headers = [pair for pair in response.headers if pair[0].lower() != "content-length"]
    start_response(response.status, [*headers, ("Content-Length", str(len(body)))])

    def halves() -> Iterator[bytes]:
        yield body[: len(body) // 2]
        raise CutConnectionError

    return halves()
