"""Members in the Data Hub: invited, changed, signed out and removed by those who may."""

from __future__ import annotations

from html import unescape
from typing import TYPE_CHECKING

import pytest

from schemas.hub.member import Role
from schemas.hub.session import AuditKind
from tests.integration.hub.browser import DEADLINE, Browser

#: Of a made-up account in Entra.
DIRECTORY = "00000000-0000-0000-0000-00000000d1ec"

if TYPE_CHECKING:
    import requests

    from schemas.hub.member import Member
    from store.store import Store
    from tests.integration.hub.browser import Hub


def named(store: Store, name: str) -> Member | None:
    return next((each for each in store.hub_members.list() if each.name == name), None)


def number(store: Store, name: str) -> int:
    member = named(store, name)
    assert member is not None
    return member.id


def link_on(page: requests.Response) -> str:
    return unescape(page.text.partition('<code class="hub-secret">')[2].partition("</code>")[0])


def post(browser: Browser, path: str, **fields: str | list[str]) -> requests.Response:
    """Send a form, with the token of a page of the browser's."""
    page = browser.open("permissions")
    token = page.text.partition('name="csrf_token" value="')[2].partition('"')[0]
    data = {"csrf_token": token, **fields}
    return browser.post(browser.address + path, data=data, timeout=DEADLINE)


def test_an_administrator_invites_a_reader_who_signs_in(hub: Hub, store: Store) -> None:
    """The link is shown once, signs the new member in, and the audit says who invited whom."""
    administrator = hub.signed_in("Inga Bjuder", "administrator", "exempel")

    page = post(administrator, "members/", name="Nils Bjuden", role="reader", tenant="exempel")

    assert page.status_code == 200
    browser = Browser(hub.address)
    assert "exempel" in browser.sign_in(link_on(page)).text
    member = named(store, "Nils Bjuden")
    assert member is not None
    assert (member.role, member.tenants) == (Role.READER, ("exempel",))
    assert "hub-secret" not in administrator.open("members/").text
    invited = [entry for entry in store.hub_audit.page(None).entries if entry.member == member.id]
    assert [(entry.kind, entry.by) for entry in invited] == [
        (AuditKind.SIGNED_IN, None),
        (AuditKind.INVITED, number(store, "Inga Bjuder")),
    ]
    assert "Inga Bjuder" in administrator.open("tenants/exempel/audit").text


def test_nobody_gives_what_is_not_theirs(hub: Hub, store: Store) -> None:
    """An administrator makes no operator, and gives no organisation of others."""
    administrator = hub.signed_in("Eva Egen", "administrator", "exempel")
    for name, role, tenants in (
        ("Falsk Ett", "operator", []),
        ("Falsk Två", "reader", ["annan"]),
        ("Falsk Tre", "administrator", ["exempel", "annan"]),
        ("Falsk Fyra", "king", ["exempel"]),
    ):
        assert post(administrator, "members/", name=name, role=role, tenant=tenants).status_code == 400
        assert named(store, name) is None
    page = administrator.open("members/").text
    assert 'value="operator"' not in page
    assert "annan" not in page


@pytest.mark.parametrize(
    ("other", "role", "tenants"),
    [
        ("Olle Operatör", "operator", ()),
        ("Bodil Bägge", "reader", ("exempel", "annan")),
        ("Anders Annan", "administrator", ("annan",)),
    ],
)
def test_an_administrator_leaves_other_peoples_members_alone(
    hub: Hub, store: Store, other: str, role: str, tenants: tuple[str, ...]
) -> None:
    """What is changed of a member counts for all of the member's organisations."""
    administrator = hub.signed_in("Lena Låter", "administrator", "exempel")
    hub.invite(other, role, *tenants)
    member = number(store, other)
    for path in ("", "/link", "/end-sessions", "/remove"):
        answer = post(
            administrator, f"members/{member}{path}", role="reader", tenant="exempel", sure="yes", seen=""
        )
        assert answer.status_code == 404
    assert administrator.open(f"members/{member}").status_code == 404
    assert other not in administrator.open("members/").text
    assert named(store, other) is not None


def test_a_member_is_not_taken_over_by_inviting_the_name(hub: Hub, store: Store) -> None:
    """A name that is there is refused, in whatever case: the command would give it another role."""
    administrator = hub.signed_in("Tage Tar", "administrator", "exempel")
    hub.invite("Åsa Annan", "administrator", "annan")

    page = post(administrator, "members/", name="ÅSA ANNAN", role="reader", tenant="exempel")

    assert page.status_code == 422
    assert "already a member of that name" in page.text
    member = named(store, "Åsa Annan")
    assert member is not None
    assert member.tenants == ("annan",)


def test_a_new_role_counts_at_once(hub: Hub, store: Store) -> None:
    """Who was signed in with more rights is signed out."""
    operator = hub.signed_in("Oda Ordnar", "operator")
    other = hub.signed_in("Vera Växlar", "administrator", "exempel")
    member = number(store, "Vera Växlar")
    page = operator.open(f"members/{member}")

    answer = operator.submit(f"members/{member}", page, role="reader", tenant="exempel")

    assert answer.status_code == 200
    assert "sign-in" in other.open("tenants/exempel/runs/").url
    changed = store.hub_members.get(member)
    assert changed.role is Role.READER


