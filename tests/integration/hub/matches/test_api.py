"""Matches by the API: what waits, what an answer would do, and answers that are given once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import requests

from sandbox.environment import TENANT_KEY
from schemas.hub.session import AuditKind
from tests.integration.hub.browser import DEADLINE
from tests.integration.hub.matches.conftest import CLEO, DAN
from tests.integration.hub.matches.test_pages import DECISIONS, MATCHES, USER, text
from tests.integration.workers.identity.accounts import ADDRESS

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.integration.hub.browser import Browser
    from tests.integration.hub.matches.conftest import Office

LINK = {"answer": "link", "skolon_user": "s1"}


@pytest.fixture(scope="module")
def ask(_office: Office, administrator: Browser) -> Callable[..., requests.Response]:
    """Return what asks the API with a token that may act."""
    return program(_office, administrator, may_act=True)


def program(office: Office, browser: Browser, *, may_act: bool) -> Callable[..., requests.Response]:
    fields = {"label": f"Matchar {may_act}", **({"may_act": "yes"} if may_act else {})}
    made = browser.submit(f"tenants/{TENANT_KEY}/tokens/", None, **fields)
    secret = made.text.partition('class="hub-secret">')[2].partition("<")[0]

    def asks(method: str, path: str, key: str | None = None, **options: Any) -> requests.Response:
        headers = {"Authorization": f"Bearer {secret}"}
        if key is not None:
            headers["Idempotency-Key"] = key
        url = f"{office.hub.address}api/v1/syncs/{TENANT_KEY}/matches{path}"
        return requests.request(method, url, headers=headers, timeout=DEADLINE, **options)

    return asks


def test_programs_read_what_waits(office: Office, ask: Callable[..., requests.Response]) -> None:
    """Page by page, and both sides without a value."""
    first = ask("GET", "?limit=2").json()
    assert (first["count"], [each["user"] for each in first["matches"]]) == (3, [USER, CLEO["id"]])
    assert first["matches"][0]["skolon_users"] == ["s1"]
    rest = ask("GET", f"?limit=2&cursor={first['next']}").json()
    assert ([each["user"] for each in rest["matches"]], rest["next"]) == ([DAN["id"]], None)
    answer = ask("GET", f"/{USER}")
    (candidate,) = answer.json()["skolon_users"]
    assert (candidate["is_proven"], candidate["differs"]) == (False, ["first_name", "last_name"])
    assert "email" in candidate["equal"]
    assert "first_name" in candidate["different"]
    assert not any(value in answer.text for value in ("Anna", "Solros", ADDRESS, "•"))
    assert office.events(AuditKind.VALUES_REVEALED) == []


def test_an_answer_is_confirmed_and_given_once(
    office: Office, ask: Callable[..., requests.Response], administrator: Browser
) -> None:
    """What it does is read first; the audit and the pages name the program."""
    before, seen = office.requested(), office.events(*DECISIONS)
    effects = ask("GET", f"/{USER}/effects", params=LINK).json()
    assert effects["needs_confirmation"]
    assert (effects["own"]["outcome"], effects["own"]["skolon_user"]) == ("would_update", "s1")
    assert "first_name" in effects["own"]["changes"]
    assert [(each["user"], each["outcome"]) for each in effects["others"]] == [(CLEO["id"], "not_found")]
    refused = ask("POST", f"/{USER}/decision", "a", json=LINK)
    assert (refused.status_code, refused.json()["errors"]) == (409, {"action": ["unconfirmed"]})
    assert office.events(*DECISIONS) == seen

    for _ in range(2):
        made = ask("POST", f"/{USER}/decision", "a", json={**LINK, "confirmed": True})
        assert (made.status_code, made.json()["kind"]) == (200, "match_linked")
        assert made.json()["users"] == [USER, CLEO["id"]]
    assert office.requested() == before + 1
    assert office.events(*DECISIONS) == [*seen, (AuditKind.MATCH_LINKED, USER, "s1")]
    assert "Matchar True decided on" in text(administrator.open(MATCHES))
    other = ask("POST", f"/{USER}/decision", "b", json={"answer": "ignore_user", "confirmed": True})
    assert (other.status_code, other.json()["errors"]) == (409, {"action": ["decided"]})
    reused = ask("POST", f"/{USER}/decision", "a", json={"answer": "ignore_user", "confirmed": True})
    assert reused.json()["errors"] == {"action": ["key_reused"]}
    (decision,) = ask("GET", "").json()["decisions"]
    assert (decision["decision"], decision["user"], decision["skolon_user"]) == ("link", USER, "s1")

    for _ in range(2):
        back = ask("POST", "/take-back", "c", json={"user": USER.upper(), "confirmed": True})
        assert (back.status_code, back.json()["kind"]) == (200, "decision_forgotten")
    again = ask("POST", "/take-back", "d", json={"user": USER, "confirmed": True})
    assert again.json()["errors"] == {"action": ["undecided"]}
    assert ask("GET", "").json()["decisions"] == []


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "answer"),
        ({"answer": "erase"}, "answer"),
        ({"answer": "link"}, "skolon_user"),
        ({"answer": "link", "skolon_user": ""}, "skolon_user"),
        ({"answer": "link", "skolon_user": "x" * 300}, "skolon_user"),
        ({"answer": "link", "skolon_user": "a\u0000b"}, "skolon_user"),
        ({"answer": "link", "skolon_user": "\ud800"}, "skolon_user"),
        ({"answer": "ignore_user", "skolon_user": "s1"}, "skolon_user"),
        ({"answer": "ignore_user", "confirmed": "perhaps"}, "confirmed"),
        ({"answer": "ignore_user", "more": 1}, "more"),
    ],
)
def test_a_wrong_answer_is_named(
    office: Office, ask: Callable[..., requests.Response], body: dict[str, Any], field: str
) -> None:
    """And decides nothing."""
    refused = ask("POST", f"/{USER}/decision", "wrong", json=body)
    assert refused.status_code == 422
    assert set(refused.json()["errors"]["json"]) == {field}
    assert office.store.match_decisions.list(TENANT_KEY) == []


def test_what_is_not_there_and_who_may_not(
    office: Office, ask: Callable[..., requests.Response], administrator: Browser
) -> None:
    """Users of nobody, ids of nothing, tokens that only read, and requests without a key."""
    for path in ("/x", "/00000000-0000-4000-8000-0000000000ff", f"/{'0' * 3000}"):
        assert ask("GET", path).status_code == 404
    assert ask("GET", "/x/effects", params=LINK).status_code == 404
    assert ask("POST", "/x/decision", "e", json={"answer": "ignore_user"}).status_code == 404
    gone = ask("GET", f"/{USER}/effects", params={"answer": "link", "skolon_user": "s9"})
    assert gone.json()["errors"] == {"action": ["no_such_user"]}
    belongs = ask("GET", f"/{USER}/effects", params={"answer": "link", "skolon_user": "s2"})
    assert belongs.json()["errors"] == {"action": ["belongs_to_other"]}
    assert ask("POST", f"/{USER}/decision", json={"answer": "ignore_user"}).status_code == 422
    assert ask("POST", "/take-back", "f", json={}).status_code == 422
    reads = program(office, administrator, may_act=False)
    assert reads("GET", "").status_code == 200
    assert reads("POST", f"/{USER}/decision", "g", json={"answer": "ignore_user"}).status_code == 403
    assert office.store.match_decisions.list(TENANT_KEY) == []
