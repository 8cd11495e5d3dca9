"""What the client sends and reads over SCIM is valid for scim2-models, which is not ours."""

from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING, Any

import pytest
from scim2_models import Context, Error, ListResponse, PatchOp, SearchRequest

from clients.http.redaction import safe_scim_type
from clients.skolon.auth import StaticToken
from clients.skolon.client import ScimSkolonClient
from clients.skolon.scim import read_user
from sandbox.serving import serve
from sandbox.skolon.application import SkolonStandIn
from sandbox.skolon.schema import SkolonUser as SkolonExtension
from sandbox.skolon.schema import User
from schemas.users.attributes import Attribute
from schemas.users.scim import ERROR_RESPONSE, SKOLON_EXTENSION, load_list_response

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from wsgiref.types import StartResponse, WSGIEnvironment

TOKEN = "made-up-token"  # noqa: S105 - made up
CHANGES = {
    Attribute.FIRST_NAME: "Ny",
    Attribute.EMAIL: "ny@kommun.example",
    Attribute.CITY: "Nystad",
    Attribute.MOBILE_PHONE: "070-174 06 01",
    Attribute.EPPN: "ny@kommun.example",
    Attribute.SSN: None,
}


class Recorder:
    """A stand-in that keeps the bodies of requests and responses."""

    def __init__(self) -> None:
        people = [
            {
                "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User", SKOLON_EXTENSION],
                "id": f"user-{number}",
                "externalId": f"entra-{number}",
                "userName": f"u{number}@kommun.example",
                "name": {"givenName": "Gammal", "familyName": "Exempel"},
                SKOLON_EXTENSION: {"eppn": f"u{number}@kommun.example", "ssn": "200001012384"},
            }
            for number in range(3)
        ]
        self._standin = SkolonStandIn({"exempel": people}, bearer_token=TOKEN)
        self.exchanges: list[tuple[str, Any, Any]] = []

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        sent = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        environ["wsgi.input"] = io.BytesIO(sent)
        answered = b"".join(self._standin.application(environ, start_response))
        request = json.loads(sent) if sent else None
        self.exchanges.append((environ["REQUEST_METHOD"], request, json.loads(answered or b"null")))
        return [answered]


@pytest.fixture
def recorder() -> Recorder:
    return Recorder()


@pytest.fixture
def client(recorder: Recorder) -> Iterator[ScimSkolonClient]:
    with serve(recorder, threads=2) as server:
        yield ScimSkolonClient(url=f"{server.url}/{{organisation}}/scim/v2", token=StaticToken(TOKEN))


def test_a_search(client: ScimSkolonClient, recorder: Recorder) -> None:
    """The body of a search by POST is a SearchRequest, and what is read is a ListResponse."""
    keys = [{Attribute.EXTERNAL_ID: f"entra-{number}", Attribute.EMAIL: 'a"b\\c@x'} for number in (0, 2)]
    found = client.search_many("exempel", keys)
    method, request, response = recorder.exchanges[0]
    assert method == "POST"
    asked: SearchRequest[Any] = SearchRequest.model_validate(request, scim_ctx=Context.SEARCH_REQUEST)
    assert asked.start_index == 1
    listed = ListResponse[User[SkolonExtension]].model_validate(response, scim_ctx=Context.SEARCH_RESPONSE)
    total, resources, _ = load_list_response(response)
    assert total == listed.total_results == 2
    ids = {resource.id for resource in listed.resources or []}
    assert ids == {read_user(resource).id for resource in resources}
    assert ids == {user.id for users in found if isinstance(users, list) for user in users}


def test_reading_and_updating(client: ScimSkolonClient, recorder: Recorder) -> None:
    """The body of an update is a PatchOp, and what is read is a user, before and after."""
    user = client.read("exempel", "user-1")
    assert user is not None
    client.update("exempel", user, CHANGES)
    after = client.read("exempel", "user-1")
    (_, _, before), (method, request, _), *_, (_, _, response) = recorder.exchanges
    assert method == "PATCH"
    model = User[SkolonExtension]
    known = model.model_validate(before, scim_ctx=Context.RESOURCE_QUERY_RESPONSE)
    PatchOp[model].model_validate(request, scim_ctx=Context.RESOURCE_PATCH_REQUEST).patch(known)
    held = model.model_validate(response, scim_ctx=Context.RESOURCE_QUERY_RESPONSE)
    assert after is not None
    for read, expected in (
        (Attribute.FIRST_NAME, held.name and held.name.given_name),
        (Attribute.EPPN, held[SkolonExtension].eppn),
        (Attribute.SSN, held[SkolonExtension].ssn),
    ):
        assert after.attributes[read] == expected == CHANGES[read]
    assert known.name == held.name
    assert known.emails == held.emails


@pytest.mark.parametrize(
    "scim_type",
    [
        "invalidFilter",
        "tooMany",
        "uniqueness",
        "mutability",
        "invalidSyntax",
        "invalidPath",
        "noTarget",
        "invalidValue",
        "invalidVers",
        "sensitive",
    ],
)
def test_an_error(scim_type: str) -> None:
    """An error as scim2-models writes it has the schema and the word that the client looks for."""
    written = Error(status=400, scim_type=scim_type).model_dump()
    assert written["schemas"] == [ERROR_RESPONSE]
    assert safe_scim_type(written["scimType"]) == scim_type
