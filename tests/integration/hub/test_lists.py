"""The users of a run by outcome, and the report: pages and files of ids."""

from __future__ import annotations

import csv
import io
import re
from html import unescape
from typing import TYPE_CHECKING, Final

import pytest

from administration.tenants.data_quality import data_quality_of
from hub.presentation.lists.files import safe_cell
from hub.presentation.lists.report_lists import REPORT_LISTS, SIGN_IN_LIST
from schemas.dead_letter_reasons import Reason
from schemas.outcomes import Cause, NotFoundReason, Outcome, Stage
from schemas.runs.changes import ChangeKind
from schemas.runs.collision import Collision
from schemas.runs.identity_digests import IdentityDigests
from schemas.runs.sign_in import SignInMatch, ValueMatch
from schemas.runs.sync_result import Failure, SyncResult
from schemas.users.attributes import Attribute
from tests.integration.cli.command_line import add_tenant, tenant_object
from tests.integration.hub.made_up_runs import FAILED, NOT_FOUND, USERS, finish, new_tenant, start, text_of

if TYPE_CHECKING:
    from store.store import Store
    from tests.integration.hub.browser import Browser, Hub


def rows_of(browser: Browser, path: str) -> list[list[str]]:
    answer = browser.open(path)
    assert answer.status_code == 200
    return list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig"))))


def test_each_outcome_leads_to_its_users(hub: Hub, store: Store) -> None:
    """The numbers on the bar are links, to as many users as they say, and to a file of them."""
    tenant = new_tenant(hub, "vilka")
    run = start(store, tenant, "which")
    finish(store, run, {USERS[0]: FAILED, USERS[1]: FAILED, USERS[2]: NOT_FOUND})
    browser = hub.signed_in("Vilja Vilka", "reader", tenant)

    page = browser.open(f"tenants/{tenant}/runs/{run}").text
    links = dict(re.findall(r'href="([^"]+/users/(?:\w+))">[^<]+<strong>(\d+)', page))

    assert sum(map(int, links.values())) == len(USERS)
    for link, count in links.items():
        listed = re.findall(r'<li><a class="ds-link hub-id"[^>]*>([^<]+)<', browser.open(link).text)
        assert len(listed) == int(count)
        assert [row[0] for row in rows_of(browser, f"{link}.csv")[1:]] == listed
    failed = browser.open(f"tenants/{tenant}/runs/{run}/users/dead_lettered?reason=invalid_user")
    assert "must have exactly one @" in failed.text


def test_a_run_tells_how_attributes_changed_and_what_was_left(hub: Hub, store: Store) -> None:
    """Filled, changed and erased apart, and what the guard would have let the run go on to do."""
    tenant = new_tenant(hub, "sparrad")
    run = start(store, tenant, "guarded")
    changed = SyncResult(
        outcome=Outcome.UPDATED,
        skolon_id="skolon-9",
        changed=(Attribute.CITY, Attribute.EPPN),
        change_kinds={Attribute.CITY: ChangeKind.FILLED, Attribute.EPPN: ChangeKind.CHANGED},
    )
    store.receipts.finish(run, USERS[0], changed)
    store.runs.halt(run, Cause.GUARD_EXCEEDED, "stopped")
    browser = hub.signed_in("Gard Spärr", "administrator", tenant)

    text = text_of(browser.open(f"tenants/{tenant}/runs/{run}").text)

    assert "Attribute Filled Changed Erased" in text
    assert "City 1 0 0" in text
    assert "EPPN (identity) 0 1 0" in text
    assert "What it would have gone on to do" in text
    assert "5 users were read and not judged so far." in text


