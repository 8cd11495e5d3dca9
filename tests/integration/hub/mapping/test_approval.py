"""A second person approves what can lock users out: over HTTP, with the real server, and by the command."""

from __future__ import annotations

import re
from html import unescape
from typing import TYPE_CHECKING

import pytest
import requests

from administration.tenants.mapping.drafts import view_draft
from devtools.commands import update_sync
from sandbox.environment import TENANT_KEY
from schemas.hub.session import AuditKind
from schemas.users.attributes import APPROVABLE_ATTRIBUTES, Attribute
from tests.integration.hub.browser import DEADLINE, Browser
from tests.integration.hub.made_up_runs import text_of
from tests.integration.hub.mapping.test_mapping import EPPN, PATH, events, new_draft, number, press, send

if TYPE_CHECKING:
    from collections.abc import Iterator

    from store.store import Store
    from tests.integration.hub.browser import Hub

CHANGED = ("mail", "userPrincipalName", "otherMails")


@pytest.fixture(autouse=True)
def _needs_approval(administrator: Browser, store: Store) -> Iterator[None]:
    """Have the page say that a change of EPPN needs a second person."""
    store.tenants.change(TENANT_KEY, {"sources": {"eppn": list(EPPN)}, "needs_approval": []})
    answer = send(administrator, f"{PATH}approvals", attribute="eppn")
    assert "It is saved which attributes need a second person." in text_of(answer.text)
    yield
    store.tenants.change(TENANT_KEY, {"sources": {"eppn": list(EPPN)}, "needs_approval": []})
    for each in store.mapping_drafts.list(TENANT_KEY):
        store.mapping_drafts.remove(TENANT_KEY, each.id)


def active(store: Store) -> tuple[str, ...]:
    return store.tenants.outline(TENANT_KEY).sources[Attribute.EPPN]


def forced(browser: Browser, store: Store, draft: str, act: str) -> int:
    """Send a form that the page does not offer; return the answer's status."""
    view = view_draft(TENANT_KEY, number(draft), store=store)
    assert view is not None
    seen = view.draft.version
    fields = {"key": f"{act}-{view.draft.id}-{seen}", "seen": str(seen), "active": view.active_state}
    return browser.submit(f"{draft}{act}", browser.open(PATH), **fields).status_code


def test_who_has_drafted_does_not_approve_and_another_does(
    hub: Hub, administrator: Browser, other: Browser, store: Store
) -> None:
    """The one sees no button, and is refused; a reader neither; the other approves, and it becomes active."""
    draft = new_draft(administrator)
    page = press(administrator, draft, "eppn up userPrincipalName")
    assert "A second person has to approve this first, because it is about: EPPN." in text_of(page.text)
    assert "You, or a program of yours, worked on this draft." in text_of(page.text)
    assert "Make it the active mapping" not in page.text
    assert f"{draft}approve" not in page.text
    assert forced(administrator, store, draft, "approve") == 422
    assert forced(administrator, store, draft, "activate") == 422
    reader = hub.signed_in("Lova Läsare", "reader", TENANT_KEY)
    assert f"{draft}approve" not in reader.open(draft).text

    seen = other.open(draft)
    assert "Make it the active mapping" not in seen.text
    for _ in range(2):
        page = send(other, f"{draft}approve", seen)
    assert "by Bo Bredvid." in text_of(page.text)
    assert active(store) == EPPN

    send(administrator, f"{draft}activate", administrator.open(draft))
    assert active(store) == CHANGED
    kinds = events(store)
    assert kinds.count(AuditKind.DRAFT_APPROVED) == 1
    assert AuditKind.MAPPING_ACTIVATED in kinds
    audit = text_of(administrator.open(f"tenants/{TENANT_KEY}/audit").text)
    approved = audit.partition("Approved a draft of the mapping")[2][:200]
    assert f"Draft {number(draft)}" in approved
    assert "Attributes EPPN" in approved
    assert "Need a second person none → EPPN" in audit
    assert "Approved by Bo Bredvid." in text_of(administrator.open(PATH).text)


