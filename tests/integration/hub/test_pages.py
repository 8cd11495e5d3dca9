"""The pages of syncs and runs: what an administrator reads, over HTTP with the real server."""

from __future__ import annotations

import datetime as dt
import re
from contextlib import closing
from typing import TYPE_CHECKING

import pytest
import requests

from administration.hub.sign_in import SignIn
from administration.tenants.status import tenant_statuses
from hub.access import SESSION_COOKIE
from hub.app import create_app
from hub.services import HubServices
from schemas.crypto.blind_index import BlindIndex
from schemas.crypto.cookie_keys import cookie_keys
from schemas.crypto.encryption import FieldCipher, new_key
from schemas.details.detail import Detail
from schemas.details.kinds import DetailKind
from schemas.errors import Dependency, TransientError, UsageError
from schemas.hub.member import Role
from schemas.outcomes import Cause
from schemas.runs.run import identity_kept_warning
from schemas.runs.waits import Wait
from store.store import Store
from tests.integration.cli.command_line import UNREACHABLE
from tests.integration.hub.made_up_runs import (
    FAILED,
    NOT_FOUND,
    UNCHANGED,
    USERS,
    finish,
    new_tenant,
    start,
    text_of,
)

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from tests.integration.hub.browser import Hub


def test_the_start_page_tells_how_each_tenant_fares(hub: Hub, store: Store) -> None:
    """Who needs a person comes first, in words, with who must act; the bar has the numbers beside it."""
    bad, good = new_tenant(hub, "behover"), new_tenant(hub, "bra")
    finish(store, start(store, bad, "bad"), {USERS[0]: FAILED, USERS[1]: NOT_FOUND})
    finish(store, start(store, good, "good"), {})
    browser = hub.signed_in("Sia Start", "administrator", bad, good)

    text = text_of(browser.open("").text)

    assert "1 organisation needs attention." in text
    assert text.index("Kommun behover") < text.index("Kommun bra")
    assert (
        "A value breaks a rule: 1 user could not be updated. Who must act: the administrator of Entra" in text
    )
    assert "Right in Skolon: 4 of 5 users that are kept up to date." in text
    assert "Right in Skolon: 6 of 6 users that are kept up to date." in text
    assert "All is well" in text


def test_the_status_of_some_tenants_is_that_of_all_for_them(hub: Hub, store: Store) -> None:
    """What a member's page reads of own tenants is what the operator's page reads of them."""
    one, two = new_tenant(hub, "ett"), new_tenant(hub, "tva")
    finish(store, start(store, one, "one"), {USERS[0]: FAILED})
    finish(store, start(store, one, "one again"), {USERS[1]: NOT_FOUND})
    store.runs.halt(start(store, two, "two"), Cause.SKOLON_CREDENTIALS, "HTTP 401")
    now = dt.datetime.now(dt.UTC)

    every = {each.tenant: each for each in tenant_statuses(None, store=store, now=now)}

    for keys in ([one], [two], [two, one], []):
        found = tenant_statuses(keys, store=store, now=now)
        assert found == [every[key] for key in sorted(keys)]
    assert every[one].scope_change is not None
    assert every[two].problems
    with pytest.raises(UsageError, match="saknas"):
        tenant_statuses([one, "saknas"], store=store, now=now)


def test_a_member_without_a_tenant_and_a_tenant_without_a_run_read_what_to_do(hub: Hub, store: Store) -> None:
    """Empty pages say that they are empty, and what comes next."""
    empty = new_tenant(hub, "tom")
    browser = hub.signed_in("Emma Tom", "reader", empty)
    assert "No run has been made, and no schedule will start one." in text_of(browser.open("").text)
    assert "No run has been made yet." in text_of(browser.open(f"tenants/{empty}/runs/").text)
    store.tenants.remove(empty)
    assert "You see no organisation yet." in text_of(browser.open("").text)


