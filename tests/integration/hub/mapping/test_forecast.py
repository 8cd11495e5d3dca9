"""A draft is tried on all users and made active: what was foretold is what then happens, user by user."""

from __future__ import annotations

import re
from contextlib import ExitStack, closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import pytest
import requests

from devtools.commands import COMMAND, command_environment, json_output, running, wait_for
from devtools.servers import upgrade_with
from sandbox.environment import TENANT_KEY, serve_environment
from schemas.crypto.encryption import new_key
from schemas.outcomes import OPEN_STATUSES, Outcome
from tests.integration.cli.command_line import add_tenant, open_store
from tests.integration.hub.browser import DEADLINE, running_hub
from tests.integration.hub.made_up_runs import text_of
from tests.integration.hub.mapping.test_mapping import PATH, new_draft, number, press, send

if TYPE_CHECKING:
    from collections.abc import Iterator

    from devtools.services.postgresql import PostgreSQL
    from devtools.services.rabbitmq import RabbitMQ
    from store.store import Store
    from tests.integration.hub.browser import Browser, Hub

PEOPLE: Final = 120

#: No limit: a mapping of another kind changes many.
NO_GUARD: Final = dict.fromkeys(("changed", "identity_changed", "not_found", "failed", "left_scope"))


@dataclass(frozen=True, kw_only=True)
class Office:
    """A Data Hub with all that syncs its municipality, and its administrator."""

    hub: Hub
    store: Store
    browser: Browser

    def run(self, **fields: str) -> int:
        """Start a run on the page, wait for its end, and return its number."""
        page = self.browser.open(f"tenants/{TENANT_KEY}/start/")
        key = page.text.partition('name="key" value="')[2].partition('"')[0]
        self.browser.submit(f"tenants/{TENANT_KEY}/start/", page, key=key, **fields)
        return self.ended(f"hub/{TENANT_KEY}/{key}")

    def ended(self, event: str) -> int:
        def has_ended() -> bool:
            run = self.store.triggers.find_run(event)
            return run is not None and self.store.runs.get(run.id).status not in OPEN_STATUSES

        wait_for(has_ended, "the end of a run")
        run = self.store.triggers.find_run(event)
        assert run is not None
        return run.id

    def results(self, run: int) -> dict[str, tuple[str, str | None]]:
        """Return each user's outcome and changes; what a dry run would do is what a run does."""
        with self.store.database.transaction() as connection:
            rows = connection.exec_driver_sql(
                f"SELECT entra_id, outcome, changes FROM receipts WHERE run_id = {run}"  # noqa: S608 - a number
            ).all()
        would = {str(Outcome.WOULD_UPDATE): str(Outcome.UPDATED)}
        return {user: (would.get(outcome, outcome), changes) for user, outcome, changes in rows}


@pytest.fixture(scope="module", params=[1, 2, 3], ids=lambda seed: f"seed-{seed}")
def office(
    request: pytest.FixtureRequest,
    rabbitmq: RabbitMQ,
    postgresql: PostgreSQL,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Office]:
    folder = tmp_path_factory.mktemp("office")
    url, database = rabbitmq.create_vhost(), postgresql.create_database(upgrade_with(COMMAND))
    with ExitStack() as stack:
        made_up = stack.enter_context(serve_environment(folder, users=PEOPLE, seed=request.param))
        env = command_environment(
            **made_up.variables,
            UPDATE_SYNC_AMQP_URL=url,
            UPDATE_SYNC_DATABASE_URL=database,
            UPDATE_SYNC_SECRET_KEYS=new_key(),
        )
        add_tenant(env, TENANT_KEY, {**made_up.tenant, "guard": NO_GUARD})
        stack.enter_context(running("producer", env=env, log=folder / "producer.log"))
        stack.enter_context(running("worker", env=env, log=folder / "worker.log"))
        hub = stack.enter_context(running_hub(env, folder))
        store = stack.enter_context(closing(open_store(env)))
        browser = hub.signed_in("Ada Avbildning", "administrator", TENANT_KEY)
        yield Office(hub=hub, store=store, browser=browser)
    rabbitmq.delete_vhost(url)
    postgresql.drop_database(database)


