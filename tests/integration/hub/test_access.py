"""Who may ask for which page: every route of the app, played by every role against the real server."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pytest

from administration.hub.sign_in import SignIn
from hub.access import ROUTES
from hub.app import create_app
from hub.services import HubServices
from schemas.crypto.blind_index import BlindIndex
from schemas.crypto.cookie_keys import cookie_keys
from schemas.crypto.encryption import FieldCipher, new_key
from schemas.hub.access import Access
from schemas.messages.messages import SyncRequest
from schemas.outcomes import Mode, Outcome
from schemas.runs.sync_result import SyncResult
from store.store import Store
from tests.integration.hub.browser import DEADLINE, Browser

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from _pytest.mark.structures import ParameterSet
    from flask import Flask
    from werkzeug.routing import Rule

    from tests.integration.hub.browser import Hub

ROLES: Final = ("stranger", "other administrator", "reader", "administrator", "operator")

#: The roles that may ask for a page of the tenant `exempel`, by what the table says of its route.
ALLOWED: Final[Mapping[Access, set[str]]] = {
    Access.PUBLIC: set(ROLES),
    Access.MEMBER: set(ROLES) - {"stranger"},
    Access.TENANT_READER: {"reader", "administrator", "operator"},
    Access.TENANT_ADMINISTRATOR: {"administrator", "operator"},
    Access.ADMINISTRATOR: {"other administrator", "administrator", "operator"},
    Access.OPERATOR: {"operator"},
    # No session signs a program in: `test_api` asks with tokens.
    Access.API_TOKEN: set(),
    Access.API_ACTION: set(),
}


#: A user whom a run of the tenant has had.
USER: Final = "6a1c0c3e-0000-4000-8000-00000000dddd"

#: What stands in the addresses of routes: a tenant and a run that are there, and names of lists.
VALUES: Final = {
    "tenant": "exempel",
    "run": "1",
    "filename": "hub.css",
    "reason": "invalid_user",
    "outcome": "pending",
    "name": "same-eppn",
    "user": USER,
    "token": "0",
    "key": "no-such-key",
    "member": "0",
    "task": "0",
    "draft": "0",
    "change": "0",
    "attribute": "eppn",
    "kind": "changed",
    "owner": "entra",
}


def make_app() -> Flask:
    key = new_key()
    store = Store("sqlite://", FieldCipher([key]))
    sign_in = SignIn(store, BlindIndex([key]))
    return create_app(HubServices(store=store, sign_in=sign_in, cookie_keys=cookie_keys([key])))


RULES: Final = sorted(make_app().url_map.iter_rules(), key=lambda rule: rule.endpoint)


def test_the_table_names_every_route_and_no_other() -> None:
    """A new route without an entry fails here, and answers no request."""
    assert {rule.endpoint for rule in RULES} == set(ROUTES)


@pytest.fixture(scope="module")
def browsers(hub: Hub, store: Store) -> Mapping[str, Browser]:
    if not store.runs.list("exempel"):
        run = store.triggers.open(SyncRequest(tenant="exempel", mode=Mode.FULL), "access").run.id
        store.receipts.create_pending(run, [USER])
        store.receipts.finish(run, USER, SyncResult(outcome=Outcome.UNCHANGED))
        store.runs.finish_reading(run)
        store.runs.complete_if_done(run)
    return {
        "stranger": Browser(hub.address),
        "other administrator": hub.signed_in("Annan Admin", "administrator", "annan"),
        "reader": hub.signed_in("Läsa Rutt", "reader", "exempel"),
        "administrator": hub.signed_in("Adam Rutt", "administrator", "exempel"),
        "operator": hub.signed_in("Oda Rutt", "operator"),
    }


def _key(rule: Rule) -> str:
    """Return the key of an action: each route does something else."""
    return f"play-{rule.endpoint.replace('.', '-')}"


def plays() -> Iterator[ParameterSet]:
    """Yield every route with every role; `test_sign_in` signs out: that would end the others' sessions."""
    for rule in RULES:
        for method in sorted((rule.methods or set()) & {"GET", "POST"}):
            for role in ROLES:
                if not rule.endpoint.startswith("sign_in.sign_out") or role == "stranger":
                    yield pytest.param(rule, method, role, id=f"{rule.endpoint}-{role}")


