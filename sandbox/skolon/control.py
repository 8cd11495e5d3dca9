"""The stand-in's control path, for tests that run it in another process.

| request                                    | does                                                        |
|--------------------------------------------|-------------------------------------------------------------|
| GET /control/organisations                 | lists their names                                           |
| GET /control/organisations/NAME            | returns its users as a JSON list of SCIM users              |
| PUT /control/organisations/NAME            | replaces its users by such a list; makes it when it is new  |
| GET /control/organisations/NAME/users/ID   | returns one user                                            |
| PATCH /control/organisations/NAME/users/ID | merges a JSON object into a user; null removes (RFC 7396)   |
| GET, POST, DELETE /control/faults          | lists, switches one on (a JSON ``Fault``), switches all off |
| GET, DELETE /control/requests              | counts by method and kind, counts from nought again         |
| DELETE /control/tokens                     | expires every token that was issued                         |

A server that takes no searches by POST is a fault for ever: ``{"kind": "status", "status": 501,
"times": null, "method": "POST", "path_kind": "search"}``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from scim2_models import UniquenessException
from werkzeug.exceptions import BadRequest

from sandbox.skolon.answers import json_response
from sandbox.skolon.faults import Fault

if TYPE_CHECKING:
    from collections.abc import Iterable

    from werkzeug.wrappers import Request, Response

    from sandbox.skolon.faults import FaultRegistry
    from sandbox.skolon.indexes import Document
    from sandbox.skolon.tokens import Tokens


class Controlled(Protocol):
    """What the control path looks at and changes: the stand-in."""

    tokens: Tokens
    faults: FaultRegistry

    @property
    def organisations(self) -> tuple[str, ...]:
        """The names of the organisations."""

    def users(self, organisation: str) -> list[Document]:
        """Return an organisation's users. Raises KeyError."""

    def fill(self, organisation: str, users: Iterable[Document]) -> None:
        """Give an organisation these users in place of those it had."""

    def user(self, organisation: str, user_id: str) -> Document | None:
        """Return one user, None when there is none. Raises KeyError."""

    def change(self, organisation: str, user_id: str, changes: Document) -> Document:
        """Merge changes into a user and return it. Raises KeyError, ValueError and UniquenessException."""

    def requests(self) -> dict[str, int]:
        """Return how many requests came in, by method and kind."""

    def forget_requests(self) -> None:
        """Count from nought again."""


def control(stand_in: Controlled, request: Request, segments: list[str]) -> Response:
    """Carry out one request to the control path and return its answer."""
    try:
        return _carry_out(stand_in, request, segments)
    except BadRequest:
        return _refusal(400, "The body is no JSON")
    except (TypeError, ValueError) as error:
        return _refusal(400, str(error))
    except UniquenessException:
        return _refusal(409, "Two users share an id or a userName")


def _carry_out(  # noqa: PLR0911 - one return for each row of the table above
    stand_in: Controlled, request: Request, segments: list[str]
) -> Response:
    match (request.method, *segments):
        case (_, "organisations", *names):
            return _carry_out_on_users(stand_in, request, names)
        case ("GET", "faults"):
            return json_response(stand_in.faults.waiting())
        case ("POST", "faults"):
            stand_in.faults.add(Fault(**_object(request)))
            return json_response(stand_in.faults.waiting(), status=201)
        case ("DELETE", "faults"):
            stand_in.faults.clear()
            return json_response([])
        case ("GET", "requests"):
            return json_response(stand_in.requests())
        case ("DELETE", "requests"):
            stand_in.forget_requests()
            return json_response({})
        case ("DELETE", "tokens"):
            stand_in.tokens.expire_all()
            return json_response({})
        case _:
            return _no_such_control()


def _carry_out_on_users(stand_in: Controlled, request: Request, names: list[str]) -> Response:
    match (request.method, *names):
        case ("GET",):
            return json_response(list(stand_in.organisations))
        case ("PUT", name):
            stand_in.fill(name, _list(request))
            return json_response({"users": len(stand_in.users(name))})
        case ("GET", name) if name in stand_in.organisations:
            return json_response(stand_in.users(name))
        case ("GET", name, "users", user_id) if _has_user(stand_in, name, user_id):
            return json_response(stand_in.user(name, user_id))
        case ("PATCH", name, "users", user_id) if _has_user(stand_in, name, user_id):
            return json_response(stand_in.change(name, user_id, _object(request)))
        case _:
            return _no_such_control()


def _has_user(stand_in: Controlled, name: str, user_id: str) -> bool:
    return name in stand_in.organisations and stand_in.user(name, user_id) is not None


def _object(request: Request) -> dict[str, Any]:
    body = request.get_json(force=True)
    if not isinstance(body, dict):
        raise TypeError("A JSON object is wanted")
    return body


def _list(request: Request) -> list[dict[str, Any]]:
    body = request.get_json(force=True)
    if not isinstance(body, list) or not all(isinstance(item, dict) for item in body):
        raise TypeError("A JSON list of objects is wanted")
    return body


def _no_such_control() -> Response:
    return _refusal(404, "No such control")


def _refusal(status: int, detail: str) -> Response:
    return json_response({"error": detail}, status=status)