def test_a_run_is_watched_to_its_end(hub: Hub, store: Store) -> None:
    """The page asks for its progress while the run is open; nothing new is 304; the end asks no more."""
    tenant = new_tenant(hub, "foljs")
    run = start(store, tenant, "watched")
    browser = hub.signed_in("Vera Väntar", "reader", tenant)
    path = f"tenants/{tenant}/runs/{run}"

    page = browser.open(path).text
    assert "0 of 6 users are done." in text_of(page)
    assert f'hx-get="/{path}/progress" hx-trigger="every 2s"' in page
    assert '<noscript><meta http-equiv="refresh"' in page

    first = browser.open(f"{path}/progress")
    again = browser.open(f"{path}/progress", headers={"If-None-Match": first.headers["ETag"]})
    assert (first.status_code, again.status_code, again.text) == (200, 304, "")
    assert "<html" not in first.text

    store.receipts.finish(run, USERS[0], UNCHANGED)
    moved = browser.open(f"{path}/progress", headers={"If-None-Match": first.headers["ETag"]})
    assert "1 of 6 users are done." in re.sub(r"<[^>]*>", "", moved.text)

    finish(store, run, {})
    ended = browser.open(f"{path}/progress", headers={"If-None-Match": moved.headers["ETag"]})
    assert "hx-get" not in ended.text
    assert "Completed" in ended.text
    assert "hx-get" not in browser.open(path).text


def test_a_run_tells_what_became_of_its_users_and_why(hub: Hub, store: Store) -> None:
    """The numbers add up to the total, and each reason says what happened, and who must act."""
    tenant = new_tenant(hub, "utfall")
    run = start(store, tenant, "told")
    finish(store, run, {USERS[0]: FAILED, USERS[1]: FAILED, USERS[2]: NOT_FOUND})
    browser = hub.signed_in("Ulf Utfall", "reader", tenant, language="sv")

    page = browser.open(f"tenants/{tenant}/runs/{run}").text
    text = text_of(page)

    counts = [int(each) for each in re.findall(r"<strong>(\d+)</strong>", page)]
    assert sum(counts) == len(USERS)
    widths = [int(each) for each in re.findall(r'y="0" width="(\d+)"', page)]
    assert sum(widths) == 1000
    assert "Tillsammans 6 användare." in text
    assert "Ett värde bryter mot en regel: 2" in text
    assert "Vem som behöver agera: Entra-administratören." in text
    assert USERS[0] not in page


def test_a_run_tells_what_it_waits_for_and_why_it_was_halted(hub: Hub, store: Store) -> None:
    """An outage is told with the service and since when; a halt with its cause and what to do."""
    tenant = new_tenant(hub, "vantar")
    run = start(store, tenant, "waits")
    now = dt.datetime.now(dt.UTC)
    wait = Wait(
        service=Dependency.SKOLON,
        reported=now,
        next_try=now + dt.timedelta(minutes=1),
        status=503,
        failed_at=now,
    )
    store.waits.record_user(run, USERS[0], wait)
    browser = hub.signed_in("Vivi Väntar", "reader", tenant)
    text = text_of(browser.open(f"tenants/{tenant}/runs/{run}").text)
    assert "Waits for Skolon since" in text
    assert "1 user waits. It goes on by itself." in text

    store.runs.halt(run, Cause.SKOLON_CREDENTIALS, "HTTP 401")
    text = text_of(browser.open(f"tenants/{tenant}/runs/{run}").text)
    assert "Halted" in text
    assert "Why it was halted" in text
    assert "Who must act:" in text


@pytest.mark.parametrize(
    ("language", "halted", "warned"),
    [
        ("sv", "3 av 4 användare skulle ändras", "2 användare behåller ett värde"),
        (
            "en",
            "3 of 4 users would be changed; the limit is 1 user and 10%",
            "2 users keep an identity value",
        ),
    ],
)
def test_the_detail_of_a_halt_is_told_in_the_language_of_the_page(
    hub: Hub, store: Store, language: str, halted: str, warned: str
) -> None:
    """Numbers and limits too, beside the advice that points to them."""
    tenant = new_tenant(hub, f"sprak-{language}")
    run = start(store, tenant, f"halted-{language}")
    detail = Detail(DetailKind.GUARD_EXCEEDED, limit="changed", count=3, size=4, most=1, share="10")
    store.runs.halt(run, Cause.GUARD_EXCEEDED, detail)
    store.run_warnings.record_users(run, 2, identity_kept_warning)
    browser = hub.signed_in(f"Läser {language}", "reader", tenant, language=language)
    text = text_of(browser.open(f"tenants/{tenant}/runs/{run}").text)
    assert halted in text
    assert "guard." not in text
    assert warned in text


