"""Signing in to the Data Hub by Entra: against the stand-in over TLS, with the real server."""

from __future__ import annotations

import re
from contextlib import closing
from html import unescape
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin

import pytest

from sandbox.environment import HUB_PEOPLE, TENANT_KEY, serve_environment
from sandbox.microsoft.faults import Effect, Fault
from sandbox.microsoft.http_messages import Kind
from schemas.hub.member import Role
from schemas.hub.session import AuditKind
from tests.integration.cli.command_line import add_tenant, database_environment, open_store, tenant_object
from tests.integration.hub.browser import DEADLINE, Browser, running_hub

if TYPE_CHECKING:
    from collections.abc import Iterator

    import requests

    from sandbox.environment import Environment
    from store.store import Store
    from tests.integration.hub.browser import Hub

OPERATOR, ADMINISTRATOR, READER, SELF_MADE, STRANGER = HUB_PEOPLE


@pytest.fixture(scope="module")
def made_up(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Environment]:
    with serve_environment(tmp_path_factory.mktemp("entra"), users=5) as served:
        yield served


@pytest.fixture(scope="module")
def hub(made_up: Environment, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hub]:
    folder = tmp_path_factory.mktemp("hub")
    env = {
        **database_environment(folder),
        **made_up.hub_variables,
        "UPDATE_SYNC_CA_BUNDLE": made_up.variables["UPDATE_SYNC_CA_BUNDLE"],
    }
    add_tenant(env, TENANT_KEY, tenant_object())
    add_tenant(env, "annan", tenant_object(name="Annan kommun", organisation="annan"))
    with running_hub(env, folder) as running:
        yield running


@pytest.fixture(scope="module")
def store(hub: Hub) -> Iterator[Store]:
    with closing(open_store(hub.env)) as opened:
        yield opened


@pytest.fixture(autouse=True)
def _members(store: Store, made_up: Environment) -> Iterator[None]:
    """Each person but the stranger is a member, who belongs to one tenant."""
    for person in HUB_PEOPLE[:-1]:
        member = store.hub_members.add(person.title, Role.READER, [TENANT_KEY])
        store.hub_members.set_account(member.id, person.directory, person.object_id)
    yield
    for each in store.hub_members.list():
        store.hub_members.remove(each.id)
    sign_ins(made_up).claims = {}


def sign_ins(made_up: Environment) -> Any:
    assert made_up.microsoft.sign_ins is not None
    return made_up.microsoft.sign_ins


class EntraBrowser(Browser):
    """A browser that knows the stand-in's certificate."""

    def __init__(self, hub: Hub, made_up: Environment, language: str = "en") -> None:
        super().__init__(hub.address, language)
        self.authority = made_up.variables["UPDATE_SYNC_CA_BUNDLE"]

    def go(self, address: str) -> requests.Response:
        return self.get(address, verify=self.authority, allow_redirects=False, timeout=DEADLINE)

    def choose(self, person: Any, start: str = "sign-in/entra") -> str:
        """Go to Entra and choose who one is; return the address that Entra sends the browser back to."""
        at_entra = self.go(self.go(urljoin(self.address, start)).headers["Location"])
        (way,) = re.findall(f'href="([^"]*{person.object_id}[^"]*)"', at_entra.text)
        return self.go(urljoin(at_entra.url, unescape(way))).headers["Location"]

    def sign_in_as(self, person: Any, start: str = "sign-in/entra") -> requests.Response:
        return self.get(self.choose(person, start), timeout=DEADLINE)


@pytest.fixture
def browser(hub: Hub, made_up: Environment) -> EntraBrowser:
    return EntraBrowser(hub, made_up)


def kinds(store: Store) -> list[AuditKind]:
    return [each.kind for each in store.hub_audit.page(None).entries]


@pytest.mark.parametrize(
    ("person", "role", "sees_other"),
    [
        (OPERATOR, "Operator", True),
        (ADMINISTRATOR, "Organisation administrator", False),
        (READER, "Reader", False),
    ],
)
def test_the_app_role_decides_and_the_table_says_of_which_tenant(
    browser: EntraBrowser, store: Store, person: Any, role: str, *, sees_other: bool
) -> None:
    """One click, one choice at Entra, and the start page; the audit has a row, the log no name."""
    assert "Sign in with Microsoft Entra" in browser.open("sign-in").text

    page = browser.sign_in_as(person)

    assert page.url == browser.address
    assert f"({role})" in page.text
    assert ("Annan kommun" in page.text) is sees_other
    assert kinds(store)[0] is AuditKind.SIGNED_IN_BY_ENTRA


def test_a_group_is_as_good_as_an_app_role_and_the_greatest_role_counts(
    browser: EntraBrowser, made_up: Environment
) -> None:
    """Of several claims that are roles, the greatest one is given."""
    sign_ins(made_up).claims = {"roles": ["reader", "else"], "groups": ["administrator"]}
    assert "(Organisation administrator)" in browser.sign_in_as(READER).text


def test_another_directory_makes_no_operator(browser: EntraBrowser, store: Store) -> None:
    """A municipality gives its own app roles away; that of an operator counts in the operators' directory."""
    page = browser.sign_in_as(SELF_MADE)
    assert (page.status_code, "has no role in the Data Hub" in page.text) == (403, True)
    assert browser.open("").url.startswith(f"{browser.address}sign-in")
    assert kinds(store)[0] is AuditKind.SIGN_IN_REFUSED


