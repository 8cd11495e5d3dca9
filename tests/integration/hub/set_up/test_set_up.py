"""Setting up a sync on the pages: over HTTP with the real server, against the stand-in for Entra."""

from __future__ import annotations

import datetime as dt
import time
from itertools import count
from typing import TYPE_CHECKING, Any, Final

import pytest

from devtools.commands import update_sync
from sandbox.environment import TENANT_KEY
from sandbox.microsoft.faults import Effect, Fault
from sandbox.microsoft.http_messages import Kind
from schemas.hub.session import AuditKind
from tests.integration.hub.made_up_runs import text_of

if TYPE_CHECKING:
    from collections.abc import Callable

    import requests

    from sandbox.environment import Environment
    from store.store import Store
    from tests.integration.hub.browser import Browser, Hub

GUID: Final = "0f8fad5b-d9cb-469f-a165-70867728950e"
EXPIRES: Final = (dt.datetime.now(dt.UTC).date() + dt.timedelta(days=200)).isoformat()
NUMBERS: Final = count(1)

#: Seconds that Graph takes, and that a person waits at most on a busy machine.
HANGS: Final = 60.0
WAITS: Final = 40.0


def added(operator: Browser, store: Store) -> str:
    """Add an organisation as an operator does, and return its key."""
    key = f"ny-{next(NUMBERS)}"
    fields = {"tenant": key, "name": f"Kommun {key}", "organisation": TENANT_KEY, "sure": "yes"}
    answer = operator.submit("organisations/new", None, **fields)
    assert answer.url.endswith(f"/tenants/{key}/set-up/")
    assert not store.tenants.outline(key).enabled
    return key


class SetUp:
    """An administrator who sets an organisation up."""

    def __init__(self, hub: Hub, operator: Browser, store: Store, stand_ins: Environment) -> None:
        self.tenant = added(operator, store)
        self.path = f"tenants/{self.tenant}/set-up/"
        self.app = stand_ins.tenant
        self.browser = hub.signed_in(f"Ada {self.tenant}", "administrator", self.tenant)

    def page(self) -> requests.Response:
        return self.browser.open(self.path)

    def send(self, what: str, page: requests.Response | None = None, **fields: str) -> requests.Response:
        """Send one of the page's forms, as a browser does that has just opened it."""
        page = page if page is not None else self.page()
        form = page.text.partition(f'action="/{self.path}{what}')[2].partition("</form>")[0]
        seen = form.partition('name="seen" value="')[2].partition('"')[0]
        key = form.partition('name="key" value="')[2].partition('"')[0]
        return self.browser.submit(self.path + what, page, **{"seen": seen, "key": key or "none", **fields})

    def enter_app(self, **other: str) -> requests.Response:
        fields = {"directory": self.app["entra_tenant_id"], "client_id": self.app["client_id"], **other}
        return self.send("app", None, **fields)

    def enter_secret(self, **other: str) -> requests.Response:
        fields = {"secret": self.app["client_secret"], "expires": EXPIRES, **other}
        return self.send("secret", None, **fields)

    def test(self) -> str:
        return text_of(self.send("test").text)


@pytest.fixture
def setting(hub: Hub, operator: Browser, store: Store, stand_ins: Environment) -> SetUp:
    return SetUp(hub, operator, store, stand_ins)


def events(store: Store, tenant: str) -> list[AuditKind]:
    return [each.kind for each in reversed(store.hub_audit.page([tenant]).entries) if each.tenant]


def test_an_operator_adds_an_organisation_once(operator: Browser, store: Store) -> None:
    """A second click adds nothing; another one with the key, or with the same users in Skolon, is refused."""
    fields = {"tenant": "grums", "name": "Grums kommun", "organisation": "grums"}
    for _ in range(2):
        assert operator.submit("organisations/new", None, **fields).url.endswith("/tenants/grums/set-up/")
    assert events(store, "grums") == [AuditKind.TENANT_ADDED]

    other = operator.submit("organisations/new", None, **{**fields, "name": "Grästorp"})
    assert (other.status_code, "Another organisation has this key." in other.text) == (422, True)
    shared = operator.submit("organisations/new", None, **{**fields, "tenant": "grums-2"})
    assert (shared.status_code, "Also written to by: Grums kommun" in text_of(shared.text)) == (422, True)
    assert "grums-2" not in store.tenants.keys()  # noqa: SIM118 - no dictionary
    assert "Set up the connection" in text_of(operator.open("?name=grums").text)


