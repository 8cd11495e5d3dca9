"""The page of a user: looked up in Entra and Skolon, at stand-ins of both, over HTTP with the real server."""

from __future__ import annotations

import re
from html import unescape
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import select

from sandbox.environment import TENANT_KEY, Environment
from sandbox.microsoft.faults import Effect
from sandbox.microsoft.faults import Fault as GraphFault
from sandbox.microsoft.http_messages import Kind
from schemas.dead_letter_reasons import Reason
from schemas.hub.session import AuditKind
from schemas.messages.messages import SyncRequest
from schemas.outcomes import Outcome, Stage
from schemas.runs.sync_result import Failure, SyncResult
from store import tables
from tests.integration.cli.tenants.test_preview import user_with, values_of
from tests.integration.hub.made_up_runs import text_of

if TYPE_CHECKING:
    import requests

    from sandbox.municipality.municipality import MadeUpUser
    from store.store import Store
    from tests.integration.hub.browser import Browser, Hub

PATH = f"tenants/{TENANT_KEY}/users/"
FAILED = Failure(reason=Reason.REJECTED_BY_SKOLON, stage=Stage.UPDATE, detail="email: refused")


def look_up(browser: Browser, who: str) -> requests.Response:
    return browser.submit(PATH, who=who)


def entra_id(person: MadeUpUser) -> str:
    return str(person.entra["id"])


def record(store: Store, person: MadeUpUser, result: SyncResult | Failure, event: str) -> None:
    run, user = store.triggers.open(SyncRequest(tenant=TENANT_KEY), event).run.id, entra_id(person)
    store.receipts.create_pending(run, [user])
    store.runs.finish_reading(run)
    if isinstance(result, Failure):
        store.receipts.mark_dead_lettered(run, user, result, 1)
    else:
        store.receipts.finish(run, user, result)
    store.runs.complete_if_done(run)


@pytest.mark.parametrize("name", ["id", "userPrincipalName", "mail", "displayName"])
def test_a_user_is_found_by_what_people_know(stand_ins: Environment, browser: Browser, name: str) -> None:
    """P6: one screen says what differs and what to do; no value is shown, and none is in an address."""
    person = user_with(stand_ins, "updated")
    before = stand_ins.skolon_users()

    page = look_up(browser, str(person.entra[name]).upper())

    assert page.status_code == 200, text_of(page.text)
    assert page.url.endswith(PATH + entra_id(person))
    text = text_of(page.text)
    assert "Differs from Entra" in text
    assert "The next run that reads this user will change" in text
    assert re.search("Will be (changed|filled in|emptied)", text)
    assert "This decided" in text
    assert not any(value in unescape(page.text) for value in values_of(person))
    assert stand_ins.skolon_users() == before


def test_each_attribute_stands_beside_its_rule_and_skolons_value(
    stand_ins: Environment, browser: Browser
) -> None:
    """All fourteen attributes have a row; those that agree say so."""
    person = user_with(stand_ins, "unchanged")
    page = look_up(browser, entra_id(person))
    assert "Nothing needs to be done." in text_of(page.text)
    rows = re.findall(r'<th scope="row">([^<]+)</th>\s*<td ', page.text)
    assert len(rows) == 14
    assert {"External Id", "EPPN", "SSN", "Birth date"} <= set(rows)
    assert "userPrincipalName" in page.text


def test_values_are_shown_on_demand_and_that_is_recorded(
    stand_ins: Environment, browser: Browser, store: Store
) -> None:
    """P6: who looked at which user's values, and when; and neither value nor name in the log or the audit."""
    person = user_with(stand_ins, "updated")
    page = look_up(browser, entra_id(person))

    shown = browser.submit(PATH + entra_id(person), page)

    assert person.entra["surname"] in unescape(shown.text)
    assert "You see personal values" in shown.text
    audit = tables.hub_audit
    with store.database.transaction() as connection:
        rows = connection.execute(select(audit).where(audit.c.kind == AuditKind.VALUES_REVEALED)).all()
    (member,) = [each.id for each in store.hub_members.list() if each.name == "Rektor Ros"]
    assert (rows[-1].member_id, rows[-1].tenant, rows[-1].entra_id) == (member, TENANT_KEY, entra_id(person))
    assert person.entra["surname"] not in str(rows)


