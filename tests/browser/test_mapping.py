"""A mapping mistake is drafted in Chromium, seen and not made; another change is made and taken back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pytest

from devtools.browser.browser import axe_script, violations
from sandbox.environment import TENANT_KEY
from schemas.users.attributes import Attribute
from tests.browser.office import PEOPLE, Office

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.xdist_group("browser")

#: What the pages say, by language.
TEXTS: Final = {
    "sv": {
        "change": "Gör ett utkast till en ändring",
        "add": "Lägg till en källa",
        "source": "Lägg till extensionAttribute3",
        "remove eppn": "Ta bort EPPN, {}",
        "differs": "Det som skiljer sig från mappningen som gäller",
        "try": "Pröva det på alla användare",
        "tried": f"Prövat på {PEOPLE} användare. Inget ändrades.",
        "lost": "Attributet skulle inte synkas längre.",
        "stays": "Skulle förbli som den är",
        "discard": "Kasta utkastet",
        "discarded": "Utkastet är kastat.",
        "activate": "Låt utkastet gälla",
        "active": "Utkastet är nu den mappning som gäller.",
        "back": "Gå tillbaka till mappningen före den här",
        "restored": "Den tidigare mappningen gäller igen.",
    },
    "en": {
        "change": "Draft a change",
        "add": "Add a source",
        "source": "Add extensionAttribute3",
        "remove eppn": "Remove EPPN, {}",
        "differs": "What differs from the active mapping",
        "try": "Try it on all users",
        "tried": f"Tried on {PEOPLE} users. Nothing was changed.",
        "lost": "It would no longer be synced.",
        "stays": "Would stay as it is",
        "discard": "Discard the draft",
        "discarded": "The draft is discarded.",
        "activate": "Make it the active mapping",
        "active": "The draft is the active mapping now.",
        "back": "Go back to the mapping before this",
        "restored": "The former mapping is active again.",
    },
}


def draft(page: Page, texts: dict[str, str]) -> None:
    page.get_by_role("button", name=texts["change"]).press("Enter")
    page.wait_for_url("**/drafts/*/")


def press(page: Page, button: str) -> None:
    """Press a button by keyboard, and wait for the page that comes of it."""
    with page.expect_navigation():
        page.get_by_role("button", name=button, exact=True).press("Enter")


@pytest.mark.parametrize(("language", "scripts"), [("sv", True), ("en", False)])
def test_a_mistake_is_drafted_seen_and_not_made(office: Office, language: str, scripts: bool) -> None:  # noqa: FBT001 - a case
    """EPPN from an attribute that no user has: at once for a few users, then for all; then discarded."""
    texts, axe = TEXTS[language], axe_script()
    before = office.store.tenants.outline(TENANT_KEY).sources
    page = office.open("mapping/", language, scripts=scripts)
    draft(page, texts)
    page.locator("#eppn summary").filter(has_text=texts["add"]).press("Enter")
    press(page, texts["source"])
    for source in before[Attribute.EPPN]:
        press(page, texts["remove eppn"].format(source))
    page.get_by_role("heading", name=texts["differs"]).wait_for()
    assert "extensionAttribute3" in page.locator("dl.hub-settings").first.inner_text()
    if scripts:
        assert violations(page, axe) == []

    press(page, texts["try"])
    page.get_by_text(texts["tried"]).wait_for()
    page.get_by_text(texts["lost"]).wait_for()
    assert texts["stays"] in page.locator("#progress .hub-legend").inner_text()
    if scripts:
        assert violations(page, axe) == []
    press(page, texts["discard"])
    page.get_by_text(texts["discarded"]).wait_for()
    assert office.store.tenants.outline(TENANT_KEY).sources == before
    page.context.close()


@pytest.mark.parametrize(("language", "scripts"), [("sv", False), ("en", True)])
def test_a_change_is_made_with_one_press_and_taken_back_with_another(
    office: Office,
    language: str,
    scripts: bool,  # noqa: FBT001 - a case
) -> None:
    """By keyboard alone: another order, active, and back."""
    texts = TEXTS[language]
    before = office.store.tenants.outline(TENANT_KEY).sources
    page = office.open("mapping/", language, scripts=scripts)
    draft(page, texts)
    for _ in range(100):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.value") == "eppn up userPrincipalName":
            break
    page.keyboard.press("Enter")
    page.wait_for_url("**#eppn")
    press(page, texts["activate"])
    page.get_by_text(texts["active"]).wait_for()
    changed = office.store.tenants.outline(TENANT_KEY).sources[Attribute.EPPN]
    assert changed.index("userPrincipalName") == before[Attribute.EPPN].index("userPrincipalName") - 1
    press(page, texts["back"])
    page.get_by_text(texts["restored"]).wait_for()
    assert office.store.tenants.outline(TENANT_KEY).sources == before
    page.context.close()
