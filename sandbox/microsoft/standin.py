"""The stand-in as a whole: one WSGI application that is Entra ID, Microsoft Graph and their switches.

``MicrosoftStandIn`` knows nothing of sockets; ``sandbox.serving.serve`` gives it one.
"""

from __future__ import annotations

import time
from dataclasses import replace
from http import HTTPStatus
from typing import TYPE_CHECKING

from sandbox.certificates import LOOPBACK_NAMES
from sandbox.microsoft.control import Control
from sandbox.microsoft.entra import Entra
from sandbox.microsoft.faults import Effect, Fault, Faults, RequestLog
from sandbox.microsoft.graph.batch import run_batch
from sandbox.microsoft.graph.delta import read_delta
from sandbox.microsoft.graph.throttling import Throttle, cost
from sandbox.microsoft.graph.users import count_users, get_user, list_users, page_number
from sandbox.microsoft.http_messages import GraphError, Kind, Request, Response, json_response, read_request
from sandbox.microsoft.request_context import RequestContext
from sandbox.serving import CutConnectionError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from wsgiref.types import StartResponse, WSGIEnvironment

    from sandbox.microsoft.apps import App
    from sandbox.microsoft.directory import Directory
    from sandbox.microsoft.sign_in import SignIns

_REASONS = {status.value: status.phrase for status in HTTPStatus}
_DELTA_SEGMENTS = frozenset(("delta", "delta()", "microsoft.graph.delta()"))
_HTML = (
    b"<!DOCTYPE html><html><head><title>%d</title></head>"
    b"<body><h1>Our services aren't available right now</h1></body></html>"
)
_ERROR_CODES = {
    429: "TooManyRequests",
    500: "InternalServerError",
    502: "BadGateway",
    503: "ServiceUnavailable",
    504: "GatewayTimeout",
    403: "Authorization_RequestDenied",
}