@pytest.mark.parametrize("what", ["draft", "active mapping"])
def test_an_approval_is_for_what_was_seen(
    administrator: Browser, other: Browser, store: Store, what: str
) -> None:
    """Once the draft or the active mapping is another, it is asked for again."""
    draft = new_draft(administrator)
    press(administrator, draft, "eppn up userPrincipalName")
    seen = other.open(draft)
    if what == "draft":
        send(other, f"{draft}approve", seen)
        press(administrator, draft, "eppn remove otherMails")
    else:
        send(other, f"{draft}approve", seen)
        store.tenants.change(TENANT_KEY, {"sources": {"city": []}})
    page = administrator.open(draft)
    assert "A second person has to approve this first" in text_of(page.text)
    assert forced(administrator, store, draft, "activate") == 422
    assert send(other, f"{draft}approve", seen).status_code in {200, 412}
    assert "A second person has to approve this first" in text_of(administrator.open(draft).text)
    assert active(store) == EPPN
    store.tenants.change(TENANT_KEY, {"sources": {"city": ["city"]}})


def test_what_needs_no_second_person_is_made_active_by_one(administrator: Browser, store: Store) -> None:
    """The city locks no user out."""
    draft = new_draft(administrator)
    page = press(administrator, draft, "city remove city")
    send(administrator, f"{draft}activate", page)
    assert store.tenants.outline(TENANT_KEY).sources[Attribute.CITY] == ()
    store.tenants.change(TENANT_KEY, {"sources": {"city": ["city"]}})


def test_neither_a_command_nor_the_history_goes_round_it(
    hub: Hub, administrator: Browser, store: Store
) -> None:
    """The command names the page; a former mapping becomes a draft."""
    told = update_sync("tenants", "set", TENANT_KEY, "--source", "eppn=mail", env=hub.env)
    assert told.returncode == 2
    assert "needs a second person's approval" in told.stderr
    assert active(store) == EPPN
    # Other sources, and the same ones, need none.
    update_sync("tenants", "set", TENANT_KEY, "--source", f"eppn={','.join(EPPN)}", env=hub.env)

    store.tenants.change(TENANT_KEY, {"sources": {"eppn": list(CHANGED)}})
    change = store.mapping_changes.list(TENANT_KEY)[0]
    page = administrator.open(PATH)
    assert "Draft the mapping before this" in text_of(page.text)
    answer = send(administrator, f"{PATH}history/{change.id}/restore", page)
    assert "/drafts/" in answer.url
    assert active(store) == CHANGED


def test_of_two_who_set_it_the_second_sees_what_the_first_has_set(
    administrator: Browser, other: Browser, store: Store
) -> None:
    """412, and nothing of the first one's is lost; what is no attribute takes nothing off."""
    old = other.open(PATH)
    send(administrator, f"{PATH}approvals", attribute="user_name")
    answer = send(other, f"{PATH}approvals", old, attribute="ssn")
    assert answer.status_code == 412
    assert store.tenants.outline(TENANT_KEY).needs_approval == {Attribute.EPPN, Attribute.USER_NAME}
    send(administrator, f"{PATH}approvals", attribute="shoe_size")
    assert store.tenants.outline(TENANT_KEY).needs_approval == {Attribute.EPPN, Attribute.USER_NAME}
    assert events(store).count(AuditKind.APPROVALS_CHANGED) >= 2


def test_the_page_keeps_every_attribute_that_the_command_takes(
    hub: Hub, administrator: Browser, store: Store
) -> None:
    """What was set by a command is ticked on the page, and saving the page as it is changes nothing."""
    names = {str(each) for each in APPROVABLE_ATTRIBUTES}
    update_sync("tenants", "set", TENANT_KEY, "--needs-approval", ",".join(names), env=hub.env)
    page = administrator.open(PATH)
    form = page.text.partition(f'action="/{PATH}approvals"')[2].partition("</form>")[0]
    ticked = re.findall(r'name="attribute" id="[^"]*" value="([^"]*)" checked', form)
    assert set(ticked) == names
    send(administrator, f"{PATH}approvals", page, attribute=ticked)
    assert store.tenants.outline(TENANT_KEY).needs_approval == set(APPROVABLE_ATTRIBUTES)