def test_what_stands_in_a_value_is_shown_as_text(stand_ins: Environment, browser: Browser) -> None:
    """Markup, terminal escapes and signs that turn the writing come from Entra, and work nowhere."""
    person = user_with(stand_ins, "unchanged")
    ours = next(iter(stand_ins.microsoft.directories.values()))
    there = {name: person.entra[name] for name in ("displayName", "surname", "city")}
    odd = {
        "displayName": "<script>alert(1)</script>",
        "surname": "<b onclick=alert(1)>Ek</b>",
        "city": "Ort\u202e\u001b[31mx",
    }
    ours.change(entra_id(person), odd)
    try:
        shown = browser.submit(PATH + entra_id(person), browser.open(PATH + entra_id(person)))
        choice = look_up(browser, odd["displayName"])
    finally:
        ours.change(entra_id(person), there)

    assert "<b onclick" not in shown.text
    assert odd["surname"] in unescape(shown.text)
    assert choice.url.endswith(entra_id(person))
    for page in (shown, choice):
        assert "<script>alert" not in page.text
        assert not set(page.text) & {"\u202e", "\u001b"}


def test_of_several_users_one_is_chosen(stand_ins: Environment, browser: Browser) -> None:
    """By a surname that several have: ids at first, and names once they are asked for."""
    surnames = [each.entra.get("surname") for each in stand_ins.municipality]
    surname = next(each for each in surnames if each and 2 <= surnames.count(each) <= 9)
    wanted = [each for each in stand_ins.municipality if each.entra.get("surname") == surname]

    page = look_up(browser, surname)

    assert "Which user?" in page.text
    assert all(entra_id(each) in page.text for each in wanted)
    assert surname not in text_of(page.text)
    named = browser.post(
        browser.address + PATH + "names",
        data={
            "csrf_token": re.findall(r'name="csrf_token" value="([^"]+)"', page.text)[0],
            "user": [entra_id(each) for each in wanted],
        },
        timeout=60,
    )
    assert all(
        (each.entra["displayName"] in unescape(named.text)) is (each.outcome != "out_of_scope")
        for each in wanted
    )


def test_names_are_told_of_users_of_the_scope_alone(
    stand_ins: Environment, browser: Browser, store: Store
) -> None:
    """Who is left out may be protected, and an id that nobody has is no user; neither look is recorded."""
    left_out = user_with(stand_ins, "out_of_scope", None)
    token = re.findall(r'name="csrf_token" value="([^"]+)"', browser.get(browser.address + PATH).text)[0]

    def named(*users: str) -> requests.Response:
        form = {"csrf_token": token, "user": users}
        return browser.post(browser.address + PATH + "names", data=form, timeout=60)

    nobody = "00000000-0000-4000-8000-00000000dead"
    for user in (entra_id(left_out), nobody):
        answer = named(user)
        assert answer.status_code == 404
        assert left_out.entra["displayName"] not in unescape(answer.text)
    with store.database.transaction() as connection:
        recorded = set(connection.scalars(select(tables.hub_audit.c.entra_id)))
    assert not recorded & {entra_id(left_out), nobody}


@pytest.mark.parametrize(
    ("case", "says"),
    [
        ("not_found", "If this person should be in Skolon, add them there"),
        ("out_of_scope", "Left out of the sync"),
        ("invalid_user", "Who must act: the administrator of Entra"),
        ("ambiguous_match", "who may be this user. Nothing is written to it."),
        ("suspicious_match", "Perhaps not: nothing is written."),
    ],
)
def test_whose_turn_it_is(stand_ins: Environment, browser: Browser, case: str, says: str) -> None:
    """Each outcome says what to do, and a failed match shows the Skolon users beside the user."""
    outcome = case if case in ("not_found", "out_of_scope") else "dead_lettered"
    person = user_with(stand_ins, outcome, None if case == outcome else case)
    assert says in text_of(look_up(browser, entra_id(person)).text)


@pytest.mark.parametrize(
    ("case", "owner"),
    [("invalid_user", "the administrator of Entra"), ("value_taken", "the administrator of Entra")],
)
def test_what_decided_is_the_last_step(
    stand_ins: Environment, browser: Browser, case: str, owner: str
) -> None:
    """It says which attribute cannot be written and why; its numbers are those of the table."""
    person = next(
        each
        for each in stand_ins.municipality
        if each.reason == case and each.unwritten and each.outcome == "dead_lettered"
    )
    page = look_up(browser, entra_id(person))
    text = text_of(page.text)

    assert text.count("This decided") == 1
    assert "Cannot be written This decided" in text
    assert f"Who must act: {owner}." in text
    differing = text.count("Will be ") + text.count("Differs, and is not written")
    assert re.search(rf"Compared {differing} values? differs?\.", text)
    assert re.search(r"\d+ of them (is|are) not written\.|None of that is written\.", text)
    blank = sum("blank" in cell for cell in re.findall(r"</th>\s*<td [^>]*>(.*?)</td>", page.text, re.DOTALL))
    assert f"{14 - blank} of 14 attributes have a value." in text


