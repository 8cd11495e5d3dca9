"""The attribute mapping on the pages: drafted, made active, taken back; over HTTP with the real server."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, Final

import pytest

from devtools.commands import json_output, update_sync
from sandbox.environment import TENANT_KEY
from schemas.hub.session import AuditKind
from schemas.users.attributes import Attribute
from tests.integration.hub.browser import DEADLINE
from tests.integration.hub.made_up_runs import text_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    import requests

    from sandbox.environment import Environment
    from store.store import Store
    from tests.integration.hub.browser import Browser, Hub

PATH: Final = f"tenants/{TENANT_KEY}/mapping/"

EPPN: Final = ("mail", "otherMails", "userPrincipalName")


def form_of(page: requests.Response, path: str) -> dict[str, str]:
    """Return the hidden fields of the page's form that goes to a path."""
    form = page.text.partition(f'action="/{path}"')[2].partition("</form>")[0]
    fields = {}
    for name in ("key", "seen", "active", "side"):
        found = form.partition(f'name="{name}" value="')[2].partition('"')[0]
        if found:
            fields[name] = found
    return fields


def send(
    browser: Browser, path: str, page: requests.Response | None = None, **fields: str | Sequence[str]
) -> requests.Response:
    """Send a form of a page; without a page the overview's."""
    page = page if page is not None else browser.open(PATH)
    return browser.submit(path, page, **{**form_of(page, path), **fields})


def new_draft(browser: Browser) -> str:
    """Make a draft of the active mapping, and return the path of its page."""
    answer = send(browser, f"{PATH}drafts")
    assert answer.status_code == 200, answer.text
    return answer.url.removeprefix(browser.address)


def press(browser: Browser, draft: str, edit: str) -> requests.Response:
    return send(browser, draft, browser.open(draft), edit=edit)


def number(draft: str) -> int:
    return int(draft.rstrip("/").rpartition("/")[2])


def eppn(store: Store, draft: str) -> tuple[str, ...]:
    found = store.mapping_drafts.get(TENANT_KEY, number(draft))
    assert found is not None
    return found.sources[Attribute.EPPN]


def events(store: Store) -> list[AuditKind]:
    return [each.kind for each in store.hub_audit.page([TENANT_KEY]).entries]


@pytest.fixture(autouse=True)
def _no_drafts(store: Store) -> None:
    """Each test begins with the mapping of the guide, and without drafts."""
    for each in store.mapping_drafts.list(TENANT_KEY):
        store.mapping_drafts.remove(TENANT_KEY, each.id)
    store.tenants.change(TENANT_KEY, {"sources": {"eppn": list(EPPN)}})


def test_a_draft_is_changed_by_buttons_and_changes_nothing_else(administrator: Browser, store: Store) -> None:
    """Up, down, away and back; the page says what differs; the active mapping stays."""
    draft = new_draft(administrator)
    assert "It is the same as the active mapping." in text_of(administrator.open(draft).text)

    press(administrator, draft, "eppn up userPrincipalName")
    assert eppn(store, draft) == ("mail", "userPrincipalName", "otherMails")
    press(administrator, draft, "eppn down mail")
    assert eppn(store, draft) == ("userPrincipalName", "mail", "otherMails")
    press(administrator, draft, "eppn remove otherMails")
    answer = press(administrator, draft, "eppn add extensionAttribute3")
    assert eppn(store, draft) == ("userPrincipalName", "mail", "extensionAttribute3")
    assert answer.url.endswith("#eppn") or answer.history[-1].headers["Location"].endswith("#eppn")

    text = text_of(answer.text)
    assert "mail → otherMails → userPrincipalName becomes userPrincipalName → mail → extensionAtt" in text
    assert store.tenants.outline(TENANT_KEY).sources[Attribute.EPPN] == EPPN
    assert "Changed on" in text
    assert "by Ada Avbildning." in text


