"""Matches decided, and a schedule chosen and paused, in Chromium: with a producer and a worker."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo

import pytest

from devtools.browser.browser import Look, axe_script, violations
from devtools.commands import json_output
from sandbox.environment import TENANT_KEY, serve_environment
from schemas.hub.session import AuditKind
from tests.browser.office import opened_office, tab_to
from tests.integration.workers.identity.accounts import DOMAIN, account, skolon_user
from tests.integration.workers.test_pipeline import directory

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from playwright.sync_api import Page

    from devtools.services.postgresql import PostgreSQL
    from devtools.services.rabbitmq import RabbitMQ
    from tests.browser.office import Office

pytestmark = pytest.mark.xdist_group("browser")

#: Each has a hand-made user in Skolon with the e-mail address and another name.
PEOPLE: Final = [
    account(number, f"Elev{number}", "Andersson", f"elev{number}@{DOMAIN}") for number in range(1, 5)
]
HAND_MADE: Final = [
    skolon_user(f"s{number}", "Solros", "Fjäril", f"solros{number}@{DOMAIN}")
    | {"emails": [{"value": f"elev{number}@{DOMAIN}", "type": "work", "primary": True}]}
    for number in range(1, 5)
]


@pytest.fixture(scope="module")
def office(
    chromium: Path, rabbitmq: RabbitMQ, postgresql: PostgreSQL, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Office]:
    """Give a tenant in which four users wait for a decision, and whose schedule is every night."""
    folder = tmp_path_factory.mktemp("decisions")
    with serve_environment(folder, users=1) as made_up:
        made_up.skolon.fill(next(iter(made_up.skolon.organisations)), HAND_MADE)
        for each in PEOPLE:
            directory(made_up).add(each)
        users = [each["id"] for each in PEOPLE]
        with opened_office(
            made_up, chromium, rabbitmq, postgresql, folder, users, schedule="0 2 * * *"
        ) as opened:
            yield opened


def judged(page: Page, axe: str) -> Page:
    """Return the page, in which axe finds nothing, and which is no wider than the screen."""
    found = violations(page, axe)
    overflow = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert (found, overflow) == ([], 0), page.url
    return page


@pytest.fixture(scope="module")
def axe() -> str:
    return axe_script()


@pytest.mark.parametrize(
    ("language", "scripts", "number"), [("sv", True, 1), ("en", False, 2)], ids=["sv", "en-no-scripts"]
)
def test_a_suspicious_match_is_linked_and_the_user_updated(
    office: Office,
    axe: str,
    language: str,
    scripts: bool,  # noqa: FBT001 - a case
    number: int,
) -> None:
    """By keyboard: the list, both sides, the values, what happens, yes; and the user is right in Skolon."""
    values, same, yes, updated, done = {
        "sv": ("Visa värdena", "Det är samma person", "Ja, det är samma person", "Uppdaterad", "synkade"),
        "en": ("Show the values", "It is the same person", "Yes, it is the same person", "Updated", "synced"),
    }[language]
    user = PEOPLE[number - 1]["id"]
    page = office.open("matches/", language, scripts=scripts)
    tab_to(page, user)
    page.keyboard.press("Enter")
    page.get_by_role("heading", level=1).wait_for()
    assert f"Elev{number}" not in page.content()
    tab_to(page, values)
    page.keyboard.press("Enter")
    page.get_by_text("Solros").first.wait_for()
    page.get_by_text(f"Elev{number}", exact=True).first.wait_for()
    tab_to(page, same)
    page.keyboard.press("Enter")
    button = page.get_by_role("button", name=yes)
    button.wait_for()
    tab_to(page, yes)
    page.keyboard.press("Enter")
    page.get_by_text(updated, exact=True).wait_for()
    page.get_by_text(done).first.wait_for()

    held = office.made_up.skolon_user(f"s{number}")
    assert held is not None
    assert (held["externalId"], held["name"]["givenName"]) == (user, f"Elev{number}")
    if scripts:
        judged(page, axe)
    page.goto(f"/tenants/{TENANT_KEY}/users/{user}")
    page.get_by_text({"sv": "Rätt i Skolon", "en": "Right in Skolon"}[language]).first.wait_for()
    page.context.close()


def test_a_decision_is_taken_back_and_a_double_click_decides_once(office: Office, axe: str) -> None:
    """The user is left alone, by a double click; the back button and a reload change nothing."""
    user, before = PEOPLE[2]["id"], office.count(AuditKind.USER_IGNORED)
    page = office.open(f"matches/{user}")
    judged(page, axe)
    page.get_by_role("link", name="Leave the user in Entra alone").click()
    page.get_by_role("heading", name="Leave the user in Entra alone?").wait_for()
    judged(page, axe)
    page.get_by_role("button", name="Leave the user in Entra alone").dblclick()
    page.get_by_role("heading", name="Decided: the user is left alone").wait_for()
    page.get_by_text("The users are synced.").wait_for()
    page.reload()
    page.go_back()
    page.go_forward()
    assert office.count(AuditKind.USER_IGNORED) == before + 1
    page.get_by_role("link", name="Take this decision back").click()
    page.get_by_role("heading", name="Take this decision back?").wait_for()
    judged(page, axe)
    page.get_by_role("button", name="Take it back").click()
    page.get_by_role("heading", name="The decision is taken back").wait_for()
    page.get_by_text("The match looks like another user").wait_for()
    assert office.count(AuditKind.DECISION_FORGOTTEN) == 1
    page.context.close()


@pytest.mark.parametrize("look", [Look(language="sv", width=320), Look(language="en", scheme="dark")])
def test_axe_finds_nothing_on_the_pages_of_decisions(office: Office, axe: str, look: Look) -> None:
    """With what only a Data Hub over Entra and Skolon shows, on a phone and on a desk."""
    user = PEOPLE[3]["id"]
    context = office.chromium.new_context(
        base_url=office.hub.address, storage_state=office.cookies, **look.options()
    )
    page = context.new_page()
    for path in (
        "matches/",
        f"matches/{user}",
        f"matches/{user}/decide?answer=link&skolon_user=s4",
        f"matches/{user}/decide?answer=link&skolon_user=s9",
        "schedule/",
        "schedule/times?how=daily&daily_days=sunday&time=02:30&time_zone=Europe/Stockholm",
        "schedule/times?how=own&line=x&time_zone=y",
    ):
        page.goto(f"/tenants/{TENANT_KEY}/{path}")
        judged(page, axe)
    context.close()


@pytest.mark.parametrize(("language", "scripts"), [("sv", True), ("en", False)])
def test_a_schedule_is_chosen_by_keyboard_and_paused(office: Office, language: str, scripts: bool) -> None:  # noqa: FBT001 - a case
    """In words, its times before it is saved; then a pause with its end and reason, which is ended."""
    several, show, save, words, pause, end, paused, resumed = {
        "sv": (
            "Flera gånger om dagen",
            "Visa tiderna",
            "Spara",
            "Måndag till fredag, var 30:e minut mellan 06:00 och 18:00",
            "Pausa",
            "Avsluta pausen nu",
            "Pausat till",
            "Pausen är slut.",
        ),
        "en": (
            "Several times a day",
            "Show the times",
            "Save",
            "Monday to Friday, every hour between 06:00 and 18:00",
            "Pause",
            "End the pause now",
            "Paused until",
            "The pause has ended.",
        ),
    }[language]
    page = office.open("schedule/", language, scripts=scripts)
    page.get_by_role("radio", name=several).press("Space")
    page.locator("#minutes").select_option("30" if language == "sv" else "60")
    tab_to(page, show)
    page.keyboard.press("Enter")
    page.get_by_text(words, exact=True).wait_for()
    assert page.locator("main ol li").count() == 5
    tab_to(page, save)
    page.keyboard.press("Enter")
    page.get_by_role("status").wait_for()
    line = "*/30 6-17 * * 1-5" if language == "sv" else "0 6-17 * * 1-5"
    assert office.store.tenants.outline(TENANT_KEY).schedule == line

    until = dt.datetime.now(ZoneInfo("Europe/Stockholm")) + dt.timedelta(days=2)
    page.locator("#until").fill(f"{until:%Y-%m-%dT08:00}")
    page.locator("#reason").fill("Konton byter namn")
    page.get_by_role("button", name=pause, exact=True).press("Enter")
    page.get_by_text(paused).first.wait_for()
    page.goto("/")
    page.get_by_text("Konton byter namn").wait_for()
    page.goto(f"/tenants/{TENANT_KEY}/schedule/")
    page.get_by_role("button", name=end).press("Enter")
    page.get_by_text(resumed).wait_for()
    assert json_output("tenants", "show", TENANT_KEY, env=office.hub.env)["schedule"] == line
    page.context.close()
