"""The Data Hub's pages in Chromium: each without a finding of axe, by keyboard, and without JavaScript."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pytest

from devtools.browser.browser import Look, violations
from hub.access import POLLS, ROUTES
from schemas.hub.access import Access
from tests.browser.conftest import TENANT, WATCHED
from tests.integration.hub.made_up_runs import UNCHANGED, USERS, finish, start
from tests.integration.hub.test_access import RULES, VALUES

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from tests.browser.conftest import Site

#: One Chromium and one Data Hub, whatever the number of processes that run tests.
pytestmark = pytest.mark.xdist_group("browser")

#: Each language, scheme and width with each of the others.
LOOKS: Final = (
    Look(language="sv", scheme="light", width=320),
    Look(language="sv", scheme="dark", width=1100),
    Look(language="en", scheme="dark", width=320),
    Look(language="en", scheme="light", width=1100),
)

#: Routes that are no pages: files, a part of a page.
NO_PAGES: Final = ("static", *POLLS)


def paths(site: Site) -> list[str]:
    """Return every page of the route table that an administrator may see, and one that is not there."""
    found = []
    for rule in RULES:
        if (
            "GET" not in (rule.methods or ())
            or rule.endpoint in NO_PAGES
            or rule.rule.endswith((".csv", ".json"))
            or rule.rule.startswith("/api/")
            or ROUTES[rule.endpoint] is Access.OPERATOR
        ):
            continue
        values = {
            **VALUES,
            "tenant": TENANT,
            "run": str(site.complete),
            "outcome": "dead_lettered",
            "user": USERS[1],
            "member": str(site.reader),
            "task": str(site.task),
            "draft": str(site.draft),
        }
        built = rule.build(values, append_unknown=False)
        assert built is not None, f"VALUES of test_access.py has no value for {rule.rule}"
        found.append(built[1])
    halted = f"/tenants/{TENANT}/runs/{site.halted}"
    return [*found, halted, f"{halted}/cancel/", f"{halted}/resume/", "/no/such/page"]


def listen(page: Page) -> list[str]:
    """Return a list that takes up what the browser complains of."""
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda line: complaints.append(line.text) if line.type == "error" else None)
    return complaints


@pytest.mark.parametrize("look", LOOKS, ids=lambda look: f"{look.language}-{look.scheme}-{look.width}")
def test_axe_finds_nothing_on_any_page(site: Site, look: Look) -> None:
    """WCAG 2.2 AA and good practice; nothing is wider than the screen, and the browser refuses nothing."""
    page = site.open("/", look)
    complaints = listen(page)
    found = {}
    for path in paths(site):
        page.goto(path)
        overflow = page.evaluate("document.documentElement.scrollWidth") - look.width
        wrong = [*violations(page, site.axe), *([f"{overflow} px too wide"] if overflow > 0 else [])]
        if wrong:
            found[path] = wrong
        assert page.get_attribute("html", "lang") == look.language
    assert found == {}
    assert [each for each in complaints if "404" not in each] == []
    page.context.close()


def test_every_page_can_be_read_without_javascript(site: Site) -> None:
    """Each has its heading and its words; one that watches a run loads itself again."""
    run = start(site.store, WATCHED, "without JavaScript")
    page = site.open("/", java_script_enabled=False)
    for path in paths(site):
        page.goto(path)
        assert page.locator("h1").count() == 1, path
        assert len(page.locator("main").inner_text()) > len(page.locator("h1").inner_text()), path
    page.goto(f"/tenants/{WATCHED}/runs/{run}")
    assert page.locator('meta[http-equiv="refresh"]').count() == 1
    site.store.runs.cancel(run)
    page.context.close()


@pytest.mark.parametrize("look", [LOOKS[0], LOOKS[2]], ids=lambda look: look.language)
def test_a_users_tables_need_no_sideways_scrolling_on_a_phone(site: Site, look: Look) -> None:
    """Each row is a block, whose cells name their column."""
    assert look.width < 400
    page = site.open(f"/tenants/{TENANT}/users/{USERS[1]}", look)
    sizes = page.locator(".hub-scroll").evaluate_all(
        "all => all.map(each => [each.scrollWidth, each.clientWidth])"
    )
    page.context.close()
    assert sizes
    assert all(needed <= there for needed, there in sizes), sizes


def test_a_group_is_reached_by_keyboard_alone(site: Site) -> None:
    """The first stop skips to the content; each stop can be seen; Enter opens what has the focus."""
    page = site.open(f"/tenants/{TENANT}/attention/")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.getAttribute('href')") == "#main"
    page.keyboard.press("Enter")

    for _ in range(20):
        page.keyboard.press("Tab")
        seen = page.evaluate(
            "(() => {const e = document.activeElement, s = getComputedStyle(e);"
            "return [e.innerText, s.outlineStyle !== 'none' && parseFloat(s.outlineWidth) > 0]})()"
        )
        assert seen[1], f"the focus on {seen[0]!r} cannot be seen"
        if seen[0] == "A value breaks a rule":
            break
    page.keyboard.press("Enter")

    page.get_by_role("heading", name="A value breaks a rule").wait_for()
    page.get_by_text("must have exactly one @").wait_for()
    page.context.close()


def test_a_run_is_watched_to_its_end_without_a_reload(site: Site) -> None:
    """The numbers follow the run, also after the server was away; at the end the page asks no more."""
    store = site.store
    run = start(store, WATCHED, "watched in Chromium")
    page = site.open(f"/tenants/{WATCHED}/runs/{run}")
    complaints = listen(page)
    page.evaluate("window.notReloaded = true")
    page.get_by_text("0 of 6 users are done.").wait_for()

    store.receipts.finish(run, USERS[0], UNCHANGED)
    page.get_by_text("1 of 6 users are done.").wait_for()
    assert complaints == []
    page.context.set_offline(True)
    store.receipts.finish(run, USERS[1], UNCHANGED)
    with page.expect_event("requestfailed"):
        pass
    page.context.set_offline(False)
    page.get_by_text("2 of 6 users are done.").wait_for()
    complaints.clear()
    finish(store, run, {})
    page.get_by_text("Completed").wait_for()

    assert page.locator("[hx-get]").count() == 0
    assert page.evaluate("window.notReloaded")
    assert complaints == []
    page.context.close()


@pytest.mark.parametrize(
    ("language", "other", "report", "syncs"),
    [("en", "Svenska", "Rapport", "Synkroniseringar"), ("sv", "English", "Report", "Syncs")],
)
def test_the_language_is_switched_in_place(
    site: Site, language: str, other: str, report: str, syncs: str
) -> None:
    """One press, the same page, and remembered."""
    page = site.open(f"/tenants/{TENANT}/report/", Look(language=language))
    page.get_by_role("button", name=other).press("Enter")
    page.get_by_role("heading", name=report, exact=True).wait_for()
    assert page.url.endswith(f"/tenants/{TENANT}/report/")
    page.goto("/")
    page.get_by_role("heading", name=syncs).wait_for()
    page.context.close()


@pytest.mark.parametrize(
    ("language", "button", "done"),
    [("en", "Sign in", "0 of 6 users are done."), ("sv", "Logga in", "0 av 6 användare är klara.")],
)
def test_a_session_that_is_ended_elsewhere_leads_to_the_sign_in_page(
    site: Site, language: str, button: str, done: str
) -> None:
    """A page that watches a run does so by itself, with its next question."""
    run = start(site.store, WATCHED, f"watched in {language} until the session ends")
    name = f"Sessa Slut {language}"
    context = site.chromium.new_context(base_url=site.hub.address, **Look(language=language).options())
    page = context.new_page()
    page.goto(site.hub.invite(name, "operator"))
    page.get_by_role("button", name=button).click()
    page.get_by_role("link", name="Följekommun").wait_for()
    page.goto(f"/tenants/{WATCHED}/runs/{run}")
    page.get_by_text(done).wait_for()

    # A new link ends the member's sessions.
    site.hub.invite(name, "operator")

    page.wait_for_url("**/sign-in")
    page.get_by_role("heading", name=button).wait_for()
    site.store.runs.cancel(run)
    context.close()


def test_every_page_can_be_printed(site: Site) -> None:
    """On paper (A4, a centimetre of margin) no table is cut off, and the menus are left out."""
    page = site.open("/", Look(width=718))
    page.emulate_media(media="print")
    wrong = {}
    for path in paths(site):
        page.goto(path)
        cut = page.locator(".hub-scroll").evaluate_all(
            "all => all.filter(each => each.scrollWidth > each.clientWidth).map(each => each.innerText)"
        )
        pressed = [each for each in (".hub-header nav", ".hub-language") if page.locator(each).is_visible()]
        if cut or pressed or not page.locator("h1").is_visible():
            wrong[path] = (cut, pressed)
    assert page.pdf(format="A4").startswith(b"%PDF")
    page.context.close()
    assert wrong == {}


def test_the_judge_finds_what_is_wrong(site: Site) -> None:
    """Axe runs, and would say so if a page had an image without words, or text that cannot be read."""
    page = site.chromium.new_page()
    page.set_content('<main><h1>x</h1><img src="x"><p style="color: #aaa; background: #fff">pale</p></main>')
    found = {each.partition(":")[0] for each in violations(page, site.axe)}
    assert {"image-alt", "color-contrast", "html-has-lang"} <= found
    page.context.close()