def test_its_effect_on_a_few_users_is_beside_it_masked(
    administrator: Browser, store: Store, made_up: Environment
) -> None:
    """With values only on request, which is recorded; a user who is looked up is shown as well."""
    draft = new_draft(administrator)
    press(administrator, draft, "eppn up userPrincipalName")
    page = administrator.open(draft)
    person = next(each for each in made_up.municipality if each.outcome == "unchanged")
    users = [each for each in made_up.municipality if f"/users/{each.entra['id']}" in page.text]
    assert len(users) == 5
    assert "With the active mapping With the draft Skolon now" in text_of(page.text)
    assert "@•••" in page.text
    mails = [each.entra["mail"] for each in users if each.entra["mail"]]
    assert not any(mail in page.text for mail in mails)

    before = events(store).count(AuditKind.VALUES_REVEALED)
    shown = administrator.post(
        f"{administrator.address}{draft}values",
        data={"csrf_token": token(page), "user": [each.entra["id"] for each in users]},
        timeout=DEADLINE,
    )
    assert any(mail in shown.text for mail in mails)
    assert events(store).count(AuditKind.VALUES_REVEALED) == before + 5

    found = send(administrator, f"{draft}user", page, who=person.entra["userPrincipalName"])
    assert f"/users/{person.entra['id']}" in found.text
    assert person.entra["userPrincipalName"] not in found.text
    missed = send(administrator, f"{draft}user", page, who="Ingen Alls")
    assert (missed.status_code, "No user was found." in missed.text) == (422, True)


def token(page: requests.Response) -> str:
    return page.text.partition('name="csrf_token" value="')[2].partition('"')[0]


def test_a_draft_that_is_pressed_twice_changes_once(administrator: Browser, store: Store) -> None:
    """A double click, and a reload; the history is not needed for that."""
    draft = new_draft(administrator)
    page = administrator.open(draft)
    with ThreadPoolExecutor(2) as clicks:
        answers = list(
            clicks.map(lambda _: send(administrator, draft, page, edit="eppn up userPrincipalName"), range(2))
        )
    answers.append(send(administrator, draft, page, edit="eppn up userPrincipalName"))
    assert {answer.status_code for answer in answers} == {200}
    assert eppn(store, draft) == ("mail", "userPrincipalName", "otherMails")


def test_of_two_people_the_second_sees_what_the_first_has_changed(
    administrator: Browser, other: Browser, store: Store
) -> None:
    """412, with the draft as it is now: in a press, and when it is made active or discarded."""
    draft = new_draft(administrator)
    press(administrator, draft, "eppn remove otherMails")
    old = other.open(draft)
    press(administrator, draft, "eppn remove userPrincipalName")

    for path, fields in (
        (draft, {"edit": "eppn up mail"}),
        (f"{draft}activate", {}),
        (f"{draft}discard", {}),
    ):
        answer = send(other, path, old, **fields)
        assert answer.status_code == 412, path
        assert "Another person has changed this in the meantime." in text_of(answer.text)
        assert "by Ada Avbildning." in text_of(answer.text)
    assert eppn(store, draft) == ("mail",)
    assert store.tenants.outline(TENANT_KEY).sources[Attribute.EPPN] == EPPN


def test_it_is_made_active_with_one_press_and_taken_back_with_another(
    administrator: Browser, store: Store
) -> None:
    """The history says who, when and what; the link of the draft says what became of it."""
    draft = new_draft(administrator)
    press(administrator, draft, "eppn up userPrincipalName")
    made = send(administrator, f"{draft}activate", administrator.open(draft))
    assert "The draft is the active mapping now." in text_of(made.text)
    assert "Active now" in made.text
    assert store.tenants.outline(TENANT_KEY).sources[Attribute.EPPN][1] == "userPrincipalName"
    assert "It became the active mapping on" in text_of(administrator.open(draft).text)
    change = store.mapping_changes.list(TENANT_KEY)[0]

    back = send(administrator, f"{PATH}history/{change.id}/restore", made)
    assert "The former mapping is active again." in text_of(back.text)
    assert store.tenants.outline(TENANT_KEY).sources[Attribute.EPPN] == EPPN
    assert events(store)[:2] == [AuditKind.MAPPING_RESTORED, AuditKind.MAPPING_ACTIVATED]
    assert "Ada Avbildning" in text_of(back.text).partition("How it has changed")[2]
    # What is sent again changes nothing again.
    send(administrator, f"{draft}activate", made, key="x")
    send(administrator, f"{PATH}history/{change.id}/restore", made)
    assert store.tenants.outline(TENANT_KEY).sources[Attribute.EPPN] == EPPN


def test_a_mapping_that_a_command_has_changed_meanwhile_is_not_overwritten(
    administrator: Browser, store: Store, hub: Hub
) -> None:
    """The draft is not made active unseen; the history has the command too."""
    draft = new_draft(administrator)
    press(administrator, draft, "eppn up userPrincipalName")
    old = administrator.open(draft)
    update_sync("tenants", "set", TENANT_KEY, "--source", "eppn=extensionAttribute9", env=hub.env)

    answer = send(administrator, f"{draft}activate", old)
    assert answer.status_code == 412
    assert "extensionAttribute9" in text_of(answer.text)
    assert store.tenants.outline(TENANT_KEY).sources[Attribute.EPPN] == ("extensionAttribute9",)
    assert "by a command" in text_of(administrator.open(PATH).text)
    again = send(administrator, f"{draft}activate", answer)
    assert "The draft is the active mapping now." in text_of(again.text)


