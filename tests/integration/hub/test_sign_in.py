"""Signing in to the Data Hub by a link: over HTTP, with the real server and the real commands."""

from __future__ import annotations

import datetime as dt
import json
from typing import TYPE_CHECKING, Any

import pytest
import requests
from sqlalchemy import delete, select, update

from administration.hub.sign_in import SignIn
from devtools.commands import json_output, update_sync
from hub.access import SESSION_COOKIE
from schemas.crypto.blind_index import BlindIndex
from schemas.crypto.encryption import new_key
from schemas.hub.session import MAX_REFUSED, AuditKind
from store import tables
from tests.integration.hub.browser import DEADLINE, Browser

if TYPE_CHECKING:
    from store.store import Store
    from tests.integration.hub.browser import Hub

LONG_AGO = dt.timedelta(minutes=31)


@pytest.fixture(autouse=True)
def _no_refused_links(store: Store) -> None:
    """Each test begins without the refused links of those before it."""
    with store.database.transaction() as connection:
        connection.execute(delete(tables.hub_audit))


def change(store: Store, table: Any, **values: object) -> None:
    with store.database.transaction() as connection:
        connection.execute(update(table).values(values))


def audit(store: Store) -> list[str]:
    with store.database.transaction() as connection:
        query = select(tables.hub_audit.c.kind).order_by(tables.hub_audit.c.id)
        return list(connection.scalars(query))


def test_the_first_operator_signs_in_with_the_printed_link(hub: Hub, store: Store) -> None:
    """`update-sync hub` prints a link while there is no operator; it shows a button, and signs in once."""
    assert hub.printed_link is not None
    browser = Browser(hub.address)
    looked = browser.get(hub.printed_link, timeout=DEADLINE)
    assert "You have been invited" in looked.text

    page = browser.sign_in(hub.printed_link)

    assert page.url == hub.address
    assert "Signed in as Operator" in page.text
    assert "Annan kommun" in page.text
    again = Browser(hub.address).sign_in(hub.printed_link)
    assert (again.status_code, "This link has been used" in again.text) == (403, True)
    assert audit(store)[:2] == [AuditKind.SIGNED_IN, AuditKind.SIGN_IN_REFUSED]


def test_a_link_ends_after_ten_minutes(hub: Hub, store: Store) -> None:
    """A link that is too old says so, and what to do, in the browser's language."""
    link = hub.invite("Sen Lindqvist", "reader", "exempel")
    change(store, tables.hub_invitations, expires=dt.datetime.now(dt.UTC) - dt.timedelta(seconds=1))

    page = Browser(hub.address, "sv").sign_in(link)

    assert page.status_code == 403
    assert "Länken är för gammal" in page.text
    assert "Be om en ny" in page.text


def test_a_newer_link_replaces_the_one_before(hub: Hub) -> None:
    """Of one member's links, only the newest signs in."""
    first = hub.invite("Ny Länk", "reader", "exempel")
    second = hub.invite("Ny Länk", "reader", "exempel")
    assert "This link does not work" in Browser(hub.address).sign_in(first).text
    assert "Signed in as Ny Länk" in Browser(hub.address).sign_in(second).text


@pytest.mark.parametrize("seen", ["last_seen", "ends"])
def test_a_session_ends_by_itself(hub: Hub, store: Store, seen: str) -> None:
    """After thirty idle minutes, and after eight hours in any case, the session signs in no more."""
    browser = hub.signed_in("Ida Lång", "reader", "exempel")
    change(store, tables.hub_sessions, **{seen: dt.datetime.now(dt.UTC) - LONG_AGO})

    assert browser.open("").url == f"{hub.address}sign-in"


def test_a_page_keeps_the_session_alive_and_a_poll_does_not(hub: Hub, store: Store) -> None:
    """Only what a user asks for counts as use: a page left open over night ends."""
    browser = hub.signed_in("Petra Poll", "reader", "exempel")
    earlier = dt.datetime.now(dt.UTC) - dt.timedelta(minutes=20)
    change(store, tables.hub_sessions, last_seen=earlier)

    def last_seen() -> dt.datetime:
        with store.database.transaction() as connection:
            seen: dt.datetime = connection.scalars(select(tables.hub_sessions.c.last_seen)).all()[-1]
        return seen.replace(tzinfo=dt.UTC)

    browser.open("tenants/exempel/runs/1/progress")
    assert last_seen() == earlier
    browser.open("")
    assert last_seen() > earlier


def test_signing_out_here_leaves_the_other_browser_signed_in(hub: Hub, store: Store) -> None:
    """Sign out ends this session, and sign out everywhere ends all of the member's."""
    first = hub.signed_in("Ulla Ut", "operator")
    member = store.hub_members.list()[-1].id
    sessions = SignIn(store, BlindIndex([new_key()]))
    second, third = Browser(hub.address), Browser(hub.address)
    for browser in (second, third):
        browser.cookies.set(SESSION_COOKIE, sessions.start_session(member))

    first.submit("sign-out", first.open(""))
    assert first.open("").url.endswith("/sign-in")
    assert "Signed in as Ulla Ut" in third.open("").text

    second.submit("sign-out-everywhere", second.open(""))
    assert third.open("").url.endswith("/sign-in")