def test_two_people_who_change_one_member_lose_nothing(hub: Hub, store: Store) -> None:
    """The second one is told, sees what the first has saved, and can save again."""
    first, second = hub.signed_in("Första Hand", "operator"), hub.signed_in("Andra Hand", "operator")
    hub.invite("Karl Knuff", "reader", "exempel")
    member = number(store, "Karl Knuff")
    page = second.open(f"members/{member}")
    first.submit(f"members/{member}", role="administrator", tenant="annan", seen="reader exempel")

    answer = second.submit(f"members/{member}", page, role="reader", tenant="exempel")

    assert answer.status_code == 412
    assert "Another person has changed this member" in answer.text
    assert store.hub_members.get(member).tenants == ("annan",)
    assert second.submit(f"members/{member}", answer, role="reader", tenant="exempel").status_code == 200
    assert store.hub_members.get(member).tenants == ("exempel",)


def test_a_lost_computer_is_signed_out(hub: Hub, store: Store) -> None:
    """Its sessions end, and so does a link that was not used."""
    operator = hub.signed_in("Ola Ordning", "operator")
    lost = hub.signed_in("Bo Borta", "reader", "exempel")
    waiting = hub.invite("Bo Borta", "reader", "exempel")
    lost.sign_in(waiting)
    unused = hub.invite("Bo Borta", "reader", "exempel")

    post(operator, f"members/{number(store, 'Bo Borta')}/end-sessions")

    assert "sign-in" in lost.open("tenants/exempel/runs/").url
    assert Browser(hub.address).sign_in(unused).status_code == 403


def test_a_member_is_removed_once_the_box_is_ticked(hub: Hub, store: Store) -> None:
    """Without the tick nothing happens; with it the member is gone, and the audit keeps it."""
    operator = hub.signed_in("Ove Ordnar", "operator")
    other = hub.signed_in("Rut Bort", "reader", "exempel")
    member = number(store, "Rut Bort")

    assert post(operator, f"members/{member}/remove").status_code == 422
    assert "Rut Bort" in operator.open("members/").text

    assert post(operator, f"members/{member}/remove", sure="yes").status_code == 200
    assert named(store, "Rut Bort") is None
    assert "sign-in" in other.open("tenants/exempel/runs/").url


def test_no_one_changes_oneself(hub: Hub, store: Store) -> None:
    """An operator cannot lock oneself out: another one has to do it."""
    operator = hub.signed_in("Sanna Själv", "operator")
    assert operator.open(f"members/{number(store, 'Sanna Själv')}").status_code == 404
    assert "Sanna Själv" not in operator.open("members/").text.partition("<footer")[0]


def test_a_name_and_an_organisation_are_asked_for(hub: Hub) -> None:
    """What is missing is said on the form, which keeps what was written."""
    administrator = hub.signed_in("Frida Fyller", "administrator", "exempel", language="sv")
    page = post(administrator, "members/", name="Nya Namnet", role="reader")
    assert page.status_code == 422
    assert "Nya Namnet" in page.text
    assert "Välj minst en organisation" in page.text
    assert post(administrator, "members/", name=" ", role="reader", tenant="exempel").status_code == 422


def test_a_new_link_ends_the_sessions_of_before(hub: Hub, store: Store) -> None:
    """Who makes a link could use it: the member notices, and the audit says who made it."""
    administrator = hub.signed_in("Lisa Länk", "administrator", "exempel")
    other = hub.signed_in("Moa Märker", "reader", "exempel")
    member = number(store, "Moa Märker")

    page = post(administrator, f"members/{member}/link")

    assert "sign-in" in other.open("tenants/exempel/runs/").url
    assert Browser(hub.address).sign_in(link_on(page)).status_code == 200
    made = [entry for entry in store.hub_audit.page(None).entries if entry.kind is AuditKind.LINK_MADE]
    assert [(entry.member, entry.by) for entry in made] == [(member, number(store, "Lisa Länk"))]


def test_a_link_does_not_go_past_entra(hub: Hub, store: Store) -> None:
    """Entra decides the role of who signs in there: such a member gets no link."""
    operator = hub.signed_in("Olof Ordnar", "operator")
    hub.invite("Enar Entra", "reader", "exempel")
    member = number(store, "Enar Entra")
    store.hub_members.set_account(member, DIRECTORY, DIRECTORY)

    answer = post(operator, f"members/{member}/link")

    assert answer.status_code == 422
    assert "hub-secret" not in answer.text
    assert "/link" not in operator.open(f"members/{member}").text


def test_what_was_done_is_said_afterwards(hub: Hub, store: Store) -> None:
    """Also after a double click on what is done already; what changes nothing signs nobody out."""
    operator = hub.signed_in("Ora Säger", "operator", language="sv")
    other = hub.signed_in("Tor Tas", "reader", "exempel")
    member = number(store, "Tor Tas")

    same = post(operator, f"members/{member}", role="reader", tenant="exempel", seen="reader exempel")
    assert "Sparat" in same.text
    assert "sign-in" not in other.open("tenants/exempel/runs/").url
    assert "utloggad överallt" in post(operator, f"members/{member}/end-sessions").text
    for _ in range(2):
        assert "Medlemmen är borttagen" in post(operator, f"members/{member}/remove", sure="yes").text


def test_a_link_says_for_whom_it_is(hub: Hub) -> None:
    """The invited one reads the own name; who is signed in as another member is warned, and stays so."""
    operator = hub.signed_in("Ola Öppnar", "operator")
    link = hub.invite("Britt Bjuden", "reader", "exempel")

    invited = Browser(hub.address).get(link, timeout=DEADLINE)
    other = operator.get(link, timeout=DEADLINE)

    assert "You have been invited as Britt Bjuden." in invited.text
    assert "You are signed in as" not in invited.text
    assert "You are signed in as Ola Öppnar. This link signs you in as another member" in other.text
    assert "members" in operator.open("members/").url
