"""The page Needs attention: who could not be updated, why, since when, and what to do about it."""

from __future__ import annotations

import csv
import io
import re
from typing import TYPE_CHECKING

import pytest

from administration.tenants.status import tenant_statuses
from schemas.dead_letter_reasons import Reason
from schemas.details.detail import Detail
from schemas.details.kinds import DetailKind
from schemas.outcomes import Cause, Stage
from schemas.runs.sync_result import Failure
from store.timestamps import now
from tests.integration.hub.made_up_runs import FAILED, USERS, finish, new_tenant, start, text_of

if TYPE_CHECKING:
    from store.store import Store
    from tests.integration.hub.browser import Hub

SUSPICIOUS = Failure(
    reason=Reason.SUSPICIOUS_MATCH,
    stage=Stage.MATCH,
    detail=Detail(
        DetailKind.SUSPICIOUS_MATCH,
        skolon_user="skolon-1",
        keys=("eppn",),
        agrees=("first_name",),
        differs=("birth_date",),
    ),
)
BUG = Failure(reason=Reason.BUG, stage=Stage.MAP, detail="KeyError in mapping.py:7")


def test_one_look_tells_who_failed_and_whose_turn_it_is(hub: Hub, store: Store) -> None:
    """Groups by reason with their numbers; those of the reader's turn come first, and name no command."""
    tenant = new_tenant(hub, "grupper")
    finish(store, start(store, tenant, "groups-1"), {USERS[0]: SUSPICIOUS, USERS[1]: BUG, USERS[2]: BUG})
    finish(store, start(store, tenant, "groups-2"), dict.fromkeys(USERS[:4], BUG) | {USERS[0]: SUSPICIOUS})
    browser = hub.signed_in("Agda Agerar", "administrator", tenant)

    page = browser.open(f"tenants/{tenant}/attention/").text
    text = text_of(page)

    assert "4 users could not be updated. 1 of them is new since the last run of all users began." in text
    assert text.index("Your turn") < text.index("The match looks like another user 1 user")
    reader = text_of(hub.signed_in("Läs Läsare", "reader", tenant).open(f"tenants/{tenant}/attention/").text)
    assert "Your turn" not in reader
    assert "The organisation's turn" in reader
    assert text.index("Skolon's turn") < text.index("An error of the sync 3 users 1 new")
    assert "You need do nothing." in text
    assert not re.search(r"update-sync|'matches|replay|the detail|KeyError", page)


def test_what_fails_for_most_users_is_a_fault_of_the_settings(hub: Hub, store: Store) -> None:
    """The pages and the API say so too, and not that each user's value is to be corrected in Entra."""
    tenant = new_tenant(hub, "kallor")
    finish(store, start(store, tenant, "source-1"), dict.fromkeys(USERS, FAILED))
    browser = hub.signed_in("Källa Fel", "administrator", tenant)

    for path in ("", "invalid_user"):
        text = text_of(browser.open(f"tenants/{tenant}/attention/{path}").text)
        assert "Probably the sync takes it from the wrong place in Entra" in text
        assert "Correct the value in Entra" not in text
    rows = list(csv.DictReader(io.StringIO(browser.open(f"tenants/{tenant}/attention/users.csv").text)))
    assert {row["Who must act"] for row in rows} == {"the organisation administrator"}

    finish(store, start(store, tenant, "source-2"), {USERS[0]: FAILED})
    text = text_of(browser.open(f"tenants/{tenant}/attention/").text)
    assert "Correct the value in Entra" in text


def test_an_operator_reads_the_commands_too(hub: Hub, store: Store) -> None:
    """What operators mend is the operator's turn, with the detail and what to do on the command line."""
    tenant = new_tenant(hub, "drift")
    finish(store, start(store, tenant, "operated"), {USERS[0]: SUSPICIOUS, USERS[1]: BUG})
    browser = hub.signed_in("Olle Operatör", "operator")

    text = text_of(browser.open(f"tenants/{tenant}/attention/").text)
    of_bug = text_of(browser.open(f"tenants/{tenant}/attention/bug").text)

    assert (
        text.index("Your turn") < text.index("An error of the sync") < text.index("The organisation's turn")
    )
    assert "matches show" in text
    assert "KeyError in mapping.py:7" in of_bug
    reader = hub.signed_in("Rut Läsare", "reader", tenant)
    assert "KeyError" not in reader.open(f"tenants/{tenant}/attention/bug").text
    assert "KeyError" not in reader.open(f"tenants/{tenant}/attention/users.csv").text


def test_the_page_counts_what_the_status_counts(hub: Hub, store: Store) -> None:
    """A user that a newer run has settled is no failure any more, on this page as in `status`."""
    tenant = new_tenant(hub, "lika")
    finish(store, start(store, tenant, "same-1"), dict.fromkeys(USERS[:4], FAILED))
    named = start(store, tenant, "same-2", USERS[:2])
    finish(store, named, {USERS[0]: FAILED}, USERS[:2])

    groups = store.open_failures.groups(tenant)
    (status,) = tenant_statuses([tenant], store=store, now=now())

    assert {group.reason: group.users for group in groups} == status.users.failed
    assert [group.users for group in groups] == [3]


