"""Signing in and looking a user up, in Chromium: with stand-ins of Entra, Graph and Skolon."""

from __future__ import annotations

from contextlib import ExitStack, closing
from dataclasses import dataclass
from html import unescape
from typing import TYPE_CHECKING, Final

import pytest

from devtools.browser.browser import Look, axe_script, browser, violations
from sandbox.environment import HUB_PEOPLE, TENANT_KEY, Environment, serve_environment
from schemas.hub.member import Role
from schemas.hub.session import AuditKind
from tests.browser.test_pages import LOOKS
from tests.integration.cli.command_line import add_tenant, database_environment, open_store
from tests.integration.cli.tenants.test_preview import user_with, values_of
from tests.integration.hub.browser import running_hub

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from playwright.sync_api import Browser, Page

    from store.store import Store
    from tests.integration.hub.browser import Hub

pytestmark = pytest.mark.xdist_group("browser")

PEOPLE: Final = 120

#: Each language, with JavaScript and without.
WAYS: Final = [("sv", True), ("en", False)]

SIGN_IN: Final = {"sv": "Logga in", "en": "Sign in"}
SYNCS: Final = {"sv": "Synkroniseringar", "en": "Syncs"}


@dataclass(frozen=True, kw_only=True)
class Town:
    """The Data Hub of a made-up municipality, which asks the stand-ins."""

    hub: Hub
    store: Store
    made_up: Environment
    chromium: Browser
    axe: str

    def new_page(self, look: Look, *, scripts: bool = True) -> Page:
        """Return a page of a browser that no one has signed in with."""
        context = self.chromium.new_context(
            base_url=self.hub.address,
            java_script_enabled=scripts,
            # The stand-in for Entra has a certificate of its own.
            ignore_https_errors=True,
            **look.options(),
        )
        return context.new_page()

    def signed_in(self, name: str, look: Look, *, scripts: bool = True) -> Page:
        """Return a page of an administrator who has signed in by a link."""
        page = self.new_page(look, scripts=scripts)
        page.goto(self.hub.invite(name, "administrator", TENANT_KEY))
        page.get_by_role("button", name=SIGN_IN[look.language]).click()
        page.get_by_role("heading", name=SYNCS[look.language]).wait_for()
        return page


