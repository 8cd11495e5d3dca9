"""The pages of notifications: settings, a test with its answer, what was told, and the repair list."""

from __future__ import annotations

import csv
import io
import re
from html import unescape
from typing import TYPE_CHECKING, Any, Final

import pytest

from hub.access import ROUTES
from schemas.dead_letter_reasons import Reason
from schemas.hub.session import AuditKind
from schemas.outcomes import Stage
from schemas.runs.sync_result import Failure
from tests.integration.cli.command_line import add_tenant, tenant_object
from tests.integration.hub.browser import running_hub
from tests.integration.hub.made_up_runs import FAILED, USERS, finish, start, text_of
from tests.integration.notifications.conftest import RECIPIENT, TENANT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from requests import Response

    from tests.integration.hub.browser import Browser, Hub
    from tests.integration.notifications.conftest import Scene

PAGE: Final = f"tenants/{TENANT}/notifications/"
OTHER: Final = Failure(reason=Reason.VALUE_TAKEN, stage=Stage.UPDATE, detail="eppn")
FORM: Final = {
    "recipients": "rektor@exempel.example\nit@exempel.example",
    "webhook_url": "",
    "language": "sv",
    "most_failed": "3",
    "unconfirmed_days": "",
    "quiet_from": "22:00",
    "quiet_to": "06:30",
    "repair_day": "monday",
    "repair_entra": "it@exempel.example",
}


@pytest.fixture
def hub(scene: Scene, tmp_path: Path) -> Iterator[Hub]:
    with running_hub(scene.env, tmp_path) as running:
        yield running


@pytest.fixture
def browser(hub: Hub) -> Browser:
    return hub.signed_in("Ada", "administrator", TENANT)


def text(answer: Response) -> str:
    return unescape(text_of(answer.text))


def audited(scene: Scene) -> list[AuditKind]:
    return [each.kind for each in reversed(scene.store.hub_audit.page(None).entries)]


def test_an_administrator_chooses_who_is_told(scene: Scene, browser: Browser) -> None:
    """Saved once for each form; what another person has changed is shown instead (412)."""
    page, other = browser.open(PAGE), browser.open(PAGE)
    answers = [browser.submit(PAGE, page, **FORM) for _ in range(2)]

    assert [each.status_code for each in answers] == [200, 200]
    assert "Saved." in text(answers[1])
    settings = scene.store.notification_settings.get(TENANT).settings
    assert settings.recipients == ("rektor@exempel.example", "it@exempel.example")
    assert (settings.most_failed, settings.unconfirmed_days, settings.quiet_to) == (3, None, "06:30")
    assert audited(scene).count(AuditKind.NOTIFICATIONS_CHANGED) == 1

    late = browser.submit(PAGE, other, **{**FORM, "most_failed": "99"})
    assert (late.status_code, 'value="3"' in late.text) == (412, True)
    assert "Another person has changed this" in text(late)


LISTS: Final = ("recipients", "repair_entra", "repair_skolon", "repair_administrator")
THREE: Final = "anna@skola.example\nfinnsinte@skola.example\nupptagen@skola.example"


def as_browser(page: Response) -> dict[str, str]:
    """Return the fields of several lines as a browser sends them again, untouched."""
    found = re.findall(r'<textarea [^>]*name="(\w+)"[^>]*>(.*?)</textarea>', page.text, re.DOTALL)
    return {name: unescape(value).replace("\n", "\r\n") for name, value in found}


def test_a_form_with_several_addresses_can_be_saved_again(scene: Scene, browser: Browser) -> None:
    """Each list of addresses stands in its field as it was written: after saving, and beside a fault."""
    form = {**FORM, **dict.fromkeys(LISTS, THREE)}
    assert browser.submit(PAGE, browser.open(PAGE), **form).status_code == 200
    before = scene.store.notification_settings.get(TENANT).settings

    page = browser.open(PAGE)
    assert as_browser(page) == dict.fromkeys(LISTS, THREE.replace("\n", "\r\n"))
    assert browser.submit(PAGE, page, **{**form, **as_browser(page)}).status_code == 200
    assert scene.store.notification_settings.get(TENANT).settings == before

    refused = browser.submit(PAGE, browser.open(PAGE), **{**form, "most_failed": "many"})
    assert (refused.status_code, as_browser(refused)["recipients"]) == (422, THREE.replace("\n", "\r\n"))
    hostile = {**form, "recipients": "<b>\n</textarea>\n\u202ex@skola.example"}
    refused = browser.submit(PAGE, browser.open(PAGE), **hostile)
    assert as_browser(refused)["recipients"] == "<b>\r\n</textarea>\r\n\\u202ex@skola.example"


