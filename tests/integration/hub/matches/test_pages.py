"""Matches on the pages: the list, both sides, what an answer does beforehand, and giving it once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from html import unescape
from typing import TYPE_CHECKING, Final

import pytest

from devtools.commands import json_output, update_sync
from sandbox.environment import TENANT_KEY
from sandbox.microsoft.faults import Effect, Fault
from sandbox.microsoft.http_messages import Kind
from schemas.hub.session import AuditKind
from schemas.messages.messages import SyncRequest
from schemas.outcomes import Cause
from schemas.tenants.match_decision import DecisionKind
from tests.integration.hub.made_up_runs import text_of
from tests.integration.hub.matches.conftest import BO, BOS, CLEO, DAN, TWINS
from tests.integration.workers.identity.accounts import ADDRESS
from tests.integration.workers.identity.test_match_decisions import ANNA, HAND_MADE

if TYPE_CHECKING:
    from requests import Response

    from tests.integration.hub.browser import Browser
    from tests.integration.hub.matches.conftest import Office

MATCHES: Final = f"tenants/{TENANT_KEY}/matches/"
USER: Final = ANNA["id"]
DECISIONS: Final = (AuditKind.MATCH_LINKED, AuditKind.USER_IGNORED, AuditKind.DECISION_FORGOTTEN)


def ask(browser: Browser, answer: str, skolon_user: str = "", user: str = USER) -> Response:
    """Open the page that says what an answer would do."""
    query = f"answer={answer}" + (f"&skolon_user={skolon_user}" if skolon_user else "")
    return browser.open(f"{MATCHES}{user}/decide?{query}")


def press(browser: Browser, form: Response, user: str = USER) -> Response:
    return browser.submit(f"{MATCHES}{user}/decide", form)


def text(answer: Response) -> str:
    # A link ends in a space here.
    return unescape(text_of(answer.text)).replace(" ,", ",")


@pytest.mark.parametrize(
    ("language", "heading", "why"),
    [
        ("en", "3 users wait for a decision.", "The match looks like another user"),
        ("sv", "3 användare väntar på ett avgörande.", "Träffen ser ut att vara en annan användare"),
    ],
)
def test_the_list_says_who_waits_and_why(office: Office, language: str, heading: str, why: str) -> None:
    """By ids, without a value; a reader sees it and cannot decide."""
    reader = office.hub.signed_in(f"Läsa {language}", "reader", TENANT_KEY, language=language)
    page = reader.open(MATCHES)
    assert heading in text(page)
    assert why in text(page)
    assert f"users/{USER}" in page.text
    assert f"matches/{USER}" not in page.text
    assert "Andersson" not in page.text
    administrator = office.hub.signed_in(f"Ada {language}", "administrator", TENANT_KEY, language=language)
    assert f"matches/{USER}" in administrator.open(MATCHES).text
    assert reader.open(f"{MATCHES}{USER}").status_code == 404


def test_both_sides_are_masked_until_they_are_shown(office: Office, administrator: Browser) -> None:
    """What agrees and differs is told; values are shown on request, which the audit records for each user."""
    page = administrator.open(f"{MATCHES}{USER}")
    assert "Perhaps another person" in text(page)
    assert "Differs first name, last name" in text(page)
    assert "the same E-mail" in text(page)
    assert f"Another user in Entra, {CLEO['id']}, waits" in text(page)
    assert not any(value in page.text for value in ("Anna", "Solros", "Cleo", ADDRESS))
    assert office.events(AuditKind.VALUES_REVEALED) == []

    shown = administrator.submit(f"{MATCHES}{USER}", page)

    assert all(value in shown.text for value in ("Anna", "Solros", "Cleo", ADDRESS))
    seen = [user for _, user, _ in office.events(AuditKind.VALUES_REVEALED)]
    assert seen == [USER, CLEO["id"]]


def test_of_several_users_in_skolon_the_differences_are_told(administrator: Browser) -> None:
    """Each has its own answer."""
    page = administrator.open(f"{MATCHES}{DAN['id']}")
    assert "Which of these is the person?" in text(page)
    assert "differ from each other in: User name, E-mail" in text(page)
    for user in ("t1", "t2"):
        assert f"answer=link&amp;skolon_user={user}" in page.text
        assert f"answer=ignore_skolon_user&amp;skolon_user={user}" in page.text


def test_a_link_says_first_what_it_does_and_is_made_once(office: Office, administrator: Browser) -> None:
    """To the user and to the other claimant; a double click and a reload decide nothing twice."""
    before = office.requested()
    form = ask(administrator, "link", "s1")
    told = text(form)
    assert "The two may be different people. They differ in: first name, last name." in told
    assert "This user is user s1 in Skolon from now on. Written there at once:" in told
    assert f"Another user, {CLEO['id']}, is affected too: no user in Skolon is found" in told
    assert office.store.match_decisions.list(TENANT_KEY) == []

    with ThreadPoolExecutor(2) as clicks:
        answers = list(clicks.map(lambda _: press(administrator, form), range(2)))
    answers.append(press(administrator, form))

    (address,) = {each.url for each in answers}
    assert "Decided: it is the same person" in text(answers[0])
    assert "The part of the sync that starts runs is not running." in text(answers[0])
    assert office.requested() == before + 1
    assert office.events(*DECISIONS) == [(AuditKind.MATCH_LINKED, USER, "s1")]
    (decision,) = office.store.match_decisions.list(TENANT_KEY)
    assert (decision.kind, decision.entra_id, decision.skolon_id) == (DecisionKind.LINK, USER, "s1")
    assert set(decision.affected) == {USER, CLEO["id"]}
    # The database names who decided by number alone; pages and the audit name the person.
    assert decision.operator is not None
    assert "Ada" not in decision.operator
    overview = text(administrator.open(MATCHES))
    assert "Ada Ansvarig decided on" in overview
    assert "Ada Ansvarig" in text(administrator.open(f"tenants/{TENANT_KEY}/audit"))
    assert "Ada Ansvarig decided on" in text(administrator.open(f"tenants/{TENANT_KEY}/users/{USER}"))
    key = address.rpartition("/")[2]
    run = office.store.triggers.open(
        SyncRequest(tenant=TENANT_KEY, users=(USER, CLEO["id"])), f"hub/{TENANT_KEY}/{key}"
    ).run
    assert f"Open run {run.id}" in text(administrator.open(address.removeprefix(office.hub.address)))
    office.store.runs.cancel(run.id)


def test_the_second_person_sees_what_the_first_has_decided(
    office: Office, administrator: Browser, other: Browser
) -> None:
    """Whatever the second one answers: it is refused, and nothing of it is recorded."""
    seen, late = office.events(*DECISIONS), ask(other, "link", "s1")
    press(administrator, ask(administrator, "ignore_user"))

    for refused in (press(other, late), press(other, late), ask(other, "ignore_skolon_user", "s1")):
        assert "It has been decided already" in text(refused)
        assert "Ada Ansvarig decided on" in text(refused)
        assert "take this decision back".casefold() in text(refused).casefold()
    assert press(other, late).status_code == 422
    assert office.events(*DECISIONS) == [*seen, (AuditKind.USER_IGNORED, USER, None)]
    assert len(office.store.match_decisions.list(TENANT_KEY)) == 1
    assert "Ada Ansvarig decided" in text(other.open(f"{MATCHES}{USER}"))


@pytest.mark.parametrize(
    ("answer", "skolon_user", "told", "named"),
    [
        ("ignore_user", "", "This user is left alone from now on", (USER, None)),
        ("ignore_skolon_user", "s1", "No user in Entra gets user s1 in Skolon from now on.", (None, "s1")),
    ],
)
def test_one_side_is_left_alone_and_that_is_taken_back(  # noqa: PLR0913, PLR0917 - fixtures and cases
    office: Office,
    administrator: Browser,
    answer: str,
    skolon_user: str,
    told: str,
    named: tuple[str | None, str | None],
) -> None:
    """Its page leads to taking it back, which is done once; the second time says that it is gone."""
    before = len(office.events(AuditKind.DECISION_FORGOTTEN))
    form = ask(administrator, answer, skolon_user)
    assert told in text(form)
    done = press(administrator, form)
    assert "Decided: the user is left alone" in text(done)
    (decision,) = office.store.match_decisions.list(TENANT_KEY)
    assert (decision.entra_id, decision.skolon_id) == named

    query = f"user={USER}" if named[0] else "skolon_user=s1"
    assert f"take-back/?{query}" in done.text
    back, stale = (administrator.open(f"{MATCHES}take-back/?{query}") for _ in range(2))
    assert "The sync decides again by itself who the user is" in text(back)
    answers = [administrator.submit(f"{MATCHES}take-back/", back) for _ in range(2)]
    assert len({each.url for each in answers}) == 1
    assert "The decision is taken back" in text(answers[0])
    assert office.store.match_decisions.list(TENANT_KEY) == []
    assert office.events(AuditKind.DECISION_FORGOTTEN)[-1] == (AuditKind.DECISION_FORGOTTEN, *named)
    late = administrator.submit(f"{MATCHES}take-back/", stale)
    assert (late.status_code, len(office.events(AuditKind.DECISION_FORGOTTEN))) == (422, before + 1)
    gone = administrator.open(f"{MATCHES}take-back/?{query}")
    assert "There is no such decision any more" in text(gone)


def test_what_contradicts_another_user_is_refused(office: Office, administrator: Browser) -> None:
    """In a sentence, without a command, and nothing is recorded."""
    before = office.events(*DECISIONS)
    belongs = ask(administrator, "link", "s2")
    assert "one of the two belongs to another user" in text(belongs)
    gone = ask(administrator, "link", "s9")
    assert "does not have this user any more" in text(gone)
    nobody = "00000000-0000-4000-8000-0000000000ff"
    assert "does not have this user any more" in text(ask(administrator, "ignore_user", user=nobody))
    own = ask(administrator, "link", "s1", user=BO["id"])
    assert "one of the two belongs to another user" in text(own)
    for page in (belongs, gone, own):
        assert "update-sync" not in page.text
        assert 'name="key"' not in page.text
    assert office.events(*DECISIONS) == before


@pytest.mark.parametrize(
    "path",
    [
        f"{MATCHES}x",
        f"{MATCHES}{'0' * 300}",
        f"{MATCHES}%00",
        f"{MATCHES}00000000-0000-4000-8000-0000000000ff",
        f"{MATCHES}{USER}/decide",
        f"{MATCHES}{USER}/decide?answer=erase&skolon_user=s1",
        f"{MATCHES}{USER}/decide?answer=link",
        f"{MATCHES}{USER}/decide?answer=link&skolon_user={'x' * 300}",
        f"{MATCHES}{USER}/decide?answer=link&skolon_user=%1b[31m",
        f"{MATCHES}take-back/",
        f"{MATCHES}take-back/?user={USER}&skolon_user=s1",
        f"{MATCHES}take-back/?user=x",
        f"{MATCHES}done/no-such-key",
        f"{MATCHES}done/{'x' * 200}/progress",
        f"{MATCHES}?after=%00",
        f"tenants/saknas/matches/{USER}",
    ],
)
def test_garbage_is_not_there(administrator: Browser, path: str) -> None:
    """Ids that are none, answers that no page offers, and keys that no decision has."""
    assert administrator.open(path).status_code == 404


def test_the_users_of_another_tenant_are_not_there(office: Office, other: Browser) -> None:
    """By its pages an operator reaches them alone under their own tenant."""
    page = other.open(f"tenants/annan/matches/{USER}")
    assert page.status_code in (200, 404)
    assert "s1" not in text(page)
    assert office.hub.signed_in("Anna", "administrator", "annan").open(MATCHES).status_code == 404


def test_a_form_without_a_key_decides_nothing(office: Office, administrator: Browser) -> None:
    """No page of ours sends one."""
    form = ask(administrator, "ignore_user")
    assert administrator.submit(f"{MATCHES}{USER}/decide", form, key="å").status_code == 400
    assert administrator.submit(f"{MATCHES}{USER}/decide", form, answer="x").status_code == 404
    assert office.store.match_decisions.list(TENANT_KEY) == []


def test_while_a_halted_run_waits_the_decision_is_remembered(office: Office, administrator: Browser) -> None:
    """That is said before and after, and nothing is requested."""
    run = office.store.triggers.open(SyncRequest(tenant=TENANT_KEY), "halts").run.id
    office.store.runs.halt(run, Cause.GUARD_EXCEEDED, "guard.changed: 3 of 4 users")
    before = office.requested()
    form = ask(administrator, "ignore_user")
    assert f"Run {run} waits for an answer." in text(form)
    done = press(administrator, form)
    office.store.runs.cancel(run)
    assert f"Run {run} waits for an answer. The first run after that" in text(done)
    assert office.requested() == before
    assert len(office.store.match_decisions.list(TENANT_KEY)) == 1


def test_while_entra_is_away_nothing_is_compared_or_decided(office: Office, administrator: Browser) -> None:
    """The page says so; a decision that was begun is made when the same button is pressed again."""
    form = ask(administrator, "ignore_user")
    office.made_up.microsoft.faults.add(Fault(effect=Effect.ERROR, kind=Kind.USER, status=503, times=None))
    page = administrator.open(f"{MATCHES}{USER}")
    assert "does not answer just now" in text(page)
    assert press(administrator, form).status_code == 503
    assert office.store.match_decisions.list(TENANT_KEY) == []
    office.made_up.microsoft.faults.clear()
    assert press(administrator, form).status_code == 200
    assert len(office.store.match_decisions.list(TENANT_KEY)) == 1


def test_the_commands_honour_what_the_pages_decided(office: Office, administrator: Browser) -> None:
    """One list of decisions, whichever way they were made."""
    press(administrator, ask(administrator, "ignore_skolon_user", "s1"))
    listed = json_output("matches", "list", TENANT_KEY, env=office.hub.env)
    (decision,) = listed["decisions"]
    assert (decision["decision"], decision["skolon_user"]) == ("ignore", "s1")
    assert decision["operator"].startswith("Data Hub, member ")
    forgotten = update_sync(
        "matches", "forget", TENANT_KEY, "--skolon-user", "s1", "--yes", env=dict(office.hub.env)
    )
    assert forgotten.returncode == 0, forgotten.stderr
    assert "No decision is in force." in text(administrator.open(MATCHES))


def test_what_is_always_refused_is_not_offered(office: Office, administrator: Browser) -> None:
    """Bo has a user in Skolon by his External Id: Anna cannot be linked to it, nor he to hers."""
    office.made_up.skolon.fill(
        next(iter(office.made_up.skolon.organisations)), [{**HAND_MADE, "externalId": BO["id"]}, *TWINS]
    )
    try:
        page = administrator.open(f"{MATCHES}{USER}")
        assert "The two cannot be linked." in text(page)
        assert "belongs to another user" in text(page)
        assert "answer=link" not in page.text
        assert "answer=ignore_skolon_user&amp;skolon_user=s1" in page.text
    finally:
        office.made_up.skolon.fill(next(iter(office.made_up.skolon.organisations)), [HAND_MADE, BOS, *TWINS])
