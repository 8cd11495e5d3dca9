"""The start page of an operator who has many tenants: page by page, and found by name."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from hub.pages.syncs import PAGE_SIZE
from hub.recent_order import KEPT, RecentOrder
from schemas.outcomes import Cause
from schemas.reports.remedy import Owner
from schemas.tenants.tenant import load_tenant
from schemas.tenants.tenant_status import Problem, ProblemKind, TenantStatus, UserTotals
from tests.integration.cli.command_line import tenant_object
from tests.integration.hub.made_up_runs import FAILED, USERS, finish, start, text_of

if TYPE_CHECKING:
    from store.store import Store
    from tests.integration.hub.browser import Hub

NUMBER = PAGE_SIZE + 5


def key_of(number: int) -> str:
    return f"kommun-{number:02}"


@pytest.fixture(scope="module")
def many(hub: Hub, store: Store) -> Hub:
    """Add more tenants than a page shows; all were synced, and the last one has a user that fails."""
    for number in range(NUMBER):
        key = key_of(number)
        settings = tenant_object(name=f"Kommun {number:02}", organisation=key)
        store.tenants.add(load_tenant(key, settings)[0], "made-up")
        finish(store, start(store, key, key), {USERS[0]: FAILED} if number == NUMBER - 1 else {})
    return hub


def test_many_tenants_are_shown_page_by_page(many: Hub) -> None:
    """Those that need attention come first, on whichever page their names would be; none is left out."""
    browser = many.signed_in("Olle Operatör", "operator")
    first = text_of(browser.open("").text)
    second = text_of(browser.open("?page=2").text)

    # The two tenants of the other tests were never synced.
    assert "3 organisations need attention." in first
    assert f"1 to {PAGE_SIZE} of {NUMBER + 2} organisations" in first
    assert first.index(f"Kommun {NUMBER - 1}") < first.index("Kommun 00")
    assert "Page 1 of 2" in first
    assert "Previous page" not in first
    assert f"{PAGE_SIZE + 1} to {NUMBER + 2} of {NUMBER + 2} organisations" in second
    assert "Next page" not in second
    for number in range(NUMBER):
        assert (f"Kommun {number:02} " in first) != (f"Kommun {number:02} " in second)


def test_a_tenant_is_found_by_its_name(many: Hub) -> None:
    """In any case, by a part of the name; what is not there is said, and markup is text."""
    browser = many.signed_in("Sökande Operatör", "operator")
    found = text_of(browser.open("?name=kOMMUN+07").text)
    assert "Kommun 07" in found
    assert "Kommun 08" not in found
    nothing = browser.open("?name=%3Cb%3Efinns+ej").text
    assert "No organisation has that in its name." in nothing
    assert "<b>finns" not in nothing


@pytest.mark.parametrize("number", ["0", "3", "-1", "x", "²", "1" * 400, "", "1.5"])
def test_a_page_that_is_not_there_is_not_found(many: Hub, number: str) -> None:
    """Whatever stands for its number."""
    browser = many.signed_in("Fel Sida", "operator")
    assert browser.open("", params={"page": number}).status_code == 404


def test_what_a_page_shows_is_of_this_moment(many: Hub, store: Store) -> None:
    """The order may be older; a tenant that is new, or removed, is so at once."""
    browser = many.signed_in("Nu Operatör", "operator")
    assert "Halted" not in text_of(browser.open("?name=kommun-03").text)
    store.runs.halt(start(store, key_of(3), "again"), Cause.SKOLON_CREDENTIALS, "HTTP 401")
    assert "Halted" in text_of(browser.open("?name=kommun-03").text)
    settings = tenant_object(name="Kommun ny", organisation="kommun-ny")
    store.tenants.add(load_tenant("kommun-ny", settings)[0], "made-up")
    assert "Kommun ny" in text_of(browser.open("?name=kommun+ny").text)
    store.tenants.remove("kommun-ny")
    assert "No organisation has that" in text_of(browser.open("?name=kommun+ny").text)


def test_a_member_sees_own_tenants_among_many(many: Hub) -> None:
    """A member of more tenants than a page shows sees these, and no other one."""
    keys = [key_of(number) for number in range(PAGE_SIZE + 1)]
    browser = many.signed_in("Ada Många", "administrator", *keys)
    pages = text_of(browser.open("").text) + text_of(browser.open("?page=2").text)
    assert all(f"Kommun {number:02} " in pages for number in range(PAGE_SIZE + 1))
    assert f"Kommun {PAGE_SIZE + 1}" not in pages
    assert browser.open(f"?name={key_of(PAGE_SIZE + 1)}").text.count("hub-card-head") == 0


def test_the_order_is_found_out_seldom() -> None:
    """Once in a while, and at once when there are other tenants."""
    now = [0.0]
    order = RecentOrder(clock=lambda: now[0])
    asked = []

    def statuses() -> list[TenantStatus]:
        asked.append(now[0])
        problem = Problem(kind=ProblemKind.USERS_FAILED, owner=Owner.ENTRA)
        return [status("a"), status("b", problem)]

    for moment in (0.0, KEPT - 1, KEPT):
        now[0] = moment
        assert [each.tenant for each in order.find(["a", "b"], statuses)] == ["b", "a"]
    assert asked == [0.0, KEPT]
    order.find(["a", "b", "c"], statuses)
    assert asked == [0.0, KEPT, KEPT]


def status(tenant: str, *problems: Problem) -> TenantStatus:
    return TenantStatus(
        tenant=tenant,
        name=tenant.upper(),
        enabled=True,
        last_run=None,
        open_run=None,
        users=UserTotals(failed={}),
        scope_change=None,
        next_due=None,
        client_secret_expires=None,
        problems=problems,
    )
