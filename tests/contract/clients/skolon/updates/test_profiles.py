"""A server of Swedish schools (SS 12000 over SCIM), and users that it protects. All people are made up."""

from __future__ import annotations

from typing import Any

import pytest

from clients.skolon.auth import StaticToken
from clients.skolon.client import ScimSkolonClient
from sandbox.serving import serve
from schemas.errors import PermanentError
from schemas.tenants.skolon_target import SkolonProfile, SkolonTarget
from schemas.users.attributes import Attribute
from schemas.users.scim import SCHOOL_EXTENSION
from tests.contract.clients.skolon.updates.odd_server import Oddity, OddServer

CHANGES: dict[Attribute, str | None] = {
    Attribute.EPPN: "annika@skola.example",
    Attribute.SSN: "201301012384",
    Attribute.EMAIL: "annika@skola.example",
}


def pupil(**marking: Any) -> dict[str, Any]:
    return {
        "id": "1",
        "userName": "anna@skola.example",
        "externalId": "entra-1",
        "enrolments": ["kept"],
        SCHOOL_EXTENSION: {"userRelations": ["kept"], **marking},
    }


@pytest.mark.parametrize("oddities", [(), (Oddity.NO_VALUE_FILTERS,), (Oddity.NO_PATHS,)])
def test_an_update(oddities: tuple[Oddity, ...]) -> None:
    """The EPPN is the user name, the personal number is `civicNo`, and all the rest stays."""
    server = OddServer(users={"1": pupil()}, oddities=frozenset(oddities))
    with serve(server, threads=2) as served:
        client = ScimSkolonClient(
            url=f"{served.url}/{{organisation}}", token=StaticToken("made-up")
        ).for_target(SkolonTarget(profile=SkolonProfile.SS12000))
        user = client.read("exempel", "1")
        assert user is not None
        after = client.update("exempel", user, CHANGES)
    assert after is not None
    assert after.lacking(CHANGES) == frozenset()
    held = server.users["1"]
    assert held["userName"] == "annika@skola.example"
    assert held[SCHOOL_EXTENSION] == {"userRelations": ["kept"], "civicNo": "201301012384"}
    assert held["emails"] == [{"type": "work", "value": "annika@skola.example"}]
    assert (held["externalId"], held["enrolments"]) == ("entra-1", ["kept"])


@pytest.mark.parametrize("profile", SkolonProfile)
def test_a_protected_user_is_not_sent_a_change(profile: SkolonProfile) -> None:
    """The client itself refuses."""
    server = OddServer(users={"1": pupil(securityMarking=True)}, oddities=frozenset())
    with serve(server, threads=2) as served:
        client = ScimSkolonClient(url=f"{served.url}/{{organisation}}", token=StaticToken("made-up"))
        user = client.for_target(SkolonTarget(profile=profile)).read("exempel", "1")
        assert user is not None
        with pytest.raises(PermanentError, match="protected"):
            client.for_target(SkolonTarget(profile=profile)).update(
                "exempel", user, {Attribute.FIRST_NAME: "Ny"}
            )
    assert server.requests == ["GET"]