def test_what_was_foretold_is_what_the_switch_then_does(office: Office) -> None:
    """User by user: the outcomes and the changes; the numbers lead to the users behind them."""
    office.run(kind="full")
    draft = new_draft(office.browser)
    for edit in ("eppn up userPrincipalName", "eppn up userPrincipalName", "email up otherMails"):
        press(office.browser, draft, edit)

    waits = send(office.browser, f"{draft}try", office.browser.open(draft))
    assert 'hx-get="' in waits.text
    found = office.store.mapping_drafts.get(TENANT_KEY, number(draft))
    assert found is not None
    assert found.forecast_event is not None
    trial = office.ended(found.forecast_event)

    page = office.browser.open(draft)
    assert f"Tried on {PEOPLE} users. Nothing was changed." in text_of(page.text)
    totals = office.store.change_totals.for_run(trial).attributes
    assert totals
    for attribute, kinds in totals.items():
        for kind, users in kinds.items():
            path = f"tenants/{TENANT_KEY}/runs/{trial}/users/changes/{attribute}/{kind}"
            assert f'href="/{path}"' in page.text
            listed = office.browser.open(path).text
            assert listed.count('class="ds-link hub-id"') == min(users, 50)
    foretold = office.results(trial)
    tried = next(user for user, (outcome, _) in foretold.items() if outcome == Outcome.UPDATED)
    history = text_of(office.browser.open(f"tenants/{TENANT_KEY}/users/{tried}").text)
    assert "Would be updated (Preview, changes nothing)" in history

    # What each source holds stands beside the mapping, there and on the draft's page; by the API too.
    for path in (PATH, draft):
        text = text_of(office.browser.open(path).text)
        assert "What each source holds" in text
        assert "No user has a value in: " in text
        assert re.search(rf"userPrincipalName \d+ of {trialled(office, trial)}", text)

    old = press(office.browser, draft, "city remove city")
    assert "This is of before the draft was last changed." in text_of(old.text)
    press(office.browser, draft, "city add city")
    send(office.browser, f"{draft}activate", office.browser.open(draft))
    assert office.results(office.run(kind="full")) == foretold

    change = office.store.mapping_changes.list(TENANT_KEY)[0]
    overview = office.browser.open(PATH)
    send(office.browser, f"{PATH}history/{change.id}/restore", overview)
    assert json_output("tenants", "show", TENANT_KEY, env=office.hub.env)["sources"]["email"][0] == "mail"


def trialled(office: Office, trial: int) -> int:
    """Return how many users in scope a trial has looked at."""
    return office.store.source_facts.for_run(trial).users


def test_a_program_does_the_same(office: Office) -> None:
    """By the API: a draft, its trial, active, and back; each is done once for a key."""
    made = office.browser.submit(f"tenants/{TENANT_KEY}/tokens/", None, label="Drafts", may_act="yes")
    secret = made.text.partition('class="hub-secret">')[2].partition("<")[0]

    def ask(method: str, path: str, key: str = "", body: Any = None, **headers: str) -> requests.Response:
        sent = {"Authorization": f"Bearer {secret}", **({"Idempotency-Key": key} if key else {}), **headers}
        url = f"{office.hub.address}api/v1/syncs/{TENANT_KEY}/mapping{path}"
        return requests.request(method, url, headers=sent, json=body, timeout=DEADLINE)

    before = ask("GET", "").json()
    body = {"sources": {"eppn": ["userPrincipalName", "mail"]}}
    drafts = [ask("POST", "/drafts", "make", body) for _ in range(2)]
    assert [each.status_code for each in drafts] == [201, 201]
    assert drafts[0].json() == drafts[1].json()
    draft = f"/drafts/{drafts[0].json()['draft']}"
    assert drafts[0].json()["differs"] == ["eppn"]
    assert ask("GET", "/drafts").json()["drafts"][0]["draft"] == drafts[0].json()["draft"]

    changed = ask("POST", draft, "change", {"sources": {"city": []}}, **{"If-Match": "1"})
    assert (changed.status_code, changed.json()["version"]) == (200, 2)
    late = ask("POST", draft, "late", {"sources": {"city": ["city"]}}, **{"If-Match": "1"})
    assert (late.status_code, late.json()["errors"]) == (412, {"action": ["changed_meanwhile"]})
    wrong = ask("POST", draft, "wrong", {"sources": {"ssn": ["mail"], "shoe_size": []}})
    assert (wrong.status_code, set(wrong.json()["errors"])) == (422, {"ssn", "shoe_size"})
    ask("POST", draft, "back", {"sources": {"city": ["city"]}})

    assert ask("GET", f"{draft}/forecast").json()["requested"] is False
    assert ask("POST", f"{draft}/try", "try").status_code == 202

    def is_tried() -> bool:
        return ask("GET", f"{draft}/forecast").json()["attributes"] is not None

    wait_for(is_tried, "the end of the trial")
    forecast = ask("GET", f"{draft}/forecast").json()
    assert forecast["current"]
    assert forecast["run"]["published"] == PEOPLE

    facts = ask("GET", "/sources").json()
    assert facts["run"] == forecast["run"]["run"]
    assert facts["attributes"]["eppn"]["userPrincipalName"]["filled"] > 0

    assert ask("POST", f"{draft}/activate", "activate", **{"If-Match": "1"}).status_code == 412
    active = ask("POST", f"{draft}/activate", "active").json()
    assert active["sources"]["eppn"] == ["userPrincipalName", "mail"]
    newest = ask("GET", "/history").json()["changes"][0]["change"]
    back = ask("POST", f"/history/{newest}/restore", "restore", {}, **{"If-Match": active["state"]})
    assert back.json() == before
    assert ask("GET", "/drafts/999").status_code == 404
