"""The API: what its description says, whatever is asked, over HTTP with the real server."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING

import pytest
import requests

from devtools.commands import json_output
from schemas.dead_letter_reasons import Reason
from schemas.dead_letters.task import FailureSelection, TaskKind
from schemas.hub.action import Actor, Submission
from schemas.outcomes import Stage
from schemas.runs.collision import Collision
from schemas.runs.sync_result import Failure
from tests.integration.hub.browser import DEADLINE
from tests.integration.hub.described import play_described
from tests.integration.hub.made_up_runs import FAILED, NOT_FOUND, USERS, finish, new_tenant, start, text_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from store.store import Store
    from tests.integration.hub.browser import Browser, Hub


@pytest.fixture(scope="module")
def browser(hub: Hub) -> Browser:
    return hub.signed_in("Ada Program", "administrator", "exempel")


@pytest.fixture(scope="module")
def secret(browser: Browser) -> str:
    """Make a token as an administrator does, on the page."""
    page = browser.submit("tenants/exempel/tokens/", label="Dashboard <b>åäö</b>")
    assert "it is not shown again" in text_of(page.text)
    return secret_of(page)


def secret_of(page: requests.Response) -> str:
    """Return the token that a page shows."""
    return page.text.partition('class="hub-secret">')[2].partition("<")[0]


@pytest.fixture(scope="module")
def run(store: Store) -> int:
    begun = start(store, "exempel", "api")
    finish(store, begun, {USERS[0]: FAILED, USERS[1]: NOT_FOUND})
    return begun


@pytest.fixture(scope="module")
def ask(hub: Hub, secret: str, run: int) -> Callable[..., requests.Response]:
    del run

    def get(path: str, **headers: str) -> requests.Response:
        sent = {"Authorization": f"Bearer {secret}", **headers}
        return requests.get(f"{hub.address}api/v1/{path}", headers=sent, timeout=DEADLINE)

    return get


def is_problem(answer: requests.Response, status: int) -> bool:
    body = answer.json()
    return (
        answer.status_code == body["status"] == status
        and answer.headers["Content-Type"] == "application/problem+json"
        and bool(body["title"] and body["incident"])
    )


def test_programs_read_what_the_pages_show(ask: Callable[..., requests.Response], run: int) -> None:
    """The sync, its run, who has which outcome, who fails, and what runs did to a user."""
    (sync,) = ask("syncs").json()["syncs"]
    assert (sync["tenant"], sync["name"], sync["last_run"]) == ("exempel", "Exempelkommun", str(run))
    assert ask("syncs/exempel").json()["settings"]["sources"]["email"] == ["mail", "otherMails"]
    assert "client_secret" not in ask("syncs/exempel").json()["settings"]
    assert [each["run"] for each in ask("syncs/exempel/runs").json()["runs"]] == [str(run)]
    found = ask(f"syncs/exempel/runs/{run}").json()
    assert (found["published"], found["outcomes"]["dead_lettered"]) == (len(USERS), 1)
    (missing,) = ask(f"syncs/exempel/runs/{run}/users?outcome=not_found").json()["users"]
    assert missing["user"] == USERS[1]
    (group,) = ask("syncs/exempel/failures").json()["groups"]
    assert (group["reason"], group["owner"], group["users"]) == ("invalid_user", "entra", 1)
    assert [each["since"] for each in sync["problems"] if each["reason"] == "invalid_user"] == [
        group["first"]
    ]
    (failed,) = ask("syncs/exempel/failures/users?reason=invalid_user").json()["users"]
    assert (failed["user"], set(failed["structured_detail"]["texts"])) == (USERS[0], {"sv", "en"})
    user = ask(f"syncs/exempel/users/{USERS[0]}").json()
    assert (user["state"], user["owner"], user["history"][0]["run"]) == ("dead_lettered", "entra", str(run))


def test_the_report_names_no_user_of_another_tenant(hub: Hub, store: Store) -> None:
    """Before a run of all users is complete there is none; then it has what the page and the command have."""
    tenant = new_tenant(hub, "rapport-api")
    page = hub.signed_in("Ria Rapport", "administrator", tenant).submit(
        f"tenants/{tenant}/tokens/", label="x"
    )
    headers = {"Authorization": f"Bearer {secret_of(page)}"}

    def ask(query: str) -> requests.Response:
        address = f"{hub.address}api/v1/syncs/{tenant}/report?{query}"
        return requests.get(address, headers=headers, timeout=DEADLINE)

    assert is_problem(ask(""), 404)
    neighbour = Collision(holder_entra_id=USERS[5], skolon_id="s1", holder_tenant="annan")
    failed = Failure(reason=Reason.COLLISION, stage=Stage.MATCH, detail="taken", collision=neighbour)
    finish(store, start(store, tenant, "report"), {USERS[0]: failed, USERS[1]: NOT_FOUND})

    found = ask("limit=1").json()

    command = json_output("tenants", "report", tenant, "--limit", "1", env=hub.env)
    assert set(found) == set(command)
    assert found["not_found"] == command["not_found"]
    assert found["collisions"] == {"count": 1, "users": [{"skolon_user": "s1", "users": [None, USERS[0]]}]}
    assert is_problem(ask("limit=0"), 422)


def test_a_list_is_read_page_by_page(ask: Callable[..., requests.Response], run: int) -> None:
    """By cursors, which end with null; each user comes once."""
    users, cursor = [], ""
    for _ in USERS:
        page = ask(f"syncs/exempel/runs/{run}/users?limit=2{cursor}").json()
        users += [each["user"] for each in page["users"]]
        if page["next"] is None:
            break
        cursor = f"&cursor={page['next']}"
    assert users == list(USERS)


def test_what_has_not_changed_is_not_sent_again(ask: Callable[..., requests.Response], run: int) -> None:
    """By its ETag."""
    first = ask(f"syncs/exempel/runs/{run}")
    again = ask(f"syncs/exempel/runs/{run}", **{"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.content) == (304, b"")


@pytest.mark.parametrize(
    "path",
    [
        "syncs/annan",
        "syncs/annan/runs",
        "syncs/saknas",
        "syncs/exempel/runs/999999",
        "syncs/exempel/runs/99999999999999999999999",
        "syncs/exempel/runs/-1",
        "syncs/exempel/runs/%00",
        "syncs/exempel/users/6a1c0c3e-0000-4000-8000-0000000000ee",
        "syncs/exempel/users/%F0%9F%92%A9",
        "syncs/%2e%2e",
        "nowhere",
        "x" * 3000,
    ],
)
def test_what_is_not_there_is_a_problem(ask: Callable[..., requests.Response], path: str) -> None:
    """Another tenant's answers as none at all."""
    assert is_problem(ask(path), 404)