def test_a_group_that_came_back_says_so(hub: Hub, store: Store) -> None:
    """Settled by a run, and failed again in a later one, for the same reason."""
    tenant = new_tenant(hub, "ater")
    browser = hub.signed_in("Åke Åter", "administrator", tenant)
    path = f"tenants/{tenant}/attention/"

    finish(store, start(store, tenant, "back-1"), {USERS[0]: FAILED})
    finish(store, start(store, tenant, "back-2"), {USERS[0]: FAILED})
    assert "Came back" not in browser.open(path).text
    finish(store, start(store, tenant, "back-3"), {})
    assert "Nothing needs attention." in text_of(browser.open(path).text)
    finish(store, start(store, tenant, "back-4"), {USERS[1]: FAILED})
    assert "Came back" in browser.open(path).text


def test_a_halted_run_is_told_with_a_link_to_it(hub: Hub, store: Store) -> None:
    """What the sync itself waits for stands above the users, with who must act."""
    tenant = new_tenant(hub, "stopp")
    run = start(store, tenant, "halted-attention")
    store.runs.halt(
        run,
        Cause.GUARD_EXCEEDED,
        Detail(DetailKind.GUARD_EXCEEDED, limit="changed", count=3, size=4, most=1, share="10"),
    )
    browser = hub.signed_in("Stina Stopp", "administrator", tenant)

    page = browser.open(f"tenants/{tenant}/attention/").text

    assert "A run was halted" in text_of(page)
    assert "If it is right, let the run go on." in text_of(page)
    assert f'href="/tenants/{tenant}/runs/{run}"' in page
    start_page = text_of(browser.open("").text)
    assert "Guard waits for an answer" in start_page
    assert "0 of" not in start_page


@pytest.mark.parametrize("language", ["sv", "en"])
def test_the_users_of_a_group_are_listed_page_by_page(hub: Hub, store: Store, language: str) -> None:
    """Fifty on a page, each once, in the order of their ids; a file has them all."""
    tenant = new_tenant(hub, f"sidor-{language}")
    users = tuple(f"00000000-0000-4000-8000-{number:012}" for number in range(120))
    finish(store, start(store, tenant, f"paged-{language}", users), dict.fromkeys(users, SUSPICIOUS), users)
    browser = hub.signed_in(f"Sid {language}", "reader", tenant, language=language)

    listed: list[str] = []
    path: str | None = f"/tenants/{tenant}/attention/suspicious_match"
    pages = 0
    while path:
        page = browser.open(path).text
        listed += re.findall(r'<li><a class="ds-link hub-id"[^>]*>([^<]+)<', page)
        onward = re.search(r'rel="next" href="([^"]+)"', page)
        path = onward[1] if onward else None
        pages += 1
    answer = browser.open(f"tenants/{tenant}/attention/suspicious_match.csv")
    rows = list(
        csv.reader(
            io.StringIO(answer.content.decode("utf-8-sig")), delimiter=";" if language == "sv" else ","
        )
    )

    assert (pages, listed) == (3, list(users))
    assert [row[0] for row in rows[1:]] == list(users)
    assert ("födelsedatum" if language == "sv" else "birth date") in rows[1][2]
    assert answer.headers["Content-Type"].startswith("text/csv")
    everything = browser.open(f"tenants/{tenant}/attention/users.csv").text
    assert everything.count("skolon-1") == len(users)


@pytest.mark.parametrize(
    "garbage", ["'", "<script>", "%00", "%ff", "9" * 400, "\u202e", "a" * 3000, "../x", "="]
)
def test_garbage_in_an_address_is_no_error(hub: Hub, store: Store, garbage: str) -> None:
    """A reason, an outcome, a list or a cursor that is none: there is no such page, or nothing on it."""
    if not store.runs.list("exempel"):
        finish(store, start(store, "exempel", "garbage"), {})
    run = store.runs.list("exempel")[0].run.id
    browser = hub.signed_in("Gun Garbage", "operator")
    for path in (
        f"tenants/exempel/attention/{garbage}",
        f"tenants/exempel/attention/{garbage}.csv",
        f"tenants/exempel/report/{garbage}.csv",
        f"tenants/exempel/runs/{run}/users/{garbage}",
        f"tenants/exempel/runs/{run}/users/{garbage}.csv",
        f"tenants/exempel/runs/{run}/users/unchanged?reason={garbage}",
    ):
        assert browser.open(path).status_code == 404, path
    for path in ("attention/bug", f"runs/{run}/users/unchanged"):
        answer = browser.open(f"tenants/exempel/{path}?after={garbage}")
        # Entra's ids are opaque to us: behind a text that can be one, nobody comes.
        assert answer.status_code == (200 if garbage in {"'", "<script>", "=", "%ff"} else 404)
        assert "<script>" not in answer.text.partition("<main")[2]
