"""Signing in to the Data Hub by a link: over HTTP, with the real server and the real commands."""

from __future__ import annotations

import datetime as dt
import json
from typing import TYPE_CHECKING, Any

import pytest
import requests
from sqlalchemy import delete, select, update

from administration.hub.sign_in import SignIn
from devtools.commands import json_output, update_sync, wait_for
from hub.access import SESSION_COOKIE
from schemas.crypto.blind_index import BlindIndex
from schemas.crypto.encryption import new_key
from schemas.hub.member import Role
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


def test_a_link_shows_a_button_and_signs_in_once(hub: Hub, store: Store) -> None:
    """A program that previews the link uses nothing up; another browser is told that it has been used."""
    link = hub.invite("Oda Först", "operator")
    browser = Browser(hub.address)
    looked = browser.get(link, timeout=DEADLINE)
    assert "You have been invited" in looked.text

    page = browser.sign_in(link)

    assert page.url == hub.address
    assert "Signed in as Oda Först" in page.text
    assert "Annan kommun" in page.text
    other = Browser(hub.address)
    again = other.submit("sign-in", other.open("sign-in"), link=link.partition("link=")[2])
    assert (again.status_code, "This link has been used" in again.text) == (403, True)
    assert audit(store) == [AuditKind.INVITED, AuditKind.SIGNED_IN, AuditKind.SIGN_IN_REFUSED]


def test_a_page_does_not_invite_before_it_has_looked(hub: Hub, store: Store) -> None:
    """A link that does not work says so at once; nothing is recorded, as nothing was tried."""
    link = hub.invite("Titta Först", "reader", "exempel")
    for wrong in (f"{link}x", f"{hub.address}sign-in?link=%00%EF%BF%BD"):
        page = Browser(hub.address).get(wrong, timeout=DEADLINE)
        assert (page.status_code, "This link does not work" in page.text) == (403, True)
        assert "You have been invited" not in page.text
    assert audit(store) == [AuditKind.INVITED]


def test_a_second_click_leads_to_the_start_page(hub: Hub, store: Store) -> None:
    """Both clicks of a double click sign in, whichever answer the browser keeps; none counts as refused."""
    link = hub.invite("Dubbel Klick", "reader", "exempel")
    browser = Browser(hub.address)
    page = browser.get(link, timeout=DEADLINE)
    before = browser.cookies.copy()
    token = link.partition("link=")[2]
    assert browser.submit("sign-in", page, link=token).url == hub.address

    # The second click was sent before the first one was answered: with the cookies of before.
    second = Browser(hub.address)
    second.cookies = before
    assert "Signed in as Dubbel Klick" in second.submit("sign-in", page, link=token).text
    # Later, with those of after: the form is not good any more, and no longer needed.
    assert "Signed in as Dubbel Klick" in browser.submit("sign-in", page, link=token).text
    assert "Signed in as Dubbel Klick" in browser.get(link, timeout=DEADLINE).text
    assert "Signed in as Dubbel Klick" in browser.open("sign-in").text
    assert AuditKind.SIGN_IN_REFUSED not in audit(store)


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


def test_many_refused_links_are_recorded_no_more_and_a_right_one_signs_in(hub: Hub, store: Store) -> None:
    """Ten mistyped links do not lock a school out that has one address; they only fill no audit."""
    link = hub.invite("Tåla Mod", "reader", "exempel")
    guesser = Browser(hub.address)
    page = guesser.open("sign-in")
    for _ in range(MAX_REFUSED):
        assert guesser.submit("sign-in", page, link="guess").status_code == 403
    for _ in range(2):
        assert guesser.submit("sign-in", page, link="guess").status_code == 429
    assert audit(store).count(AuditKind.SIGN_IN_REFUSED) == MAX_REFUSED
    assert "Signed in as Tåla Mod" in Browser(hub.address).sign_in(link).text

    with store.database.transaction() as connection:
        digests = set(connection.scalars(select(tables.hub_audit.c.address_digest)))
    assert not any("127.0.0.1" in digest for digest in digests if digest)