@pytest.mark.parametrize(
    "query",
    [
        "limit=0",
        "limit=x",
        "limit=1e9",
        "cursor=%00",
        "cursor=åäö",
        "cursor=" + "A" * 3000,
        "cursor=" + base64.urlsafe_b64encode(b"a\0b").decode(),
        "reason=none",
        "outcome=%1b[31m",
    ],
)
def test_a_wrong_parameter_is_named(ask: Callable[..., requests.Response], run: int, query: str) -> None:
    """With what it may be, and without what it was."""
    answer = ask(f"syncs/exempel/runs/{run}/users?{query}")
    assert is_problem(answer, 422)
    assert set(answer.json()["errors"]["query"]) == {query.partition("=")[0]}


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": ""},
        {"Authorization": "Bearer"},
        {"Authorization": "Bearer sus_guess"},
        {"Authorization": "Bearer " + "x" * 5000},
        {"Authorization": "Basic YTpi"},
        {"Authorization": "Bearer sus_\xe5\xe4\xf6"},
    ],
)
def test_without_a_token_nothing_is_told(hub: Hub, headers: Mapping[str, str]) -> None:
    """The answer says how to send one."""
    sent = {name: value.encode("latin-1") for name, value in headers.items()}
    answer = requests.get(f"{hub.address}api/v1/syncs", headers=sent, timeout=DEADLINE)
    assert is_problem(answer, 401)
    assert answer.headers["WWW-Authenticate"] == "Bearer"


def test_a_session_is_no_token(browser: Browser) -> None:
    """A page of another site that has a browser ask gets nothing."""
    assert browser.open("api/v1/syncs").status_code == 401


def test_tokens_can_be_told_apart(browser: Browser) -> None:
    """No two have one label; the audit says which one was made, and the page has its number."""
    assert browser.submit("tenants/exempel/tokens/", label="Skärm i receptionen").status_code == 200
    assert browser.submit("tenants/exempel/tokens/", label="Skärm i receptionen").status_code == 422
    assert browser.submit("tenants/exempel/tokens/", label="skärm i RECEPTIONEN").status_code == 422
    assert "Program Skärm i receptionen" in text_of(browser.open("tenants/exempel/audit").text)
    assert "Skärm i receptionen Number" in text_of(browser.open("tenants/exempel/tokens/").text)


def test_a_token_ends_at_once(hub: Hub, browser: Browser, store: Store) -> None:
    """The page names it and who made it, as text; its secret is nowhere but in the first answer."""
    made = browser.submit("tenants/exempel/tokens/", label="Kort <script>")
    secret = made.text.partition('class="hub-secret">')[2].partition("<")[0]
    page = browser.open("tenants/exempel/tokens/")
    assert secret not in page.text
    assert "Kort &lt;script&gt;" in page.text
    assert "Ada Program" in page.text
    headers = {"Authorization": f"Bearer {secret}"}
    assert requests.get(f"{hub.address}api/v1/syncs", headers=headers, timeout=DEADLINE).ok

    token = store.hub_api_tokens.list("exempel")[0].id
    other = hub.signed_in("Anna Annan", "administrator", "annan")
    assert other.submit(f"tenants/annan/tokens/{token}/end").status_code == 404
    assert browser.submit(f"tenants/exempel/tokens/{token}/end").status_code == 200

    assert is_problem(requests.get(f"{hub.address}api/v1/syncs", headers=headers, timeout=DEADLINE), 401)
    log = hub.log.read_text(encoding="utf-8")
    assert secret not in log
    assert '"api_token"' in log


def test_only_what_is_described_is_answered(hub: Hub, store: Store, secret: str, run: int) -> None:
    """Schemathesis asks each operation for right and wrong things: no 5xx, and no undocumented answer."""
    task = store.dead_letter_tasks.request(
        "exempel",
        TaskKind.FORECAST,
        FailureSelection(reason=FAILED.reason),
        users=1,
        submission=Submission(actor=Actor(), key="schemathesis"),
    )
    there = {
        "tenant": "exempel",
        "run": str(run),
        "user": USERS[0],
        "task": str(task),
        "reason": str(FAILED.reason),
        "draft": "1",
        "change": "1",
    }
    play_described(hub, secret, there)