@pytest.mark.parametrize(
    "wrong",
    [
        {"tenant": ""},
        {"tenant": "Åmål"},
        {"tenant": "x" * 10_000},
        {"name": ""},
        {"name": "x" * 10_000},
        {"name": "a\0b"},
        {"name": "a\u202eb"},
        {"organisation": ""},
        {"organisation": "../x"},
        {"organisation": "x" * 10_000},
    ],
)
def test_an_organisation_that_is_none_is_not_added(
    operator: Browser, store: Store, wrong: dict[str, str]
) -> None:
    """The field is named, and keeps what can be shown."""
    before = store.tenants.keys()
    fields = {"tenant": "bengtsfors", "name": "Bengtsfors", "organisation": "bengtsfors", **wrong}
    answer = operator.submit("organisations/new", None, **fields)
    assert answer.status_code == 422
    assert 'aria-invalid="true"' in answer.text
    assert store.tenants.keys() == before


def test_only_operators_add_organisations(hub: Hub) -> None:
    """For others there is no such page, and no link to it."""
    browser = hub.signed_in("Ada Annan", "administrator", "annan")
    assert browser.open("organisations/new").status_code == 404
    assert "organisations/new" not in browser.open("").text


def test_a_sync_is_set_up_and_can_be_left_at_each_step(setting: SetUp, store: Store, hub: Hub) -> None:
    """The ids, the secret, the test, and on: each step is there when the page is opened anew."""
    assert "Save the two ids of step 1 first." in text_of(setting.page().text)
    assert setting.enter_app().status_code == 200
    assert setting.app["client_id"] in setting.page().text
    assert setting.enter_secret().status_code == 200

    page = setting.page()
    assert "A client secret or certificate was saved on" in text_of(page.text)
    assert EXPIRES in page.text
    assert "The connection has not been tested since it was changed" in text_of(page.text)
    found = setting.test()
    assert "All is in order." in found
    assert "Wrong" not in found
    assert "All was in order on" in text_of(setting.page().text)
    assert "is switched on" in text_of(setting.send("switch", None, sync="on").text)

    assert store.tenants.outline(setting.tenant).enabled
    kinds = [AuditKind.TENANT_ADDED, AuditKind.APP_CHANGED, AuditKind.SECRET_SET, AuditKind.SYNC_SWITCHED_ON]
    assert events(store, setting.tenant) == kinds
    secret = setting.app["client_secret"]
    assert secret not in page.text
    assert secret not in hub.log.read_text(encoding="utf-8")


def expire(stand_ins: Environment) -> None:
    app = stand_ins.tenant
    stand_ins.microsoft.entra.change(app["entra_tenant_id"], app["client_id"], secret_expired=True)


def take_permission(stand_ins: Environment) -> None:
    app = stand_ins.tenant
    stand_ins.microsoft.entra.change(app["entra_tenant_id"], app["client_id"], permitted=False)


def leave(_: Environment) -> None:
    """Leave the stand-ins as they are."""


@pytest.mark.parametrize(
    ("ids", "secret", "strike", "found", "should_be"),
    [
        ({}, "wrong~one", leave, "The client secret is wrong", "The Value of a client secret of this app"),
        ({}, None, expire, "The client secret has expired", "that has not expired"),
        ({"directory": GUID}, None, leave, "There is no such directory", "The Directory (tenant) ID"),
        ({"client_id": GUID}, None, leave, "is not known in that directory", "The Object ID is another."),
        ({}, None, take_permission, "lacks User.Read.All", "with the status Granted"),
    ],
    ids=["wrong secret", "expired secret", "wrong directory", "unknown app", "no permission"],
)
def test_the_test_says_what_was_found_and_what_should_be_there(  # noqa: PLR0913, PLR0917 - a row of a table
    setting: SetUp,
    stand_ins: Environment,
    ids: dict[str, str],
    secret: str | None,
    strike: Callable[[Environment], None],
    found: str,
    should_be: str,
) -> None:
    """Beside the steps that are in order; nothing says that all was."""
    setting.enter_app(**ids)
    setting.enter_secret(**({} if secret is None else {"secret": secret}))
    strike(stand_ins)

    said = setting.test()

    assert f"Found {found}" in said or found in said.partition("Found ")[2]
    assert should_be in said.partition("Should be ")[2]
    assert "In order The client secret looks like one" in said
    assert "In order The users can be searched in Skolon" in said
    assert "UPDATE_SYNC" not in said
    assert "update-sync" not in said
    assert "All was in order" not in text_of(setting.page().text)