def test_taking_an_attribute_off_needs_the_second_person_too(
    hub: Hub, administrator: Browser, other: Browser, store: Store
) -> None:
    """It becomes a draft, which its maker neither approves nor activates; an operator does it alone."""
    answer = send(administrator, f"{PATH}approvals")
    draft = answer.url.removeprefix(administrator.address)
    assert "/drafts/" in draft
    assert "A change of these will need no second person any more: EPPN." in text_of(answer.text)
    assert forced(administrator, store, draft, "approve") == 422
    assert forced(administrator, store, draft, "activate") == 422
    assert store.tenants.outline(TENANT_KEY).needs_approval == {Attribute.EPPN}
    page = send(other, f"{draft}approve", other.open(draft))
    assert "by Bo Bredvid." in text_of(page.text)
    send(administrator, f"{draft}activate", administrator.open(draft))
    assert store.tenants.outline(TENANT_KEY).needs_approval == frozenset()
    assert active(store) == EPPN

    send(administrator, f"{PATH}approvals", attribute="eppn")
    operator = hub.signed_in("Olle Operatör", "operator")
    send(operator, f"{PATH}approvals")
    assert store.tenants.outline(TENANT_KEY).needs_approval == frozenset()


def test_a_program_sets_no_approvals_and_drafts_for_who_made_it(
    hub: Hub, administrator: Browser, other: Browser, store: Store
) -> None:
    """There is no such request; the maker of the token does not approve its draft, and another does."""
    page = administrator.submit(
        f"tenants/{TENANT_KEY}/tokens/",
        administrator.open(f"tenants/{TENANT_KEY}/tokens/"),
        label="skript",
        may_act="yes",
    )
    secret = page.text.partition('class="hub-secret">')[2].partition("<")[0]
    api = f"{hub.address}api/v1/syncs/{TENANT_KEY}/mapping"

    def post(path: str, **body: object) -> requests.Response:
        headers = {"Authorization": f"Bearer {secret}", "Idempotency-Key": f"k{path.replace('/', '-')}"}
        return requests.post(f"{api}{path}", json=body, headers=headers, timeout=DEADLINE)

    assert post("/approvals", needs_approval=[]).status_code in {404, 405}
    assert store.tenants.outline(TENANT_KEY).needs_approval == {Attribute.EPPN}
    made = post("/drafts", sources={"eppn": list(CHANGED)})
    assert made.status_code == 201, made.text
    draft = f"{PATH}drafts/{made.json()['draft']}/"
    assert "by the program skript of Ada Avbildning." in text_of(administrator.open(draft).text)
    assert forced(administrator, store, draft, "approve") == 422
    assert post(f"/drafts/{made.json()['draft']}/activate").status_code == 409
    send(other, f"{draft}approve", other.open(draft))
    assert forced(administrator, store, draft, "activate") == 200
    assert active(store) == CHANGED


def test_whom_the_author_has_just_invited_is_no_second_person(
    hub: Hub, administrator: Browser, store: Store
) -> None:
    """The page says why, and the request is refused."""
    draft = new_draft(administrator)
    press(administrator, draft, "eppn up userPrincipalName")
    page = administrator.submit(
        "members/", administrator.open("members/"), name="Ny Nyss", role="administrator", tenant=TENANT_KEY
    )
    link = page.text.partition('class="hub-secret">')[2].partition("<")[0]
    guest = Browser(hub.address)
    guest.sign_in(unescape(link))
    text = guest.open(draft).text
    assert "has given you access, or changed it, within the last 24 hours" in text_of(text)
    assert f"{draft}approve" not in text
    assert forced(guest, store, draft, "approve") == 422
    assert active(store) == EPPN


def test_the_command_says_what_it_takes_off(hub: Hub) -> None:
    """On standard error, with the attribute's name."""
    told = update_sync("tenants", "set", TENANT_KEY, "--needs-approval", "", env=hub.env)
    assert told.returncode == 0, told.stderr
    assert "Warning: a change of the sources of EPPN will need no second person's approval" in told.stderr


def test_who_approves_reads_that_it_was_not_tried(administrator: Browser, other: Browser) -> None:
    """At the button."""
    draft = new_draft(administrator)
    press(administrator, draft, "eppn up userPrincipalName")
    form = other.open(draft).text.partition(f'action="/{draft}approve"')[2].partition("</form>")[0]
    assert "It has not been tried on all users as it is now." in form


def test_the_settings_say_what_needs_a_second_person_and_exact_limits(
    administrator: Browser, store: Store
) -> None:
    """0.1 % is not shown as 0 %."""
    store.tenants.change(TENANT_KEY, {"guard": {"failed": {"count": 10, "share": 0.001}}})
    text = text_of(administrator.open(f"tenants/{TENANT_KEY}/settings/").text)
    assert "A change of the sources of these needs a second person: EPPN" in text
    assert "more than 0.1% of all" in text