@pytest.mark.parametrize(
    ("field", "value", "fault"),
    [
        ("recipients", "Rektor <rektor@exempel.example>", "Write one e-mail address on each line"),
        ("webhook_url", "http:/x", "Write an address that begins with https://"),
        ("webhook_url", "https://169.254.169.254/latest/", "that the whole internet can reach"),
        ("webhook_url", "http://10.0.0.1/", "that the whole internet can reach"),
        ("most_failed", "many", "Write a whole number."),
        ("most_failed", "", "Write a whole number."),
        ("quiet_to", "22:00", "Write two different times"),
        ("repair_day", "someday", "Choose one of these."),
        ("recipients", "\x00\u202e" * 50, "Write one e-mail address on each line"),
    ],
)
def test_what_cannot_be_is_said_beside_its_field(
    scene: Scene, browser: Browser, field: str, value: str, fault: str
) -> None:
    """With what was sent, and nothing is saved."""
    before = scene.store.notification_settings.get(TENANT)
    answer = browser.submit(PAGE, browser.open(PAGE), **{**FORM, field: value})
    assert answer.status_code == 422
    assert fault in text(answer)
    assert scene.store.notification_settings.get(TENANT) == before


@pytest.mark.parametrize(
    ("language", "button", "accepted", "refused"),
    [
        ("en", "Send a test by mail", "It was accepted. (code 250)", "The receiver refused it. (code 503)"),
        (
            "sv",
            "Skicka ett test med e-post",
            "Det togs emot. (kod 250)",
            "Mottagaren tog inte emot det. (kod 503)",
        ),
    ],
)
def test_a_test_shows_what_was_answered(  # noqa: PLR0913, PLR0917 - the texts of a language
    scene: Scene, hub: Hub, language: str, button: str, accepted: str, refused: str
) -> None:
    """By each channel; it stands among what was told, and in the audit."""
    browser = hub.signed_in("Ada", "administrator", TENANT, language=language)
    page = browser.open(PAGE)
    assert button in text(page)
    assert accepted in text(browser.submit(f"{PAGE}test", page, channel="mail"))
    assert [recipient for recipient, _ in scene.mail.mails] == [RECIPIENT]
    scene.hook.status = 503
    assert refused in text(browser.submit(f"{PAGE}test", page, channel="webhook"))
    assert refused in text(browser.open(PAGE))
    assert audited(scene).count(AuditKind.NOTIFICATION_TESTED) == 2


def test_tests_take_no_ones_place_and_are_not_without_end(scene: Scene, browser: Browser) -> None:
    """What was really told stays in view; after three tests by a channel there is no other for a while."""
    finish(scene.store, start(scene.store, TENANT, "one"), {USERS[0]: FAILED})
    assert scene.send() == 2
    for _ in range(21):
        scene.run("test", TENANT, "--channel", "webhook")
    page = browser.open(PAGE)
    told = text(page).partition("What was told last")[2]
    assert (told.count("A test of the notifications"), told.count("Users could not be updated")) == (1, 2)
    answers = [browser.submit(f"{PAGE}test", page, channel="mail").status_code for _ in range(4)]
    assert answers == [200, 200, 200, 422]
    assert len(scene.mail.mails) == 4


@pytest.mark.parametrize(
    ("code", "said"), [("550", "refused it for good"), ("451", "does not take it just now")]
)
def test_the_page_says_which_address_was_refused_and_for_how_long(
    scene: Scene, browser: Browser, code: str, said: str
) -> None:
    """Of two addresses one is refused, by a test and by what was told."""
    other = "rektor@exempel.example"
    scene.run("set", TENANT, "--recipient", other, "--recipient", RECIPIENT, "--no-webhook")
    scene.mail.refused[other] = f"{code} no"
    finish(scene.store, start(scene.store, TENANT, "one"), {USERS[0]: FAILED})
    scene.send()
    cards = [" ".join(each.split()) for each in text(browser.open(PAGE)).split("Users could not be updated")]
    [card] = [each for each in cards if f"(code {code})" in each]
    assert other in card
    assert said in card
    assert RECIPIENT not in card