def test_a_mapping_by_which_no_user_is_found_is_not_made_active(administrator: Browser, store: Store) -> None:
    """Before, the page says of each attribute by which users are found that it would have no source."""
    draft = new_draft(administrator)
    press(administrator, draft, "eppn remove mail")
    press(administrator, draft, "eppn remove otherMails")
    page = press(administrator, draft, "eppn remove userPrincipalName")
    assert "No user would be found in Skolon any more by: EPPN" in text_of(page.text)
    for edit in (
        "external_id remove id",
        "user_name remove userPrincipalName",
        "user_name remove mail",
        "user_name remove otherMails",
        "email remove mail",
        "email remove otherMails",
    ):
        page = press(administrator, draft, edit)
    assert "With this mapping no user would be found in Skolon" in text_of(page.text)
    found = store.mapping_drafts.get(TENANT_KEY, number(draft))
    assert found is not None
    answer = send(
        administrator, f"{draft}activate", page, key="no-button", seen=str(found.version), active=""
    )
    assert answer.status_code in {412, 422}
    assert store.tenants.outline(TENANT_KEY).sources[Attribute.EPPN] == EPPN


def upload(browser: Browser, content: bytes) -> requests.Response:
    page = browser.open(PATH)
    fields = {"csrf_token": token(page), **form_of(page, f"{PATH}import")}
    return browser.post(
        f"{browser.address}{PATH}import",
        data=fields,
        files={"file": ("mapping.json", content)},
        timeout=DEADLINE,
    )


def test_what_is_exported_is_taken_back_as_a_draft(administrator: Browser, store: Store) -> None:
    """The active mapping and a draft, each as a file."""
    exported = administrator.open(f"{PATH}mapping.json")
    assert "attachment" in exported.headers["Content-Disposition"]
    value = exported.json()
    assert value["sources"]["eppn"] == list(EPPN)
    value["sources"]["eppn"] = ["extensionAttribute3", "mail"]

    answer = upload(administrator, json.dumps(value).encode())
    draft = answer.url.removeprefix(administrator.address)
    assert eppn(store, draft) == ("extensionAttribute3", "mail")
    assert administrator.open(f"{draft}mapping.json").json() == value
    assert store.tenants.outline(TENANT_KEY).sources[Attribute.EPPN] == EPPN


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "The file is not JSON."),
        (b"\xff\0\xfe", "The file is not JSON."),
        (b"[" * 10_000 + b"]" * 10_000, "The file is"),
        (b'{"sources": ' + b'{"eppn": ' * 100 + b"1" + b"}" * 101, "EPPN: its sources are no list"),
        (b"[]", "it has no sources"),
        (b'{"sources": []}', "it has no sources"),
        (b'{"sources": {}, "client_secret": "x"}', "client_secret does not belong into a mapping."),
        (b'{"sources": {"shoe_size": []}}', "There is no attribute shoe_size."),
        (b'{"sources": {"eppn": "mail"}}', "EPPN: its sources are no list of names."),
        (b'{"sources": {"eppn": [1]}}', "EPPN: its sources are no list of names."),
        (b'{"sources": {"eppn": ["mail", "mail"]}}', "EPPN: a source stands there twice."),
        (b'{"sources": {"eppn": ["shoeSize"]}}', "EPPN: shoeSize cannot be its source."),
        (b'{"sources": {"eppn": ["<script>alert(1)</script>"]}}', "cannot be its source."),
        (b'{"sources": {"eppn": ["' + b"x" * 10_000 + b'"]}}', "cannot be its source."),
    ],
)
def test_a_file_that_is_no_mapping_makes_no_draft(
    administrator: Browser, store: Store, content: bytes, says: str
) -> None:
    """Each fault is named, and no markup comes back."""
    answer = upload(administrator, content)
    assert answer.status_code == 422
    assert says in text_of(answer.text).replace("&lt;", "<")
    assert "<script>alert" not in answer.text
    assert not store.mapping_drafts.list(TENANT_KEY)


@pytest.mark.parametrize(
    "edit",
    [
        "",
        "eppn",
        "eppn up",
        "eppn up shoeSize",
        "shoe_size up mail",
        "eppn sideways mail",
        "eppn up mail x",
        "x" * 10_000,
    ],
)
def test_a_press_that_no_button_sends_changes_nothing(
    administrator: Browser, store: Store, edit: str
) -> None:
    """It is no page of ours, or a source that is not there."""
    draft = new_draft(administrator)
    assert press(administrator, draft, edit).status_code in {200, 400}
    assert eppn(store, draft) == EPPN