class MicrosoftStandIn:
    """Entra ID and Microsoft Graph for some tenants.

    ``directories`` maps tenant ids to their users, ``apps`` are the app registrations.
    ``names`` are the hosts that it is served as: a token can be asked for Graph at these too.
    ``sign_ins`` are the people who can sign in.
    ``throttled`` switches Graph's limits on. ``clock`` gives seconds since 1970; a test may
    turn it. Everything below may be used while it serves:

    * ``entra``: secrets, permission, claims challenges, revoked tokens
    * ``faults``: what goes wrong with the next requests
    * ``requests``: how many requests of each kind came
    * ``throttle``: resource units
    * ``directories``: the users
    """

    def __init__(  # noqa: PLR0913 - each is a choice of its own, by name
        self,
        directories: Mapping[str, Directory],
        apps: Iterable[App],
        *,
        names: Iterable[str] = LOOPBACK_NAMES,
        throttled: bool = False,
        clock: Callable[[], float] = time.time,
        sign_ins: SignIns | None = None,
    ) -> None:
        self.sign_ins = sign_ins
        self.directories = {tenant.lower(): directory for tenant, directory in directories.items()}
        self.entra = Entra(
            tenants=self.directories, apps=apps, graph_names=names, clock=clock, sign_ins=sign_ins
        )
        self.faults = Faults()
        self.requests = RequestLog()
        self.throttle = Throttle(clock=clock, enabled=throttled)
        self._clock = clock
        self._control = Control(
            faults=self.faults,
            requests=self.requests,
            entra=self.entra,
            throttle=self.throttle,
            directories=self.directories,
        )

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one WSGI request."""
        request = read_request(environ)
        response = self.response(request)
        headers = {
            **response.headers,
            "Content-Length": str(len(response.body)),
            "request-id": request.request_id,
            "client-request-id": request.client_request_id,
        }
        start_response(f"{response.status} {_REASONS.get(response.status, '')}", list(headers.items()))
        return response.chunks()

    def response(self, request: Request) -> Response:
        """Answer one request. Raises CutConnectionError when there shall be no answer."""
        parts = request.path.strip("/").split("/")
        match parts:
            case ["sandbox", *_]:
                return self._control.response(request)
            case ["v1.0", *rest]:
                return self._graph(request, rest)
            case [tenant, "v2.0", ".well-known", "openid-configuration"]:
                return self._entra(request, Kind.DISCOVERY, tenant)
            case ["organizations", ("oauth2" | "discovery"), "v2.0", ("authorize" | "keys")] if self.sign_ins:
                is_list = parts[-1] == "keys"
                return self.sign_ins.keys() if is_list else self.sign_ins.authorize(request)
            case [tenant, "oauth2", "v2.0", "token"] if request.method == "POST":
                return self._entra(request, Kind.TOKEN, tenant)
        self.requests.count(Kind.OTHER)
        error = GraphError(404, "BadRequest", f"Resource not found for the segment '{parts[0]}'.")
        return error.response(request, self._clock())

    def _entra(self, request: Request, kind: Kind, tenant: str) -> Response:
        self.requests.count(kind)
        faults = self.faults.take(kind)
        if struck := self._strike(request, faults):
            return struck
        response = self.entra.discover if kind is Kind.DISCOVERY else self.entra.give_token
        return _truncate(response(request, tenant), faults)

    def _graph(self, request: Request, parts: list[str], *, batched: bool = False) -> Response:
        query = request.query
        kind = _kind(parts, query, batched=batched)
        self.requests.count(kind, batched=batched)
        try:
            return self._answer_graph(request, parts, kind, query, batched=batched)
        except GraphError as error:
            return error.response(request, self._clock())

    def _answer_graph(
        self, request: Request, parts: list[str], kind: Kind, query: dict[str, str], *, batched: bool
    ) -> Response:
        app = self.entra.authenticate(request)
        user = parts[1] if kind in (Kind.USER, Kind.BIRTHDAY) else None
        faults = self.faults.take(kind, page=page_number(query, tenant=app.tenant), user=user)
        if struck := self._strike(request, faults):
            return struck
        _refuse_other(request, parts, kind)
        if kind is Kind.BATCH:
            # The batch itself costs nothing; each request inside it costs what it costs alone.
            return _truncate(run_batch(request, self._run_inside_batch), faults)
        directory = self.directories[app.tenant.lower()]
        headers = self.throttle.spend(
            (app.tenant, app.client_id), cost(kind, selects="$select" in query), directory_size=len(directory)
        )
        if not app.permitted:
            raise GraphError(
                403, "Authorization_RequestDenied", "Insufficient privileges to complete the operation."
            )
        context = RequestContext(
            request=request,
            kind=kind,
            app=app,
            directory=directory,
            query=query,
            faults=faults,
            now=self._clock(),
        )
        response = _handle(context, parts)
        return _truncate(
            replace(response, headers={**response.headers, **headers}), () if batched else faults
        )

    def _run_inside_batch(self, request: Request) -> Response:
        return self._graph(request, request.path.split("/")[2:], batched=True)

    def _strike(self, request: Request, faults: tuple[Fault, ...]) -> Response | None:
        """Answer as the faults say, or wait as they say and return None."""
        for fault in faults:
            match fault.effect:
                case Effect.DELAY:
                    time.sleep(fault.seconds)
                case Effect.CUT:
                    raise CutConnectionError
                case Effect.HTML:
                    status = fault.status or 502
                    return Response(status=status, body=_HTML % status, headers={"Content-Type": "text/html"})
                case Effect.GARBAGE:
                    return Response(body=b'{"value": [oops', headers={"Content-Type": "application/json"})
                case Effect.ERROR:
                    return self._error(request, fault)
        return None

    def _error(self, request: Request, fault: Fault) -> Response:
        status = fault.status or 503
        code = fault.code or _ERROR_CODES.get(status, "UnknownError")
        headers = {"Retry-After": fault.retry_after} if fault.retry_after is not None else {}
        if request.path.startswith("/v1.0"):
            error = GraphError(status, code, "Switched on in the stand-in.", headers=headers)
            return error.response(request, self._clock())
        body = {
            "error": fault.code or "temporarily_unavailable",
            "error_description": "Switched on.",
            "error_codes": [],
        }
        return json_response(body, status=status, headers=headers)


def _kind(parts: list[str], query: Mapping[str, str], *, batched: bool) -> Kind:
    match parts:
        case ["users"]:
            return Kind.USERS
        case ["users", "$count"]:
            return Kind.COUNT
        case ["users", segment] if segment in _DELTA_SEGMENTS:
            return Kind.DELTA
        case ["users", _]:
            asked = query.get("$select", "").split(",")
            return Kind.BIRTHDAY if "birthday" in asked else Kind.USER
        case ["$batch"] if not batched:
            return Kind.BATCH
    return Kind.OTHER


def _refuse_other(request: Request, parts: list[str], kind: Kind) -> None:
    """Raise GraphError 404 or 405 for what the stand-in does not have."""
    if kind is Kind.OTHER:
        unknown = parts[-1] if parts else ""
        raise GraphError(404, "BadRequest", f"Resource not found for the segment '{unknown}'.")
    allowed = "POST" if kind is Kind.BATCH else "GET"
    if request.method != allowed:
        raise GraphError(
            405,
            "Request_BadRequest",
            "Specified HTTP method is not allowed for the request target.",
            headers={"Allow": allowed},
        )


def _handle(context: RequestContext, parts: list[str]) -> Response:
    match context.kind:
        case Kind.USERS:
            return list_users(context)
        case Kind.COUNT:
            return count_users(context)
        case Kind.DELTA:
            return read_delta(context)
    return get_user(context, parts[1])


def _truncate(response: Response, faults: tuple[Fault, ...]) -> Response:
    if any(fault.effect is Effect.TRUNCATED for fault in faults):
        return replace(response, cut_after=len(response.body) // 2)
    return response