def test_a_changed_role_or_a_removed_member_ends_the_sessions(hub: Hub) -> None:
    """What an operator decides about a member counts at once."""
    browser = hub.signed_in("Rut Roll", "operator")
    hub.invite("Rut Roll", "reader", "exempel")
    assert browser.open("").url.endswith("/sign-in")

    browser = hub.signed_in("Rut Roll", "reader", "exempel")
    members = {each["name"]: each["member"] for each in json_output("hub", "members", env=hub.env)}
    removed = update_sync("hub", "remove", members["Rut Roll"], env=hub.env)
    assert (removed.returncode, removed.stdout) == (0, f"Removed member {members['Rut Roll']}.\n")
    assert browser.open("").url.endswith("/sign-in")


def test_many_refused_links_are_refused_for_a_while(hub: Hub, store: Store) -> None:
    """After ten refused links of one address even a good one is refused, and stays good."""
    link = hub.invite("Tåla Mod", "reader", "exempel")
    guesser = Browser(hub.address)
    page = guesser.open("sign-in")
    for _ in range(MAX_REFUSED):
        assert guesser.submit("sign-in", page, link="guess").status_code == 403
    assert Browser(hub.address).sign_in(link).status_code == 429
    elsewhere = Browser(hub.address)
    elsewhere.headers["X-Forwarded-For"] = "192.0.2.7"
    assert "Signed in as Tåla Mod" in elsewhere.sign_in(link).text

    with store.database.transaction() as connection:
        digests = set(connection.scalars(select(tables.hub_audit.c.address_digest)))
    assert not any("127.0.0.1" in digest for digest in digests if digest)


def test_a_form_that_another_site_made_is_refused(hub: Hub) -> None:
    """Without the token of a page of ours nothing is done, and the member stays signed in."""
    browser = hub.signed_in("Cia Srf", "reader", "exempel")
    answer = browser.post(f"{hub.address}sign-out-everywhere", timeout=DEADLINE)
    assert answer.status_code == 400
    assert "The form may be too old" in answer.text
    assert "Signed in as Cia Srf" in browser.open("").text


def test_pages_carry_the_headers_that_protect_them(hub: Hub) -> None:
    """No inline script or style runs, no page is kept or framed, and behind TLS it stays TLS."""
    browser = hub.signed_in("Hedda Huvud", "reader", "exempel")
    headers = browser.open("").headers
    assert "default-src 'none'" in headers["Content-Security-Policy"]
    assert "unsafe" not in headers["Content-Security-Policy"]
    assert headers["Cache-Control"] == "no-store"
    assert "Strict-Transport-Security" not in headers
    assert "style=" not in browser.open("").text

    secure = requests.get(
        f"{hub.address}sign-in", headers={"X-Forwarded-Proto": "https"}, timeout=DEADLINE
    ).headers
    assert "max-age" in secure["Strict-Transport-Security"]
    assert "Secure" in secure["Set-Cookie"]
    assert "SameSite=Lax" in secure["Set-Cookie"]
    assert "HttpOnly" in secure["Set-Cookie"]


def test_the_log_names_no_link_no_name_and_no_query(hub: Hub) -> None:
    """P6: whatever a browser sends, the log has the route, the status and the member's number."""
    browser = hub.signed_in("Hemlig Person", "reader", "exempel")
    browser.open("?pnr=191212121212")
    browser.open("Hemlig-Sida/191212121212")
    browser.get(hub.address, headers={"Referer": "http://x/hemlig"}, timeout=DEADLINE)

    text = hub.log.read_text(encoding="utf-8")
    events = [json.loads(line) for line in text.splitlines() if line.startswith("{")]

    served = [each for each in events if each["event"] == "page_served"]
    assert {"route", "method", "status", "seconds", "member", "incident"} <= served[-1].keys()
    after_start = "".join(line for line in text.splitlines() if line.startswith("{"))
    for secret in ("Hemlig", "191212121212", "link=", "Referer", "hemlig"):
        assert secret not in after_start


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["X", "--role", "reader"], "needs a tenant"),
        (["X", "--role", "operator", "--tenant", "exempel"], "sees all tenants"),
        (["X", "--role", "reader", "--tenant", "saknas"], "There is no tenant"),
        ([" ", "--role", "operator"], "1 to 100 characters"),
        (["\x1b[31m", "--role", "operator"], "printable"),
        (["X" * 101, "--role", "operator"], "1 to 100 characters"),
    ],
)
def test_an_invitation_that_makes_no_sense_is_refused(hub: Hub, options: list[str], says: str) -> None:
    """`hub invite` says what is wrong, and adds no member."""
    before = json_output("hub", "members", env=hub.env)
    refused = update_sync("hub", "invite", *options, env=hub.env)
    assert refused.returncode == 2
    assert says in refused.stderr
    assert json_output("hub", "members", env=hub.env) == before