@pytest.mark.parametrize("keeps", [True, False])
def test_a_draft_says_that_it_takes_back_what_another_draft_has_changed(
    administrator: Browser,
    other: Browser,
    store: Store,
    keeps: bool,  # noqa: FBT001 - a case
) -> None:
    """By a button the draft keeps it; without it, it is taken back, which was said."""
    first, second = new_draft(administrator), new_draft(other)
    press(administrator, first, "eppn up userPrincipalName")
    press(other, second, "city remove city")
    send(administrator, f"{first}activate", administrator.open(first))
    changed = store.tenants.outline(TENANT_KEY).sources[Attribute.EPPN]

    page = other.open(second)
    assert "was changed by another person after this draft was made: EPPN." in text_of(page.text)
    if keeps:
        page = send(other, second, page, edit="renew")
        assert "was changed by another person" not in text_of(page.text)
        assert eppn(store, second) == changed
    send(other, f"{second}activate", page)
    sources = store.tenants.outline(TENANT_KEY).sources
    assert (sources[Attribute.CITY], sources[Attribute.EPPN]) == ((), changed if keeps else EPPN)
    store.tenants.change(TENANT_KEY, {"sources": {"city": ["city"]}})


def test_a_question_is_drafted_with_one_press(administrator: Browser, store: Store) -> None:
    """What if EPPN came from another source: it stands first in the draft; no other property does."""
    page = administrator.open(PATH)
    assert "EPPN from extensionAttribute3" in text_of(page.text)
    fields = {"key": form_of(page, f"{PATH}drafts")["key"] + "q", "first": "eppn add extensionAttribute3"}
    answers = [send(administrator, f"{PATH}drafts", page, **fields) for _ in range(2)]
    (address,) = {answer.url.partition("#")[0] for answer in answers}
    draft = address.removeprefix(administrator.address)
    assert eppn(store, draft) == ("extensionAttribute3", *EPPN)
    assert store.tenants.outline(TENANT_KEY).sources[Attribute.EPPN] == EPPN
    wrong = send(administrator, f"{PATH}drafts", page, key="wrong", first="ssn add mail")
    assert wrong.status_code == 400
    assert len(store.mapping_drafts.list(TENANT_KEY)) == 1


def test_a_draft_of_another_tenant_is_not_there(hub: Hub, administrator: Browser, store: Store) -> None:
    """Neither by the own address nor by the other's; nor is one that was discarded, for a second click."""
    draft = new_draft(administrator)
    stranger = hub.signed_in("Anna Annan", "administrator", "annan")
    assert stranger.open(draft).status_code == 404
    assert stranger.open(f"tenants/annan/mapping/drafts/{number(draft)}/").status_code == 404
    page = administrator.open(draft)
    for _ in range(2):
        assert "The draft is discarded." in text_of(send(administrator, f"{draft}discard", page).text)
    assert administrator.open(draft).status_code == 404
    assert not store.mapping_drafts.list(TENANT_KEY)


def test_a_reader_reads_and_changes_nothing(hub: Hub, administrator: Browser) -> None:
    """A draft can be discussed by its link; there is no button on it."""
    draft = new_draft(administrator)
    press(administrator, draft, "eppn up userPrincipalName")
    reader = hub.signed_in("Lars Läsare", "reader", TENANT_KEY)
    page = reader.open(draft)
    assert "What differs from the active mapping" in page.text
    assert 'name="edit"' not in page.text
    assert "Make it active" not in page.text
    assert "Draft a change" not in reader.open(PATH).text
    for path in (draft, f"{draft}activate", f"{draft}values", f"{PATH}drafts"):
        assert reader.submit(path, page, key="x").status_code == 404


def test_what_cannot_be_asked_is_said(hub: Hub, administrator: Browser, store: Store) -> None:
    """Without RabbitMQ a draft cannot be tried; too many drafts are refused."""
    draft = new_draft(administrator)
    assert "is not connected to the rest of the sync" in text_of(administrator.open(draft).text)
    for _ in range(19):
        new_draft(administrator)
    answer = send(administrator, f"{PATH}drafts")
    assert (answer.status_code, "There are too many drafts." in answer.text) == (422, True)
    assert len(store.mapping_drafts.list(TENANT_KEY)) == 20
    shown: Any = json_output("tenants", "show", TENANT_KEY, env=hub.env)
    assert shown["sources"]["eppn"] == list(EPPN)