@pytest.fixture(scope="module")
def town(chromium: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    folder = tmp_path_factory.mktemp("town")
    with ExitStack() as stack:
        made_up = stack.enter_context(serve_environment(folder, users=PEOPLE))
        env = {**database_environment(folder, **made_up.variables), **made_up.hub_variables}
        add_tenant(env, TENANT_KEY, dict(made_up.tenant))
        hub = stack.enter_context(running_hub(env, folder))
        store = stack.enter_context(closing(open_store(env)))
        for person in HUB_PEOPLE[:-1]:
            member = store.hub_members.add(person.title, Role.READER, [TENANT_KEY])
            store.hub_members.set_account(member.id, person.directory, person.object_id)
        program = stack.enter_context(browser(chromium))
        yield Town(hub=hub, store=store, made_up=made_up, chromium=program, axe=axe_script())


@pytest.mark.parametrize(("language", "scripts"), WAYS)
def test_a_link_signs_in_once(town: Town, language: str, scripts: bool) -> None:  # noqa: FBT001 - a case
    """By one press of a key; whoever opens it later reads that it is used."""
    used = {"sv": "Länken är redan använd", "en": "This link has been used"}[language]
    link = town.hub.invite(f"Lina Länk {language}", "reader", TENANT_KEY)
    page = town.new_page(Look(language=language), scripts=scripts)
    page.goto(link)
    page.get_by_role("button", name=SIGN_IN[language]).press("Enter")
    page.get_by_role("heading", name=SYNCS[language]).wait_for()
    page.get_by_role("link", name="Exempelkommun").wait_for()
    page.get_by_text(f"Lina Länk {language}").wait_for()

    other = town.new_page(Look(language=language), scripts=scripts)
    other.goto(link)
    other.get_by_role("heading", name=used).wait_for()
    for each in (page, other):
        each.context.close()


@pytest.mark.parametrize(("language", "scripts"), WAYS)
def test_an_account_in_entra_signs_in(town: Town, language: str, scripts: bool) -> None:  # noqa: FBT001 - a case
    """To the page that was wanted, with the role of the account; and out again."""
    button, role, report, leave = {
        "sv": ("Logga in med Microsoft Entra", "Organisationsadministratör", "Rapport", "Logga ut"),
        "en": ("Sign in with Microsoft Entra", "Organisation administrator", "Report", "Sign out"),
    }[language]
    page = town.new_page(Look(language=language), scripts=scripts)
    page.goto(f"/tenants/{TENANT_KEY}/report/")
    page.get_by_role("link", name=button).click()
    page.get_by_text("This is the stand-in for Microsoft Entra.").wait_for()
    page.get_by_role("link", name=HUB_PEOPLE[1].title).click()

    page.get_by_role("heading", name=report, exact=True).wait_for()
    assert page.url == f"{town.hub.address}tenants/{TENANT_KEY}/report/"
    assert f"({role})" in page.locator("footer").inner_text()
    page.get_by_role("button", name=leave, exact=True).click()
    page.get_by_role("heading", name=SIGN_IN[language]).wait_for()
    page.context.close()


@pytest.mark.parametrize(("language", "scripts"), WAYS)
def test_a_user_is_looked_up_and_a_value_shown(town: Town, language: str, scripts: bool) -> None:  # noqa: FBT001 - a case
    """By keyboard: nothing personal stands on the page or in its address before it is asked for."""
    look_up, field, user, show, hide, recorded = {
        "sv": (
            "Slå upp en användare",
            "Namn, e-post, användarnamn, EPPN eller id",
            "En användare",
            "Visa värdena",
            "Dölj värdena",
            "Fick se en användares värden",
        ),
        "en": (
            "Look up a user",
            "Name, e-mail, user name, EPPN or id",
            "A user",
            "Show the values",
            "Hide the values",
            "Was shown a user's values",
        ),
    }[language]
    person = user_with(town.made_up, "updated")
    name = str(person.entra["displayName"])
    page = town.signed_in(f"Ulla Uppslag {language}", Look(language=language), scripts=scripts)
    before = _shown(town)

    page.goto(f"/tenants/{TENANT_KEY}/runs/")
    page.get_by_role("link", name=look_up).press("Enter")
    page.get_by_label(field).fill(name)
    page.get_by_label(field).press("Enter")
    page.get_by_role("heading", name=user, exact=True).wait_for()
    assert page.url == f"{town.hub.address}tenants/{TENANT_KEY}/users/{person.entra['id']}"
    masked = unescape(page.content())
    assert not any(value in masked for value in values_of(person))
    assert _shown(town) == before

    page.get_by_role("button", name=show).press("Enter")
    page.get_by_role("link", name=hide).wait_for()
    assert str(person.entra["surname"]) in page.locator("main").inner_text()
    assert _shown(town) == before + 1
    page.get_by_role("link", name=hide).press("Enter")
    page.get_by_role("button", name=show).wait_for()
    assert str(person.entra["surname"]) not in page.locator("main").inner_text()

    page.goto(f"/tenants/{TENANT_KEY}/audit")
    page.get_by_text(recorded).first.wait_for()
    page.context.close()


def _shown(town: Town) -> int:
    return sum(
        each.kind is AuditKind.VALUES_REVEALED for each in town.store.hub_audit.page([TENANT_KEY]).entries
    )


@pytest.mark.parametrize("look", LOOKS, ids=lambda look: f"{look.language}-{look.scheme}-{look.width}")
def test_axe_finds_nothing_where_no_address_leads(town: Town, look: Look) -> None:
    """What strangers see, and what a page is after a button: a fault, a choice, names, values."""
    found: dict[str, list[str]] = {}

    def judge(page: Page, what: str) -> None:
        overflow = page.evaluate("document.documentElement.scrollWidth") - look.width
        wrong = [*violations(page, town.axe), *([f"{overflow} px too wide"] if overflow > 0 else [])]
        if wrong:
            found[what] = wrong

    stranger = town.new_page(look)
    for path in ("sign-in", "sign-in?link=x", "sign-in/entra/done"):
        stranger.goto(path)
        judge(stranger, path)
    stranger.goto(town.hub.invite(f"Axel Axe {look.language} {look.width}", "reader", TENANT_KEY))
    judge(stranger, "a link")

    page = town.signed_in(f"Alva Axe {look.language} {look.width}", look)
    surnames = [each.entra.get("surname") for each in town.made_up.municipality]
    several = next(each for each in surnames if each and 2 <= surnames.count(each) <= 9)
    page.goto(f"/tenants/{TENANT_KEY}/users/")
    for what, who in {"nobody": "ingen@exempel.example", "a choice": several}.items():
        page.locator("#who").fill(who)
        page.locator("#who").press("Enter")
        page.wait_for_load_state()
        judge(page, what)
    page.locator("main form button").click()
    page.locator(".hub-told").first.wait_for()
    judge(page, "a choice with names")
    for case in ("updated", "dead_lettered", "not_found", "out_of_scope"):
        person = next(each for each in town.made_up.municipality if each.outcome == case)
        page.goto(f"/tenants/{TENANT_KEY}/users/{person.entra['id']}")
        judge(page, case)
        # Of who is left out there may be nothing to show.
        if page.locator("main form button").count():
            page.locator("main form button").first.click()
            page.wait_for_load_state()
            judge(page, f"{case} with values")
    page.goto("/members/")
    page.locator("main form button").first.click()
    judge(page, "a member without a name")
    for each in (stranger, page):
        each.context.close()
    assert found == {}