def test_a_secret_is_shown_once(scene: Scene, browser: Browser) -> None:
    """A reload makes no other one, and shows none; the page itself never has it."""
    page = browser.open(PAGE)
    made = [browser.submit(f"{PAGE}secret", page) for _ in range(2)]
    secret = made[0].text.partition('class="hub-secret">')[2].partition("<")[0]
    assert secret.startswith("whsec_")
    assert scene.store.notification_settings.secret(TENANT) == secret
    assert "whsec_" not in made[1].text + browser.open(PAGE).text
    scene.run("set", TENANT, "--no-webhook")
    refused = browser.submit(f"{PAGE}secret", browser.open(PAGE))
    assert (refused.status_code, "There is no webhook." in text(refused)) == (422, True)


def test_operators_have_settings_of_their_own(scene: Scene, hub: Hub) -> None:
    """The same page, over all organisations; others do not see that it is there."""
    operator = hub.signed_in("Oda", "operator")
    page = operator.open("notifications/")
    fields = {"recipients": "drift@skolon.example", "most_failed": "0", "language": "en"}
    assert operator.submit("notifications/", page, **fields).status_code == 200
    assert operator.submit("notifications/", page, **fields).status_code == 200
    late = operator.submit("notifications/", page, **{**fields, "most_failed": "5"})
    assert late.status_code == 412
    run = start(scene.store, TENANT, "one")
    finish(scene.store, run, {USERS[0]: FAILED})
    scene.send()
    assert "Exempelkommun: Users could not be updated" in text(operator.open("notifications/"))
    assert hub.signed_in("Ada", "administrator", TENANT).open("notifications/").status_code == 404


def rows(answer: Response) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(answer.text.lstrip("\ufeff")), delimiter=","))


def test_the_repair_list_has_each_user_at_the_side_whose_turn_it_is(scene: Scene, hub: Hub) -> None:
    """Ids and causes; a user leaves it when a run confirms the user."""
    reader = hub.signed_in("Lars", "reader", TENANT)
    run = start(scene.store, TENANT, "one")
    finish(scene.store, run, {USERS[0]: FAILED, USERS[1]: OTHER})
    page = f"tenants/{TENANT}/repair-list/"
    assert text(reader.open(page)).count("1 user ") == 2
    [entra], [skolon] = (rows(reader.open(f"{page}{side}.csv")) for side in ("entra", "skolon"))
    assert (entra["Entra id"], entra["Why"]) == (USERS[0], "A value breaks a rule")
    assert (skolon["Entra id"], skolon["Who must act"]) == (
        USERS[1],
        "the person who corrects data in Skolon",
    )
    assert reader.open(f"{page}operator.csv").status_code == 404
    finish(scene.store, start(scene.store, TENANT, "two"), {USERS[1]: OTHER})
    assert rows(reader.open(f"{page}entra.csv")) == []


def test_what_is_told_leads_to_pages_that_are_there(scene: Scene, hub: Hub) -> None:
    """Each link of a mail opens for an administrator."""
    administrator = hub.signed_in("Ada", "administrator", TENANT)
    scene.run("test", TENANT, "--channel", "webhook")
    run = start(scene.store, TENANT, "one")
    finish(scene.store, run, {USERS[0]: FAILED})
    scene.store.tenants.change(TENANT, {"client_secret_expires": "2020-01-01"})
    scene.send()
    links: list[Any] = [each["data"]["link"] for each in scene.hook.bodies]
    assert len(links) == 3
    for link in links:
        path = str(link).removeprefix("https://hub.example/")
        assert administrator.open(path).status_code == 200
    assert "repair.show" in ROUTES


def test_other_roles_see_no_address(hub: Hub) -> None:
    """A reader, and another organisation's administrator, get the answer to what is not there."""
    add_tenant(hub.env, "annan", tenant_object(name="Annan kommun", organisation="annan"))
    for role, tenant in (("reader", TENANT), ("administrator", "annan")):
        browser = hub.signed_in(f"{role} {tenant}", role, tenant)
        assert browser.open(PAGE).status_code == 404
        assert browser.submit(PAGE, None, **FORM).status_code == 404
