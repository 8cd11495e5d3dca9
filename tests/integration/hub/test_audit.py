"""What members read about their permissions, and the audit of their tenant."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import delete

from devtools.commands import update_sync
from schemas.hub.session import AuditKind
from schemas.tenants.match_decision import DecisionKind
from store import tables
from tests.integration.hub.browser import Browser
from tests.integration.hub.conftest import SUPPORT

if TYPE_CHECKING:
    import requests

    from store.store import Store
    from tests.integration.hub.browser import Hub


def main_text(page: requests.Response) -> str:
    """Return what a page says between its header and its footer."""
    body = page.text.partition("<main")[2].partition("</main>")[0]
    return " ".join(re.sub("<[^>]*>", " ", body).split())


@pytest.mark.parametrize(
    ("role", "tenants", "yes", "says"),
    [
        ("reader", ("exempel",), 3, "You are a reader."),
        ("administrator", ("exempel",), None, "Only Skolon's operators may do that."),
        ("operator", (), None, "You see all organisations."),
    ],
)
def test_members_read_what_they_may_do_and_why_not_more(
    hub: Hub, role: str, tenants: tuple[str, ...], yes: int | None, says: str
) -> None:
    """Each thing has a yes, or a no with whom to ask; the own organisations are named."""
    page = main_text(hub.signed_in(f"Behörig {role}", role, *tenants).open("permissions"))
    assert says in page or "Make and end tokens" not in page
    if yes is not None:
        assert page.count(" Yes ") == yes
    assert ("Exempelkommun" in page) is bool(tenants)
    assert (page.count(" No ") == 0) is (role == "operator")


def test_a_tenants_people_read_its_audit_and_its_decisions(hub: Hub, store: Store) -> None:
    """Who was invited, signed in and was shown values of whom; nothing of another tenant."""
    user = "6a1c0c3e-0000-4000-8000-00000000aaaa"
    other = hub.signed_in("Annan Person", "reader", "annan")
    reader = hub.signed_in("Lars Logg", "reader", "exempel")
    store.hub_audit.record(
        AuditKind.VALUES_REVEALED, member=store.hub_members.list()[-1].id, tenant="exempel", user=user
    )
    store.match_decisions.add("exempel", DecisionKind.IGNORE, skolon_id="skolon-77", operator="anna")

    page = main_text(reader.open("tenants/exempel/audit"))

    assert "Was shown a user's values When" in page
    assert "Member Lars Logg" in page
    assert user in page
    assert "This user is left alone" in page
    assert "skolon-77" in page
    assert "Annan Person" not in page
    assert user not in main_text(other.open("tenants/annan/audit"))
    assert "Annan Person" in main_text(hub.signed_in("Ove Operatör", "operator").open("audit"))


def test_the_audit_leads_to_older_events(hub: Hub, store: Store) -> None:
    """Fifty events stand on a page; a made-up cursor is no page of ours."""
    with store.database.transaction() as connection:
        connection.execute(delete(tables.hub_audit))
    for _ in range(60):
        store.hub_audit.record(AuditKind.VALUES_REVEALED, tenant="exempel")
    reader = hub.signed_in("Äldre Läsare", "reader", "exempel")

    first = reader.open("tenants/exempel/audit")
    older = re.search(r'rel="next" href="([^"]*)"', first.text)
    assert older is not None
    second = reader.open(older[1])

    found = [main_text(page).count("values When") for page in (first, second)]
    assert (found, "Older events" in second.text) == ([48, 12], False)
    assert "There is nothing older." in reader.open("tenants/exempel/audit?before=1").text
    for wrong in ("x", "-1", "99999999999999999999", "٣"):
        assert reader.open(f"tenants/exempel/audit?before={wrong}").status_code == 404


def test_a_stranger_can_report_what_is_not_accessible(hub: Hub) -> None:
    """The statement needs no sign-in, and each page leads to it."""
    browser = Browser(hub.address, "sv")
    assert "Tillgänglighet</a>" in browser.open("sign-in").text
    statement = browser.open("accessibility").text
    assert "Rapportera ett problem" in statement
    # The server of these tests has the setting; `test_pages` has what is said without it.
    assert f'href="{SUPPORT}"' in statement


def test_the_audit_tells_what_a_member_was_and_who_invited_by_a_command(hub: Hub, store: Store) -> None:
    """The old and the new role and organisations; those that the reader does not see are only counted."""
    hub.invite("Vera Växlar", "reader", "exempel")
    member = store.hub_members.list()[-1].id
    operator = hub.signed_in("Oda Ordnar", "operator")
    page = operator.open(f"members/{member}")
    fields: dict[str, str | list[str]] = {"role": "administrator", "tenant": ["exempel", "annan"]}
    assert operator.submit(f"members/{member}", page, **fields).status_code == 200

    of_all = main_text(operator.open("audit"))
    own = main_text(hub.signed_in("Lars Läser", "reader", "exempel").open("tenants/exempel/audit"))

    changed = "Vera Växlar By Oda Ordnar Role Reader → Organisation administrator Organisations exempel → "
    assert f"{changed}annan, exempel" in of_all
    assert f"{changed}exempel, 1 other" in own
    by_command = "By Skolon&#39;s operators, by a command Role"
    assert f"Member Vera Växlar {by_command} Reader Organisations exempel" in own
    assert f"Member Oda Ordnar {by_command} Operator Organisations all" in of_all


def test_the_audit_names_members_who_were_removed(hub: Hub, store: Store) -> None:
    """Whose name the audit had keeps it, also where somebody else has the same one now."""
    leaver = hub.signed_in("Rut Bort", "administrator", "exempel")
    hub.invite("Nils Ny", "reader", "exempel")
    member, invited = (each.id for each in store.hub_members.list()[-2:])
    page = leaver.open(f"members/{invited}")
    leaver.submit(f"members/{invited}", page, role="administrator", tenant="exempel")
    update_sync("hub", "remove", str(member), "--yes", env=hub.env)

    text = main_text(hub.signed_in("Lasse Läser", "reader", "exempel").open("tenants/exempel/audit"))

    assert "Was removed" in text
    assert "Member Nils Ny By Rut Bort Role Reader → Organisation administrator" in text
    assert f"member {member}" not in text