def test_what_was_right_a_moment_ago_is_tested_anew(setting: SetUp, stand_ins: Environment) -> None:
    """No token of before hides that the secret has expired since."""
    setting.enter_app()
    setting.enter_secret()
    assert "All is in order." in setting.test()
    expire(stand_ins)
    assert "The client secret has expired" in setting.test()


def test_a_directory_that_hangs_is_not_waited_for(setting: SetUp, stand_ins: Environment) -> None:
    """Each step is told that there was time for."""
    setting.enter_app()
    setting.enter_secret()
    stand_ins.microsoft.faults.add(Fault(effect=Effect.DELAY, kind=Kind.USERS, seconds=HANGS, times=None))
    began = time.monotonic()
    said = setting.test()
    assert time.monotonic() - began < WAITS
    assert "In order The client secret looks like one" in said
    assert "Should be An answer. Try again in a few minutes." in said


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"directory": ""}, "That is no directory id."),
        ({"directory": "common"}, "That is no directory id."),
        ({"directory": "x" * 10_000}, "That is no directory id."),
        ({"directory": "<script>alert(1)</script>"}, "That is no directory id."),
        ({"client_id": "Skolon Update Sync"}, "That is no client id."),
        ({"client_id": "a\0b"}, "That is no client id."),
        ({"client_id": "5a9d0b0c-0000-4000-8000-00000000e4ad"}, "That is the directory's id."),
    ],
)
def test_ids_that_are_none_are_not_saved(
    setting: SetUp, store: Store, fields: dict[str, str], says: str
) -> None:
    """The field says what belongs there."""
    answer = setting.enter_app(**fields)
    assert answer.status_code == 422
    assert says in text_of(answer.text)
    assert "<script>" not in answer.text
    assert not store.tenant_connections.get(setting.tenant).has_app


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"secret": GUID}, "That is the Secret ID: copy the Value."),
        ({"secret": GUID.upper()}, "That is the Secret ID: copy the Value."),
        ({"secret": ""}, "Paste the Value of the client secret."),
        ({"secret": "two words"}, "There is a space in it"),
        ({"secret": "x" * 10_000}, "That is no Value of a client secret"),
        ({"secret": "a\0b~secret~that~nobody~made"}, "That is no Value of a client secret"),
        ({"expires": ""}, "Enter the date"),
        ({"expires": "31 maj"}, "That is no date."),
        ({"expires": "2027-02-31"}, "That is no date."),
        ({"expires": "2019-01-01"}, "That date has passed."),
    ],
)
def test_what_is_no_secret_is_not_saved_and_not_repeated(
    setting: SetUp, store: Store, hub: Hub, fields: dict[str, str], says: str
) -> None:
    """The field is blank again; no page and no log has what was pasted."""
    setting.enter_app()
    answer = setting.enter_secret(**fields)
    assert answer.status_code == 422
    assert says in text_of(answer.text)
    given = fields.get("secret") or setting.app["client_secret"]
    assert given not in answer.text
    assert given not in hub.log.read_text(encoding="utf-8")
    assert store.tenant_connections.get(setting.tenant).secret_set is None


def test_the_second_of_two_people_sees_what_the_first_has_done(setting: SetUp, store: Store) -> None:
    """Nothing is lost: the form that is out of date is refused (412), with what is there now."""
    setting.enter_app()
    old = setting.page()
    setting.enter_app(client_id=GUID)

    answer = setting.send("app", old, directory=setting.app["entra_tenant_id"], client_id=GUID[:-1] + "f")
    assert answer.status_code == 412
    assert "Another person has changed this in the meantime." in text_of(answer.text)
    assert f'value="{GUID}"' in answer.text
    secret = setting.send("secret", old, secret="x" * 40, expires=EXPIRES)
    assert secret.status_code == 412
    assert store.tenants.outline(setting.tenant).client_id == GUID
    assert store.tenant_connections.get(setting.tenant).secret_set is None


def test_a_form_that_is_sent_twice_is_done_once(setting: SetUp, store: Store) -> None:
    """A reload says the same again, and the audit has it once."""
    page = setting.page()
    fields = {"directory": setting.app["entra_tenant_id"], "client_id": setting.app["client_id"]}
    for _ in range(3):
        assert setting.send("app", page, **fields).status_code == 200
    assert events(store, setting.tenant).count(AuditKind.APP_CHANGED) == 1
    version = store.tenant_connections.get(setting.tenant).version
    assert setting.send("app", page, **{**fields, "client_id": GUID}).status_code == 422
    assert store.tenant_connections.get(setting.tenant).version == version