@pytest.mark.parametrize(("rule", "method", "role"), list(plays()))
def test_each_role_gets_the_pages_that_it_may_see(
    browsers: Mapping[str, Browser], hub: Hub, rule: Rule, method: str, role: str
) -> None:
    """The table decides: the page, the sign-in page for a stranger, and 404 for another tenant's."""
    _, path = rule.build(VALUES, append_unknown=False) or ("", "/")
    browser = browsers[role]

    if method == "GET":
        answer = browser.open(path, allow_redirects=False)
    else:
        page = browser.open("sign-in")
        fields = {"language": "en", "next": "/", "link": "x", "user": USER, "key": _key(rule)}
        browser_token = page.text.partition('name="csrf_token" value="')[2].partition('"')[0]
        answer = browser.post(
            hub.address + path.removeprefix("/"),
            data={**fields, "csrf_token": browser_token},
            allow_redirects=False,
            timeout=DEADLINE,
        )

    if role in ALLOWED[ROUTES[rule.endpoint]]:
        # A made-up link is refused by the page itself, and the language leads back to a page.
        # Without Entra no names can be asked for, and nothing is looked up.
        expected = {
            "sign_in.show": {200, 303},
            "sign_in.use": {403, 429},
            "language.choose": {303},
            "syncs.of_tenant": {302},
            # Its own tests have one that is set up.
            "entra_sign_in.begin": {404},
            "entra_sign_in.finish": {404},
            "users.find": {422},
            "users.names": {400},
            "attention.names": {400},
            # Without a name, without ids, and it has no gateways to test with.
            "organisations.add": {422},
            # There is no such draft, and no file.
            "mapping.make": {303},
            "mapping.approvals": {303},
            "mapping.from_file": {422},
            "mapping.restore": {404},
            "drafts.show": {404},
            "drafts.export": {404},
            "drafts.forecast": {404},
            "drafts.edit": {404},
            "drafts.try_all": {404},
            "drafts.find": {404},
            "drafts.values": {404},
            "drafts.approve": {404},
            "drafts.activate": {404},
            "drafts.discard": {303},
            "set_up.app": {422},
            "set_up.secret": {422},
            "set_up.certificate": {422},
            "set_up.test": {409},
            "set_up.switch_sync": {400},
            # No number, no channel, and no webhook.
            "notifications.save": {422},
            "notifications.test": {400},
            "notifications.secret": {422},
            "operator_notifications.save_own": {422},
            "operator_notifications.test_own": {400},
            "operator_notifications.secret_own": {422},
            "tokens.make": {422},
            "tokens.end": {404},
            # Nothing is chosen, no run was asked for with the key, and the run has ended.
            "start.begin": {422},
            "start.requested": {404},
            "start.progress": {404},
            # No user was synced with the key, and it has no RabbitMQ.
            "sync_user.begin": {409},
            "sync_user.watch": {404},
            "sync_user.progress": {404},
            "cancel.cancel": {422},
            # It has ended, or it has no RabbitMQ and asks neither Entra nor Skolon.
            "resume.resume": {409},
            "resume.sample": {409},
            # No answer is chosen, there is no RabbitMQ, and nothing was decided with the key.
            "match_decisions.ask": {404},
            "match_decisions.decide": {404},
            "match_decisions.ask_back": {404},
            "match_decisions.take_back": {409},
            "match_decisions.done": {404},
            "match_decisions.progress": {404},
            # Nothing is chosen, and there is no pause.
            "schedule.times": {303},
            "schedule.save": {422},
            "schedule.pause": {422},
            "schedule.resume": {422},
            # Nothing is chosen, and there is no such task.
            "undo.undo": {422},
            "choose.begin": {422},
            "choose.aside": {422},
            "choose.back": {422},
            "tasks.show": {404},
            "tasks.progress": {404},
            "tasks.control": {404},
            "tasks.users": {404},
            # Without a role, and of a member who is not there.
            "members.add": {400},
            "members.show": {404},
            "members.change": {404},
            "members.link": {404},
            "members.sign_out": {404},
            # It is gone already, as after a double click.
            "members.remove": {303},
        }.get(rule.endpoint, {200})
        assert answer.status_code in expected
    elif ROUTES[rule.endpoint] in (Access.API_TOKEN, Access.API_ACTION):
        assert answer.status_code == 401
    elif role == "stranger":
        location = answer.headers["Location"].partition("?")[0]
        assert (answer.status_code, location) in {(303, "/sign-in"), (401, "/sign-in")}
    else:
        assert answer.status_code == 404


def test_another_tenants_page_answers_as_if_it_did_not_exist(browsers: Mapping[str, Browser]) -> None:
    """The answer for a tenant that is not one's own differs in nothing from that for none at all."""
    browser = browsers["other administrator"]

    def page(path: str) -> tuple[int, str]:
        answer = browser.open(path)
        body = answer.text.partition("<main")[2].partition("</main>")[0]
        return answer.status_code, body.partition("Incident")[0]

    assert page("tenants/exempel/runs/") == page("tenants/saknas/runs/")
    assert page("tenants/exempel/runs/1") == page("tenants/annan/runs/1") == page("tenants/annan/runs/999")
    assert "Exempelkommun" not in browser.open("").text
