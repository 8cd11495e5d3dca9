"""The made-up municipality in the stand-in: who is found there is who the cases say."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import requests

from sandbox.municipality.municipality import MadeUpUser, Municipality
from sandbox.serving import serve
from sandbox.skolon.application import SkolonStandIn

if TYPE_CHECKING:
    from collections.abc import Iterator

EPPN = "urn:ietf:params:scim:schemas:extension:skolon:2.0:User:eppn"
SECONDS = 10


@pytest.fixture(scope="module")
def municipality() -> Municipality:
    return Municipality(150, seed=11)


@pytest.fixture(scope="module")
def users_url(municipality: Municipality) -> Iterator[str]:
    stand_in = SkolonStandIn({"exempel": municipality.skolon_users()}, bearer_token="t")  # noqa: S106 - made up
    with serve(stand_in.application, threads=2) as server:
        yield f"{server.url}/exempel/scim/v2/Users"


def first_hits(http: requests.Session, url: str, entra: dict[str, Any]) -> list[str]:
    """Search key by key in the default order, by hand; return the ids that the first key with hits finds."""
    mails = [mail.strip() for mail in [entra["mail"] or "", *entra["otherMails"]] if mail.strip()]
    principal = entra["userPrincipalName"]
    keys = [
        ("externalId", entra["id"]),
        (EPPN, mails[0] if mails else principal),
        ("userName", principal),
        ("emails.value", mails[0] if mails else ""),
    ]
    for name, value in keys:
        answer = http.get(url, params={"filter": f'{name} eq "{value}"'}, timeout=SECONDS)
        assert answer.status_code == 200
        hits = [user["id"] for user in answer.json().get("Resources", [])]
        if hits:
            return hits
    return []


def agrees(person: MadeUpUser, hits: list[str]) -> bool:
    """Tell whether these hits lead to the outcome that the person is said to have."""
    if person.claims is not None:
        return hits == [person.claims]
    if person.outcome == "not_found":
        return hits == []
    return (len(hits) > 1) == (person.reason == "ambiguous_match")


def test_everybody_is_found_as_the_cases_say(municipality: Municipality, users_url: str) -> None:
    """Matched, ambiguous or absent: the search itself bears the expected outcome out."""
    with requests.Session() as http:
        http.trust_env = False
        http.headers["Authorization"] = "Bearer t"
        wrong = {p.case for p in municipality if not agrees(p, first_hits(http, users_url, p.entra))}
    assert not wrong