def test_the_report_has_each_list_of_the_command(hub: Hub, store: Store) -> None:
    """What `tenants report` finds stands on the page, and each list is a file with all its entries."""
    tenant = new_tenant(hub, "rapport")
    left = "00000000-0000-4000-8000-0000000000ff"
    everybody = (*USERS, left)
    then = SyncResult(outcome=Outcome.UNCHANGED, skolon_id="skolon-7")
    finish(store, start(store, tenant, "before", everybody), {left: then}, everybody)
    run = start(store, tenant, "reported")
    for user in USERS[:2]:
        store.receipts.record_digests(run, user, IdentityDigests(eppn="same", ssn=None, mail=None))
    collision = Failure(
        reason=Reason.COLLISION,
        stage=Stage.MATCH,
        detail="two lead to one",
        collision=Collision(holder_entra_id=USERS[5], skolon_id="=HYPERLINK(1)"),
    )
    nothing = SyncResult(outcome=Outcome.NOT_FOUND, not_found_reason=NotFoundReason.NO_MATCH_KEY)
    finish(store, run, {USERS[2]: NOT_FOUND, USERS[3]: nothing, USERS[4]: collision})
    browser = hub.signed_in("Rita Rapport", "reader", tenant)

    text = text_of(browser.open(f"tenants/{tenant}/report/").text)
    report = data_quality_of(tenant, store=store, limit=100)

    assert "EPPNs that several users in Entra have 1" in text
    assert rows_of(browser, f"tenants/{tenant}/report/same-eppn.csv")[1:] == [
        ["1", USERS[0]],
        ["1", USERS[1]],
    ]
    assert rows_of(browser, f"tenants/{tenant}/report/not-in-skolon.csv")[1:] == [[USERS[2]]]
    assert rows_of(browser, f"tenants/{tenant}/report/no-match-key.csv")[1:] == [[USERS[3]]]
    assert rows_of(browser, f"tenants/{tenant}/report/left-entra.csv")[1:] == [[left, "skolon-7"]]
    # A spreadsheet takes no cell for a formula.
    assert rows_of(browser, f"tenants/{tenant}/report/collisions.csv")[1] == [
        USERS[4],
        USERS[5],
        "'=HYPERLINK(1)",
    ]
    for name, each in REPORT_LISTS.items():
        # Nobody was compared for sign-in by QR code, so it is not said that all can sign in by it.
        assert (str(each.title) in text) is (name != SIGN_IN_LIST)
        rows = rows_of(browser, f"tenants/{tenant}/report/{name}.csv")
        assert len(rows[0]) == len(each.headings)
        assert (len(rows) > 1) is (each.count(report) > 0)


#: What the report says of `onPremisesImmutableId` as the source, and of another one.
QR_CODE: Final = {
    "en": (
        "ask Skolon's operators to take it from onPremisesImmutableId",
        "1 The sync leaves that as it is: write it in Skolon as it is in Entra. Who must act: the person who",
        "2 users were not compared (A value breaks a rule: 1, Not in Skolon: 1).",
        "Users who cannot sign in by QR code 2",
    ),
    "sv": (
        "IdP-identifieraren hämtas från onPremisesImmutableId, vilket inloggning med QR-kod kräver.",
        "1 Synken ändrar inte det. Skriv adressen i Skolon som den står i Entra. Vem som behöver agera: den",
        "1 Varje användares sida visar varifrån värdet i Skolon kommer, eller varför det inte skrivs.",
        "2 användare jämfördes inte",
        "Användare som inte kan logga in med QR-kod 2",
    ),
}


@pytest.mark.parametrize(
    ("language", "source"), [("en", "userPrincipalName"), ("sv", "onPremisesImmutableId")]
)
def test_the_report_says_what_sign_in_by_qr_code_needs(
    hub: Hub, store: Store, language: str, source: str
) -> None:
    """By how the values compare, and by the setting: what to do, and who must act."""
    tenant = f"qr-{language}"
    settings = {"name": f"Kommun {tenant}", "sources": {"idp_identifier": [source]}}
    add_tenant(hub.env, tenant, tenant_object(organisation=tenant, **settings))
    matches = [
        SignInMatch(email=ValueMatch.EXACT, idp_identifier=ValueMatch.DIFFERENT),
        SignInMatch(email=ValueMatch.CASE_DIFFERS, idp_identifier=ValueMatch.BLANK_IN_ENTRA),
        *[SignInMatch(email=ValueMatch.EXACT, idp_identifier=ValueMatch.EXACT)] * 2,
    ]
    results: list[SyncResult | Failure] = [
        *(SyncResult(outcome=Outcome.UNCHANGED, sign_in=match) for match in matches),
        NOT_FOUND,
        FAILED,
    ]
    finish(store, start(store, tenant, f"qr {language}"), dict(zip(USERS, results, strict=True)))
    browser = hub.signed_in(f"Kim Kod {language}", "reader", tenant, language=language)

    text = unescape(text_of(browser.open(f"tenants/{tenant}/report/").text))

    for each in QR_CODE[language]:
        assert each in text


def test_before_a_complete_run_there_is_no_report(hub: Hub, store: Store) -> None:
    """The page says when there will be one."""
    tenant = new_tenant(hub, "tom")
    start(store, tenant, "open")
    browser = hub.signed_in("Tom Rapport", "reader", tenant)
    assert "There is no report yet" in browser.open(f"tenants/{tenant}/report/").text
    assert browser.open(f"tenants/{tenant}/report/failed.csv").status_code == 404


@pytest.mark.parametrize(
    ("value", "cell"),
    [
        ("=1+1", "'=1+1"),
        ("@x", "'@x"),
        ("-2", "'-2"),
        ("+3", "'+3"),
        ("\t=1", "'\t=1"),
        ("a=1", "a=1"),
        (None, ""),
    ],
)
def test_a_cell_is_no_formula(value: object, cell: str) -> None:
    """What a spreadsheet would calculate is a text (OWASP, CSV injection)."""
    assert safe_cell(value) == cell