def test_who_is_not_invited_is_told_how_to_be(browser: EntraBrowser, hub: Hub, made_up: Environment) -> None:
    """An account alone is no member; a link's page takes the account in, and from then on it signs in."""
    page = browser.sign_in_as(STRANGER)
    assert (page.status_code, "Your account is not invited yet" in page.text) == (403, True)

    link = hub.invite("Ny Person", "administrator", TENANT_KEY).partition("link=")[2]
    assert "Accept with your account" in browser.open(f"sign-in?link={link}").text
    accepted = browser.sign_in_as(STRANGER, f"sign-in/entra?link={link}")
    assert "Signed in as Ny Person (Reader)" in accepted.text

    again = EntraBrowser(hub, made_up)
    assert "This link has been used" in again.sign_in_as(READER, f"sign-in/entra?link={link}").text
    assert "Signed in as Ny Person" in again.sign_in_as(STRANGER).text


@pytest.mark.parametrize(
    ("wanted", "reached"),
    [
        (f"tenants/{TENANT_KEY}/runs/", f"tenants/{TENANT_KEY}/runs/"),
        ("sign-in/entra?page=https://evil.example/", ""),
        ("sign-in/entra?page=//evil.example/", ""),
    ],
)
def test_a_sign_in_leads_to_the_page_that_was_wanted_and_to_ours_alone(
    browser: EntraBrowser, wanted: str, reached: str
) -> None:
    """The page that asked for the sign-in comes after it; an address elsewhere does not."""
    start = wanted
    if not wanted.startswith("sign-in"):
        page = browser.open(wanted)
        (found,) = re.findall(r'href="/(sign-in/entra[^"]*)"', page.text)
        start = unescape(found)
    assert browser.sign_in_as(READER, start).url == browser.address + reached


def test_a_sign_in_that_was_begun_elsewhere_is_refused(
    browser: EntraBrowser, hub: Hub, made_up: Environment
) -> None:
    """`state` belongs to the browser that began, and a code is good once."""
    back = browser.choose(READER)
    victim = EntraBrowser(hub, made_up)
    victim.go(f"{victim.address}sign-in/entra")
    for other in (Browser(hub.address), victim):
        page = other.get(back, timeout=DEADLINE)
        assert (page.status_code, "begun elsewhere" in page.text) == (400, True)
    kept = browser.cookies.copy()
    assert browser.get(back, timeout=DEADLINE).url == browser.address
    browser.cookies = kept
    assert "begun elsewhere" in browser.get(back, timeout=DEADLINE).text


@pytest.mark.parametrize(
    "claims",
    [
        {"aud": "another application"},
        {"iss": "https://evil.example/v2.0"},
        {"exp": 1},
        {"nonce": "another sign-in's"},
        {"tid": "not a directory"},
        {"oid": None},
    ],
    ids=lambda claims: next(iter(claims)),
)
def test_an_id_token_that_is_not_for_this_sign_in_is_refused(
    browser: EntraBrowser, made_up: Environment, hub: Hub, claims: dict[str, Any]
) -> None:
    """Audience, issuer, end, nonce and account are checked; the log says which, and names nobody."""
    sign_ins(made_up).claims = claims
    page = browser.sign_in_as(READER)
    assert (page.status_code, "not set up right" in page.text) == (502, True)
    assert browser.open("").url.startswith(f"{browser.address}sign-in")
    logged = hub.log.read_text(encoding="utf-8")
    assert "entra_sign_in_failed" in logged
    assert READER.title not in logged
    assert READER.object_id not in logged


def test_an_id_token_that_another_key_signed_is_refused(
    browser: EntraBrowser, made_up: Environment, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The signature is checked with the keys that the authority publishes."""
    other = type(sign_ins(made_up))(client_id="", client_secret="", people=(), clock=lambda: 0.0)
    monkeypatch.setattr(sign_ins(made_up), "keys", other.keys)
    assert "not set up right" in browser.sign_in_as(READER).text


@pytest.mark.parametrize("query", ["", "?state=", "?error=access_denied", "?code=%00&state=%ff"])
def test_garbage_in_the_way_back_is_refused(browser: EntraBrowser, query: str) -> None:
    """With no attempt, a broken one, or one whose state is another."""
    for cookie in (None, "garbage", "begun"):
        browser.cookies.clear()
        if cookie == "begun":
            browser.go(f"{browser.address}sign-in/entra")
        elif cookie is not None:
            browser.cookies.set("update_sync_entra", cookie)
        assert browser.open(f"sign-in/entra/done{query}").status_code == 400


def test_a_refusal_at_entra_and_an_outage_are_said(browser: EntraBrowser, made_up: Environment) -> None:
    """Who stops at Entra may try again; while Entra is away, the page says so."""
    at_entra = browser.go(f"{browser.address}sign-in/entra").headers["Location"]
    state = re.findall("state=([^&]*)", at_entra)[0]
    page = browser.open(f"sign-in/entra/done?error=access_denied&state={state}")
    assert (page.status_code, "has not signed you in" in page.text) == (403, True)

    made_up.microsoft.faults.add(Fault(effect=Effect.ERROR, kind=Kind.DISCOVERY, status=503))
    page = browser.open("sign-in/entra")
    made_up.microsoft.faults.clear()
    assert (page.status_code, "Microsoft Entra does not answer" in page.text) == (503, True)