def test_runs_are_listed_page_by_page(hub: Hub, store: Store) -> None:
    """The newest come first; each page leads on from its last run, so that new runs move nothing."""
    tenant = new_tenant(hub, "manga")
    made = []
    for number in range(21):
        made.append(start(store, tenant, f"many-{number}"))
        store.runs.cancel(made[-1])
    browser = hub.signed_in("Mia Många", "reader", tenant)

    first = browser.open(f"tenants/{tenant}/runs/").text
    onward = re.search(r'rel="next" href="([^"]+)"', first)
    assert onward is not None
    store.runs.cancel(start(store, tenant, "newer"))
    second = browser.open(onward[1]).text

    def listed(page: str) -> list[int]:
        return [int(each) for each in re.findall(r"/runs/(\d+)\"", page)]

    assert listed(first) == made[:0:-1]
    assert listed(second) == made[:1]
    assert 'rel="next"' not in second
    assert "Newest runs" in second


def test_the_language_is_the_browsers_until_the_user_chooses(hub: Hub) -> None:
    """Swedish by the browser, English by choice, remembered, and back on the same page."""
    tenant = new_tenant(hub, "sprak")
    browser = hub.signed_in("Språk Byte", "reader", tenant, language="de, sv;q=0.5, en;q=0.1")
    path = f"tenants/{tenant}/runs/"
    page = browser.open(path)
    assert '<html lang="sv"' in page.text

    chosen = browser.submit("language", page, language="en")

    assert chosen.url == hub.address + path
    assert '<html lang="en"' in chosen.text
    assert '<html lang="en"' in browser.open("").text
    elsewhere = browser.submit("language", page, language="sv", next="//evil.example/")
    assert elsewhere.url == hub.address


GARBAGE = [
    "'",
    "<script>",
    "%00",
    "%ff%fe",
    "-1",
    "9" * 400,
    "0",
    "1e3",
    "\u202e",
    "a" * 3000,
    "..%2f..%2fetc",
]


def test_large_numbers_are_written_as_in_swedish(hub: Hub) -> None:
    """Their no-break spaces are shown as such, and not by their code."""
    page = hub.signed_in("Stina Siffra", "administrator", "exempel", language="sv").open(
        "tenants/exempel/settings/"
    )
    assert "1\N{NO-BREAK SPACE}000" in page.text
    assert "\\xa0" not in page.text


@pytest.mark.parametrize("garbage", GARBAGE)
def test_garbage_in_an_address_is_not_found(hub: Hub, garbage: str) -> None:
    """Whatever stands for a tenant, a run or a cursor: a page that says so, and no error of ours."""
    browser = hub.signed_in("Gun Garbage", "operator")
    for path in (
        f"tenants/{garbage}/runs/",
        f"tenants/exempel/runs/{garbage}",
        f"tenants/exempel/runs/{garbage}/progress",
        f"{garbage}",
    ):
        answer = browser.open(path)
        assert answer.status_code == 404, path
        assert "<script>" not in answer.text
    assert browser.open(f"tenants/exempel/runs/?before={garbage}").status_code in (200, 404)
    assert browser.open(f"sign-in?link={garbage}").status_code in (200, 403)


@pytest.mark.parametrize(
    "garbage", ["\xff", ";;;===", "a" * 3000, "../", '"', "1; update_sync_form=x; update_sync_language=xx"]
)
def test_garbage_in_cookies_and_headers_is_no_error(hub: Hub, garbage: str) -> None:
    """A browser with broken cookies is not signed in, and reads the sign-in page."""
    answer = hub_request(
        hub,
        {
            "Cookie": f"update_sync_session={garbage}".encode("latin-1"),
            "Accept-Language": garbage.encode("latin-1"),
            "If-None-Match": garbage.encode("latin-1"),
            "X-Forwarded-For": garbage.encode("latin-1"),
        },
    )
    assert answer == 200


def hub_request(hub: Hub, headers: Mapping[str, bytes]) -> int:
    return requests.get(hub.address, headers=headers, timeout=60).status_code