def test_who_has_the_same_value_is_said(stand_ins: Environment, browser: Browser) -> None:
    """A taken value names the other user in Entra, and the property that both have it from."""
    person = user_with(stand_ins, "dead_lettered", "value_taken")
    text = unescape(text_of(look_up(browser, entra_id(person)).text))
    found = re.search(
        r"Another user in Entra, (\S+) ?, has the same EPPN. This user's comes from (\w+)\.", text
    )
    assert found is not None, text
    # Said of this one user, and not as it is of a list.
    assert "What to do: Give each of these users a value of their own in Entra." in text
    other = next(each for each in stand_ins.municipality if entra_id(each) == found[1])
    assert other.entra[found[2]].lower() == person.entra[found[2]].lower()


def test_what_is_recorded_is_shown_while_entra_is_away(
    stand_ins: Environment, browser: Browser, store: Store
) -> None:
    """The page says that Entra does not answer, what the last run did, and whose turn it was."""
    person = user_with(stand_ins, "updated")
    record(store, person, FAILED, "away")
    stand_ins.microsoft.faults.add(GraphFault(effect=Effect.ERROR, kind=Kind.USER, status=503, times=None))
    text = text_of(browser.open(PATH + entra_id(person)).text)
    assert "does not answer just now" in text
    assert "Skolon refused the change" in text
    assert "Who must act: the person who corrects data in Skolon" in text
    assert "Run 1" in text
    stand_ins.microsoft.faults.clear()
    record(store, person, SyncResult(outcome=Outcome.UNCHANGED), "back")
    assert "have changed since run 2" in text_of(browser.open(PATH + entra_id(person)).text)


@pytest.mark.parametrize(
    ("who", "says"),
    [
        ("", "Write a name, an address or an id."),
        ("   ", "Write a name, an address or an id."),
        ("Ingen Alls", "No user was found."),
        ("ingen@exempel.example", "No user was found."),
        ("6a1c0c3e-0000-4000-8000-0000000000ff", "No user was found."),
        ("x" * 10_000, "longer than any name"),
        ("\x1b[31mröd", "characters that no name"),
        ("a\u202eb", "characters that no name"),
        ("a\0b", "characters that no name"),
        ("<script>alert(1)</script>", "No user was found."),
        ("' or 1 eq 1 or surname eq '", "No user was found."),
    ],
)
def test_what_finds_no_user_is_said_beside_the_field(browser: Browser, who: str, says: str) -> None:
    """Whatever is written comes back as text, or not at all."""
    page = look_up(browser, who)
    assert page.status_code == 422
    assert says in text_of(page.text)
    assert "aria-invalid" in page.text
    assert "<script>alert" not in page.text
    assert "\x1b" not in page.text
    assert "\u202e" not in page.text


def test_a_user_of_another_tenant_is_not_there(
    stand_ins: Environment, browser: Browser, hub: Hub, store: Store
) -> None:
    """An id that only another tenant knows answers as one that nobody has."""
    del stand_ins
    other = "6a1c0c3e-0000-4000-8000-00000000cccc"
    run = store.triggers.open(SyncRequest(tenant="annan"), "other").run.id
    store.receipts.create_pending(run, [other])
    unknown = browser.open(PATH + "6a1c0c3e-0000-4000-8000-0000000000ff")
    found = browser.open(PATH + other)
    assert unknown.status_code == found.status_code == 404
    assert browser.open(f"tenants/annan/users/{other}").status_code == 404
    there = hub.signed_in("Anna Annan", "reader", "annan").open(f"tenants/annan/users/{other}")
    assert there.status_code == 200


def test_the_log_has_no_value(stand_ins: Environment, browser: Browser, hub: Hub) -> None:
    """P6: neither what was looked up nor what was shown stands in the log."""
    person = user_with(stand_ins, "updated")
    look_up(browser, str(person.entra["displayName"]))
    browser.submit(PATH + entra_id(person))
    log = hub.log.read_text(encoding="utf-8")
    assert "users.show_values" in log
    assert not any(value in log for value in values_of(person))