@pytest.mark.parametrize(
    ("first", "second"), [("192.0.2.7:50123", "192.0.2.8:50123"), ("2001:db8:1::1", "[2001:db8:2::1]:443")]
)
def test_visitors_behind_a_proxy_are_told_apart(hub: Hub, first: str, second: str) -> None:
    """With a port behind the address too: the refused links of one do not count for another."""

    def guess(address: str) -> int:
        browser = Browser(hub.address)
        browser.headers["X-Forwarded-For"] = address
        return browser.submit("sign-in", browser.open("sign-in"), link="guess").status_code

    assert [guess(first) for _ in range(MAX_REFUSED + 1)][-1] == 429
    assert guess(second) == 403


def test_names_that_differ_in_case_are_one_member(hub: Hub) -> None:
    """The member of before has the new role, and no right of before is left with a second member."""
    browser = hub.signed_in("Åsa Stor", "administrator", "exempel", "annan")
    hub.invite("ÅSA STOR", "reader", "exempel")
    members = [each for each in json_output("hub", "members", env=hub.env) if "sa s" in each["name"].lower()]
    assert [(each["name"], each["role"], each["tenants"]) for each in members] == [
        ("ÅSA STOR", "reader", ["exempel"])
    ]
    assert browser.open("").url.endswith("/sign-in")


def test_the_last_operator_is_not_lost_without_a_question(hub: Hub, store: Store) -> None:
    """Neither removed nor made a reader; another operator who has never signed in is none yet."""
    for member in store.hub_members.list():
        if member.role is Role.OPERATOR:
            store.hub_members.remove(member.id)
    hub.signed_in("Sista Operatören", "operator")
    hub.invite("Aldrig Inloggad", "operator")
    last = store.hub_members.list()[-2].id
    removal = ("hub", "remove", str(last))
    demotion = ("hub", "invite", "sista operatören", "--role", "reader", "--tenant", "exempel")

    for command in (removal, demotion):
        asked = update_sync(*command, env=hub.env)
        assert (asked.returncode, "--yes" in asked.stderr) == (2, True)
    assert store.hub_members.get(last).role is Role.OPERATOR
    hub.signed_in("Nästa Operatör", "operator")
    assert update_sync(*removal, env=hub.env).returncode == 0


def test_redirects_do_not_follow_the_host_header(hub: Hub) -> None:
    """A browser that was lied to about the host stays where it is."""
    browser = Browser(hub.address)
    browser.headers["Host"] = "evil.example"
    for path in ("tenants/exempel/runs?before=1", "", "/tenants//exempel/runs/"):
        answer = browser.open(path, allow_redirects=False)
        location = answer.headers["Location"]
        assert location.startswith("/")
        assert not location.startswith("//")
        assert "evil" not in location
    assert (
        "before=1" in browser.open("tenants/exempel/runs?before=1", allow_redirects=False).headers["Location"]
    )


@pytest.mark.parametrize(("line", "header"), [(20_000, 0), (0, 20_000)])
def test_a_request_that_is_too_long_leaves_no_address_in_the_log(hub: Hub, line: int, header: int) -> None:
    """P6: the server refuses it before any page sees it, and logs neither who asked nor what."""
    logged = len(hub.log.read_text(encoding="utf-8"))
    answer = requests.get(
        f"{hub.address}?{'x' * line}", headers={"X-Long": "hemlig" * (header // 6)}, timeout=DEADLINE
    )
    assert answer.status_code in {414, 431}

    def new() -> str:
        return hub.log.read_text(encoding="utf-8")[logged:]

    wait_for(lambda: "hub_server" in new(), "the server's warning")
    assert "Invalid request from ip" in new()
    assert "127.0.0.1" not in new()
    assert "hemlig" not in new()


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