def test_a_form_that_is_too_large_is_refused(hub: Hub) -> None:
    """Five megabytes are refused with a page that says so."""
    browser = hub.signed_in("Stor Post", "operator")
    answer = browser.submit("language", browser.open(""), language="x" * 5_000_000)
    assert answer.status_code == 413
    assert "too much" in answer.text
    assert browser.submit("language", browser.open(""), language="klingon").status_code == 400


@pytest.mark.parametrize(
    ("support", "whom"),
    [
        ("", "tell the incident id to the person who invited you here"),
        ("help@hub.example", 'href="mailto:help@hub.example" rel="noreferrer">help@hub.example</a>'),
        ("https://hub.example/help", 'href="https://hub.example/help" rel="noreferrer">hub.example/help</a>'),
    ],
)
def test_while_the_database_is_away_the_page_says_so(
    capsys: pytest.CaptureFixture[str], support: str, whom: str
) -> None:
    """P8: 503 with when to ask again and whom to tell, in the same voice, and an incident id of the log."""
    key = new_key()
    with closing(Store(f"postgresql://user:secret@{UNREACHABLE}/x", FieldCipher([key]))) as away:
        app = create_app(
            HubServices(
                store=away,
                sign_in=SignIn(away, BlindIndex([key])),
                cookie_keys=cookie_keys([key]),
                support=support,
            )
        )
        client = app.test_client()
        client.set_cookie("update_sync_session", "x")
        answer = client.get("/")
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "10")
    found = re.search(r"Incident id: (\w{12})", answer.text)
    assert found is not None
    assert "The database is away" in answer.text
    assert whom in answer.text
    logged = "".join(capsys.readouterr())
    assert found[1] in logged
    assert "secret" not in logged + answer.text


def test_while_another_service_is_away_no_page_blames_the_database(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is away is said as far as it is known."""
    key = new_key()
    with closing(Store(f"sqlite:///{tmp_path / 'away.sqlite'}", FieldCipher([key]))) as store:
        store.upgrade()
        sign_in = SignIn(store, BlindIndex([key]))
        app = create_app(HubServices(store=store, sign_in=sign_in, cookie_keys=cookie_keys([key])))
        client = app.test_client()
        member = store.hub_members.add("Ada", Role.OPERATOR)
        client.set_cookie(SESSION_COOKIE, sign_in.start_session(member.id))

        def fail() -> None:
            raise TransientError(Dependency.GRAPH, "HTTP 503")

        monkeypatch.setattr(store.tenants, "keys", fail)
        answer = client.get("/")
    assert answer.status_code == 503
    assert "A service that this page needs is away" in answer.text
    assert "database" not in answer.text


def test_an_address_that_was_cut_short_leads_to_the_tenants_first_page(hub: Hub) -> None:
    """Of a tenant that the member sees; of others there is no such page."""
    browser = hub.signed_in("Klipp Adress", "reader", "exempel")
    assert "Needs attention" in text_of(browser.open("tenants/exempel/").text)
    assert browser.open("tenants/annan/").status_code == 404


def test_a_bug_shows_no_value(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """P6: an error of ours is a page with an incident id; the log has where it was, and not its text."""
    key = new_key()
    with closing(Store(f"sqlite:///{tmp_path / 'bug.sqlite'}", FieldCipher([key]))) as store:
        store.upgrade()
        sign_in = SignIn(store, BlindIndex([key]))
        app = create_app(HubServices(store=store, sign_in=sign_in, cookie_keys=cookie_keys([key])))
        client = app.test_client()
        member = store.hub_members.add("Ada", Role.OPERATOR)
        client.set_cookie(SESSION_COOKIE, sign_in.start_session(member.id))

        def fail(*_: object) -> None:
            raise ValueError("Hemlig Person")

        monkeypatch.setattr(store.tenants, "outlines", fail)
        answer = client.get("/")
    assert answer.status_code == 500
    found = re.search(r"Incident id: (\w{12})", answer.text)
    assert found is not None
    logged = "".join(capsys.readouterr())
    assert found[1] in logged
    assert "ValueError" in logged
    assert "Hemlig" not in logged + answer.text
    assert "Traceback" not in logged
