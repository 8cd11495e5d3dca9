"""A second person approves what can lock users out: over HTTP, with the real server, and by the command."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from devtools.commands import update_sync
from sandbox.environment import TENANT_KEY
from schemas.hub.session import AuditKind
from schemas.users.attributes import APPROVABLE_ATTRIBUTES, Attribute
from tests.integration.hub.made_up_runs import text_of
from tests.integration.hub.mapping.test_mapping import EPPN, PATH, events, new_draft, number, press, send

if TYPE_CHECKING:
    from collections.abc import Iterator

    from store.store import Store
    from tests.integration.hub.browser import Browser, Hub

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
    found = store.mapping_drafts.get(TENANT_KEY, number(draft))
    assert found is not None
    page = browser.open(PATH)
    state = page.text.partition('name="active" value="')[2].partition('"')[0]
    fields = {"key": f"{act}-{found.id}-{found.version}", "seen": str(found.version), "active": state}
    return browser.submit(f"{draft}{act}", page, **fields).status_code


def test_who_has_drafted_does_not_approve_and_another_does(
    hub: Hub, administrator: Browser, other: Browser, store: Store
) -> None:
    """The one sees no button, and is refused; a reader neither; the other approves, and it becomes active."""
    draft = new_draft(administrator)
    page = press(administrator, draft, "eppn up userPrincipalName")
    assert "A second person has to approve this first, because it changes: EPPN." in text_of(page.text)
    assert "You have worked on this draft." in text_of(page.text)
    assert "Make it the active mapping" not in page.text
    assert f"{draft}approve" not in page.text
    assert forced(administrator, store, draft, "approve") in {412, 422}
    assert forced(administrator, store, draft, "activate") in {412, 422}
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
    assert "Approved a draft of the mapping" in administrator.open(f"tenants/{TENANT_KEY}/audit").text


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
    assert forced(administrator, store, draft, "activate") in {412, 422}
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
    """412, and nothing of the first one's is lost; what is no attribute sets nothing."""
    old = other.open(PATH)
    send(administrator, f"{PATH}approvals", attribute="user_name")
    answer = send(other, f"{PATH}approvals", old, attribute="ssn")
    assert answer.status_code == 412
    assert store.tenants.outline(TENANT_KEY).needs_approval == {Attribute.USER_NAME}
    send(administrator, f"{PATH}approvals", attribute="shoe_size")
    assert store.tenants.outline(TENANT_KEY).needs_approval == frozenset()
    assert events(store).count(AuditKind.APPROVALS_CHANGED) >= 3


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
