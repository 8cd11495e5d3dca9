"""Notifications in Chromium: chosen by keyboard, tested, received, and well again; in both languages."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import pytest

from devtools.browser.browser import Look, axe_script, browser, violations
from devtools.commands import update_sync
from tests.integration.cli.command_line import add_tenant, database_environment, open_store, tenant_object
from tests.integration.hub.browser import running_hub
from tests.integration.hub.made_up_runs import FAILED, USERS, finish, start
from tests.integration.notifications.receivers import MailServer

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from playwright.sync_api import Browser, Page

    from store.store import Store
    from tests.integration.hub.browser import Hub

pytestmark = pytest.mark.xdist_group("browser")

TENANT: Final = "exempel"
LOOKS: Final = (
    Look(language="sv", scheme="light", width=320),
    Look(language="en", scheme="dark", width=1100),
)


@dataclass(frozen=True, kw_only=True)
class Site:
    """A Data Hub whose mail is received here, in Chromium."""

    hub: Hub
    store: Store
    mail: MailServer
    chromium: Browser
    axe: str

    def signed_in(self, role: str, look: Look) -> Page:
        """Return a page on which a new member is signed in."""
        context = self.chromium.new_context(base_url=self.hub.address, **look.options())
        page = context.new_page()
        tenants = () if role == "operator" else (TENANT,)
        page.goto(self.hub.invite(f"{role} {look.language} {look.width}", role, *tenants))
        page.get_by_role("button", name="Logga in" if look.language == "sv" else "Sign in").first.click()
        page.wait_for_url(self.hub.address)
        return page


@pytest.fixture
def site(chromium: Path, tmp_path: Path) -> Iterator[Site]:
    with MailServer() as mail:
        env = database_environment(tmp_path, **mail.variables)
        add_tenant(env, TENANT, tenant_object())
        with (
            running_hub(env, tmp_path) as hub,
            closing(open_store(env)) as store,
            browser(chromium) as program,
        ):
            yield Site(hub=hub, store=store, mail=mail, chromium=program, axe=axe_script())


def send(site: Site) -> None:
    done = update_sync("notifications", "send", env=dict(site.hub.env))
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("look", "words"),
    [
        (
            LOOKS[0],
            {
                "save": "Spara",
                "saved": "Sparat.",
                "test": "Skicka ett test med e-post",
                "accepted": "Det togs emot. (kod 250)",
                "problem": "Användare kunde inte uppdateras",
                "well": "Åter i ordning: användarna kunde uppdateras",
            },
        ),
        (
            LOOKS[1],
            {
                "save": "Save",
                "saved": "Saved.",
                "test": "Send a test by mail",
                "accepted": "It was accepted. (code 250)",
                "problem": "Users could not be updated",
                "well": "Well again: the users could be updated",
            },
        ),
    ],
    ids=["sv", "en"],
)
def test_an_administrator_is_told_and_then_that_it_is_well_again(
    site: Site, look: Look, words: dict[str, str]
) -> None:
    """Set up by keyboard alone; the mail has the words of the page."""
    page = site.signed_in("administrator", look)
    page.goto(f"/tenants/{TENANT}/notifications/")
    page.locator("#recipients").focus()
    page.keyboard.type("it@exempel.example")
    page.locator("#most_failed").focus()
    page.keyboard.press("Control+a")
    page.keyboard.type("0")
    page.locator("#language").select_option(look.language)
    page.get_by_role("button", name=words["save"], exact=True).focus()
    page.keyboard.press("Enter")
    page.get_by_text(words["saved"]).wait_for()
    page.get_by_role("button", name=words["test"]).focus()
    page.keyboard.press("Enter")
    page.get_by_text(words["accepted"]).first.wait_for()

    finish(site.store, start(site.store, TENANT, "one"), {USERS[0]: FAILED})
    send(site)
    finish(site.store, start(site.store, TENANT, "two"), {})
    send(site)
    page.goto(f"/tenants/{TENANT}/notifications/")
    page.get_by_text(words["well"]).wait_for()
    page.get_by_text(words["problem"]).wait_for()
    told = [subject.partition(": ")[2] for subject in site.mail.subjects[1:]]
    assert [each[:1].upper() + each[1:] for each in told] == [words["problem"], words["well"]]
    page.context.close()


@pytest.mark.parametrize("look", LOOKS, ids=lambda look: f"{look.language}-{look.width}")
def test_axe_finds_nothing_wrong_with_them(site: Site, look: Look) -> None:
    """Also with faults beside the fields, after a test that was refused, and on the operators' page."""
    finish(site.store, start(site.store, TENANT, "one"), {USERS[0]: FAILED})
    site.mail.refused["rektor@exempel.example"] = "550 no"
    wanted = {"recipients": ["rektor@exempel.example"], "webhook_url": "https://exempel.example/hook"}
    for audience in ("", TENANT):
        site.store.notification_settings.change(audience, {**wanted, "most_failed": 0})
    send(site)
    found = {}
    for role, path in (
        ("operator", "/notifications/"),
        ("administrator", f"/tenants/{TENANT}/notifications/"),
        ("reader", f"/tenants/{TENANT}/repair-list/"),
    ):
        page = site.signed_in(role, look)
        page.goto(path)
        states = ["as it is"]
        if role != "reader":
            states += ["tested", "with faults"]
        for state in states:
            if state == "tested":
                page.locator("button[name=channel]").first.click()
                page.locator(".ds-alert[role=status]").wait_for()
            if state == "with faults":
                page.locator("#recipients").fill("no address")
                page.locator("#most_failed").fill("many")
                page.locator("form", has=page.locator("#recipients")).locator("button").click()
                page.locator("#recipients-fault").wait_for()
            page.wait_for_load_state()
            overflow = page.evaluate("document.documentElement.scrollWidth") - look.width
            wrong = [*violations(page, site.axe), *([f"{overflow} px too wide"] if overflow > 0 else [])]
            if wrong:
                found[path, state] = wrong
        page.context.close()
    assert found == {}
