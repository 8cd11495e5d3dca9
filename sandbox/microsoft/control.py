"""The switches of a stand-in that runs in another process, over HTTP.

=======  ==========================================  ====================================================
GET      /sandbox/requests                           how many requests came, by kind
DELETE   /sandbox/requests                           count from nothing again
GET      /sandbox/faults                             the faults that may still strike
POST     /sandbox/faults                             switch one on: the fields of ``Fault`` as JSON
DELETE   /sandbox/faults                             switch all off
PATCH    /sandbox/apps/{tenant}/{client_id}          client_secret, certificate, secret_expired, permitted,
                                                     claims_demanded, revoke_tokens
PATCH    /sandbox/throttling                         enabled, limit
GET      /sandbox/directories/{tenant}               how many users there are
POST     /sandbox/directories/{tenant}/users         add a user; with ``?raw=true`` whatever it is
PATCH    /sandbox/directories/{tenant}/users/{id}    change properties; null clears one
DELETE   /sandbox/directories/{tenant}/users/{id}    remove; ``?reason=deleted`` for good
=======  ==========================================  ====================================================

Anything wrong is answered with 400 or 404 and ``{"error": "…"}``.
"""

from __future__ import annotations

import json
from dataclasses import asdict, fields
from typing import TYPE_CHECKING, Any

from sandbox.microsoft.faults import Effect, Fault, Faults, RequestLog
from sandbox.microsoft.http_messages import Kind, Request, Response, json_response

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sandbox.microsoft.directory import Directory
    from sandbox.microsoft.entra import Entra
    from sandbox.microsoft.graph.throttling import Throttle

_DONE = Response(status=204)
_SWITCHES = frozenset(("client_secret", "certificate", "secret_expired", "permitted", "claims_demanded"))


class Control:
    """Turns requests below ``/sandbox`` into calls of the stand-in's own objects."""

    def __init__(
        self,
        *,
        faults: Faults,
        requests: RequestLog,
        entra: Entra,
        throttle: Throttle,
        directories: Mapping[str, Directory],
    ) -> None:
        self._faults = faults
        self._requests = requests
        self._entra = entra
        self._throttle = throttle
        self._directories = directories

    def response(self, request: Request) -> Response:
        """Do what the request says."""
        parts = request.path.strip("/").split("/")[1:]
        try:
            return self._do(request, parts)
        except (KeyError, LookupError) as error:
            return json_response({"error": f"there is no {error}"}, status=404)
        except (ValueError, TypeError) as error:
            return json_response({"error": str(error)}, status=400)

    def _do(self, request: Request, parts: list[str]) -> Response:
        match request.method, *parts:
            case "GET", "requests":
                return json_response(self._requests.counts())
            case "DELETE", "requests":
                self._requests.reset()
            case "GET", "faults":
                return json_response([asdict(fault) for fault in self._faults.waiting()])
            case "POST", "faults":
                self._faults.add(read_fault(_json_object(request)))
            case "DELETE", "faults":
                self._faults.clear()
            case "PATCH", "throttling":
                self._set_throttling(_json_object(request))
            case "PATCH", "apps", tenant, client_id:
                self._change_app(tenant, client_id, _json_object(request))
            case method, "directories", tenant, *rest:
                return self._change_directory(request, method, self._directories[tenant.lower()], rest)
            case _:
                raise LookupError(f"{request.method} {request.path}")
        return _DONE

    def _set_throttling(self, values: dict[str, Any]) -> None:
        _only(values, frozenset(("enabled", "limit")))
        self._throttle.enabled = bool(values.get("enabled", self._throttle.enabled))
        self._throttle.limit = values.get("limit", self._throttle.limit)

    def _change_app(self, tenant: str, client_id: str, values: dict[str, Any]) -> None:
        _only(values, _SWITCHES | {"revoke_tokens"})
        self._entra.change(tenant, client_id, **{name: values[name] for name in _SWITCHES & values.keys()})
        if values.get("revoke_tokens"):
            self._entra.revoke_tokens(tenant)

    @staticmethod
    def _change_directory(request: Request, method: str, directory: Directory, rest: list[str]) -> Response:
        match method, *rest:
            case ("GET",):
                return json_response({"users": len(directory)})
            case "POST", "users":
                add = directory.add_raw if request.query.get("raw") == "true" else directory.add
                add(_json_object(request))
            case "PATCH", "users", user_id:
                directory.change(user_id, _json_object(request))
            case "DELETE", "users", user_id:
                directory.remove(user_id, reason=request.query.get("reason", "changed"))
            case _:
                raise LookupError(f"{request.method} {request.path}")
        return _DONE


def read_fault(values: Mapping[str, Any]) -> Fault:
    """Make a fault out of its fields as JSON gives them. Raises ValueError for anything unknown."""
    _only(values, frozenset(field.name for field in fields(Fault)))
    if "effect" not in values:
        raise ValueError(f"a fault needs an effect: one of {', '.join(Effect)}")
    kind = values.get("kind")
    return Fault(
        **{
            **values,
            "effect": Effect(values["effect"]),
            "kind": None if kind is None else Kind(kind),
        }
    )


def _json_object(request: Request) -> dict[str, Any]:
    value = json.loads(request.body)
    if not isinstance(value, dict):
        raise TypeError("a JSON object is wanted")
    return value


def _only(values: Mapping[str, Any], known: frozenset[str]) -> None:
    unknown = sorted(values.keys() - known)
    if unknown:
        raise ValueError(f"unknown: {', '.join(unknown)}; known: {', '.join(sorted(known))}")