def test_a_sync_without_a_connection_is_not_switched_on(setting: SetUp, hub: Hub, store: Store) -> None:
    """Neither by a form, nor by a command."""
    answer = setting.send("switch", None, sync="on")
    assert (answer.status_code, "is not set up yet" in text_of(answer.text)) == (422, True)
    done = update_sync("tenants", "set", setting.tenant, "--enabled", env=hub.env)
    assert done.returncode == 2
    assert "has no connection to Entra yet" in done.stderr
    assert not store.tenants.outline(setting.tenant).enabled
    assert update_sync("tenants", "show", setting.tenant, env=hub.env).returncode == 0
    assert update_sync("tenants", "check", setting.tenant, env=hub.env).returncode == 1
    assert setting.browser.open(f"tenants/{setting.tenant}/settings/").status_code == 200


def in_use(setting: SetUp) -> None:
    setting.enter_app()
    setting.enter_secret()
    setting.send("switch", None, sync="on")


def test_a_secret_in_use_is_replaced_by_a_right_one_alone(
    setting: SetUp, stand_ins: Environment, store: Store
) -> None:
    """What Entra refuses, or cannot be asked about, is not saved; the date alone can be changed."""
    in_use(setting)
    before = store.tenant_connections.get(setting.tenant)
    refused = setting.enter_secret(secret="another~secret~that~is~wrong")  # noqa: S106 - made up
    assert refused.status_code == 422
    assert "does not accept this secret, so it was not saved" in text_of(refused.text)
    assert "Found The client secret is wrong" in text_of(refused.text)
    stand_ins.microsoft.faults.add(Fault(effect=Effect.ERROR, kind=Kind.TOKEN, status=503, times=None))
    away = setting.enter_secret(secret="one~more~secret~that~may~be~right")  # noqa: S106 - made up
    assert (away.status_code, "Microsoft Entra does not answer" in text_of(away.text)) == (422, True)
    stand_ins.microsoft.faults.clear()
    assert store.tenant_connections.get(setting.tenant) == before
    kinds = events(store, setting.tenant)
    assert kinds.count(AuditKind.SECRET_SET) == 1

    new = f"new~secret~of~{setting.tenant}"
    app = stand_ins.tenant
    stand_ins.microsoft.entra.change(app["entra_tenant_id"], app["client_id"], client_secret=new)
    try:
        assert "It is not shown again." in text_of(setting.enter_secret(secret=new).text)
        assert store.tenants.get(setting.tenant).credentials.client_secret == new
        assert "All is in order." in setting.test()
    finally:
        stand_ins.microsoft.entra.change(
            app["entra_tenant_id"], app["client_id"], client_secret=app["client_secret"]
        )
    later = (dt.date.fromisoformat(EXPIRES) + dt.timedelta(days=9)).isoformat()
    assert "The date is saved." in text_of(setting.enter_secret(secret="", expires=later).text)
    assert store.tenants.get(setting.tenant).credentials.client_secret == new
    assert str(store.tenants.outline(setting.tenant).client_secret_expires) == later


def test_the_app_of_a_sync_in_use_stays(setting: SetUp, store: Store) -> None:
    """It can be entered once the sync is switched off."""
    in_use(setting)
    seen = store.tenant_connections.get(setting.tenant).state
    refused = setting.send(
        "app", None, directory=GUID, client_id=GUID[:-1] + "a", seen=seen, key="no-form-of-ours"
    )
    assert (refused.status_code, "Switch it off before" in text_of(refused.text)) == (422, True)
    assert store.tenants.outline(setting.tenant).client_id == setting.app["client_id"]
    assert "is switched off" in text_of(setting.send("switch", None, sync="off").text)
    assert setting.enter_app(client_id=GUID).status_code == 200
    assert store.tenant_connections.get(setting.tenant).proven is None


def test_an_organisation_that_is_removed_meanwhile_is_not_there(setting: SetUp, store: Store) -> None:
    """Each form answers as to an address that does not exist."""
    page = setting.page()
    store.tenants.remove(setting.tenant)
    for what in ("app", "secret", "test", "switch"):
        fields: dict[str, Any] = {"sync": "on", "directory": GUID, "client_id": GUID}
        assert setting.send(what, page, **fields).status_code == 404


def test_a_reader_sees_no_form(hub: Hub, setting: SetUp) -> None:
    """For a reader there is no such page, and the settings have no link to it."""
    reader = hub.signed_in(f"Lars {setting.tenant}", "reader", setting.tenant)
    assert reader.open(setting.path).status_code == 404
    settings = reader.open(f"tenants/{setting.tenant}/settings/").text
    assert "set-up" not in settings
    assert "Not entered yet." in text_of(settings)
