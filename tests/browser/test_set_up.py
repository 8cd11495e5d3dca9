"""A sync is set up in Chromium: by an operator and an administrator, against the stand-in for Entra."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Final

import pytest

from devtools.browser.browser import Look, axe_script, browser, violations
from sandbox.environment import TENANT_KEY, Environment, serve_environment
from tests.browser.office import tab_to
from tests.certificates import make_certificate
from tests.integration.cli.command_line import add_tenant, database_environment
from tests.integration.hub.browser import running_hub

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from playwright.sync_api import Browser, Page

    from tests.integration.hub.browser import Hub

pytestmark = pytest.mark.xdist_group("browser")

PEOPLE: Final = 40

SECRET_ID: Final = "0f8fad5b-d9cb-469f-a165-70867728950e"  # noqa: S105 - made up

EXPIRES: Final = (dt.datetime.now(dt.UTC).date() + dt.timedelta(days=200)).isoformat()

#: What the pages say, by language.
TEXTS: Final = {
    "sv": {
        "sign in": "Logga in",
        "add": "Lägg till en organisation",
        "name": "Namn",
        "key": "Nyckel",
        "organisation": "Organisation i Skolon",
        "both": "Ja, båda ska skriva till de användarna",
        "add it": "Lägg till",
        "save ids": "Spara de två id:na",
        "value": "Klienthemlighetens värde (Value)",
        "expires": "Går ut",
        "save secret": "Spara hemligheten",
        "use a certificate": "Använd ett certifikat i stället för en klienthemlighet",
        "file": "Fil med privat nyckel och certifikat (PEM)",
        "save certificate": "Spara certifikatet",
        "no key": "Filen saknar privat nyckel.",
        "unknown certificate": "Entra känner inte igen certifikatet",
        "is an id": "Det där är hemlighetens id (Secret ID): kopiera värdet (Value).",
        "test": "Testa anslutningen",
        "wrong": "Klienthemligheten är fel",
        "should be": "Värdet (Value) för en klienthemlighet för den här appen",
        "right": "Allt är i sin ordning.",
        "switch on": "Slå på synken",
        "is on": "Synken är påslagen.",
    },
    "en": {
        "sign in": "Sign in",
        "add": "Add an organisation",
        "name": "Name",
        "key": "Key",
        "organisation": "Organisation in Skolon",
        "both": "Yes, both are to write to these users",
        "add it": "Add",
        "save ids": "Save the two ids",
        "value": "Value of the client secret",
        "expires": "Expires",
        "save secret": "Save the secret",
        "use a certificate": "Use a certificate in place of a client secret",
        "file": "File with private key and certificate (PEM)",
        "save certificate": "Save the certificate",
        "no key": "The file has no private key.",
        "unknown certificate": "Entra does not know the certificate",
        "is an id": "That is the Secret ID: copy the Value.",
        "test": "Test the connection",
        "wrong": "The client secret is wrong",
        "should be": "The Value of a client secret of this app",
        "right": "All is in order.",
        "switch on": "Switch the sync on",
        "is on": "The sync is switched on.",
    },
}


@pytest.fixture(scope="module")
def made_up(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Environment]:
    with serve_environment(tmp_path_factory.mktemp("world"), users=PEOPLE) as served:
        yield served


@pytest.fixture(scope="module")
def hub(made_up: Environment, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hub]:
    folder = tmp_path_factory.mktemp("hub")
    with running_hub(database_environment(folder, **made_up.variables), folder) as running:
        yield running


@pytest.fixture(scope="module")
def program(chromium: Path) -> Iterator[Browser]:
    with browser(chromium) as running:
        yield running


def signed_in(program: Browser, hub: Hub, look: Look, *member: str) -> Page:
    page = program.new_context(base_url=hub.address, **look.options()).new_page()
    page.goto(hub.invite(*member))
    page.get_by_role("button", name=TEXTS[look.language]["sign in"]).click()
    page.wait_for_url(hub.address)
    return page


@pytest.mark.parametrize("look", [Look(language="sv", width=320), Look(language="en", scheme="dark")])
def test_a_sync_is_set_up_with_a_wrong_and_then_a_right_secret(
    program: Browser, hub: Hub, made_up: Environment, look: Look
) -> None:
    """An operator adds it; its administrator does the rest by keyboard, and leaves once in between."""
    texts, key = TEXTS[look.language], f"skola-{look.language}"
    app = made_up.tenant
    page = signed_in(program, hub, look, f"Olle {key}", "operator")
    page.get_by_role("link", name=texts["add"]).first.click()
    page.get_by_label(texts["name"], exact=True).fill(f"Skola {key}")
    page.get_by_label(texts["key"], exact=True).fill(key)
    page.get_by_label(texts["organisation"]).fill(TENANT_KEY)
    page.get_by_role("button", name=texts["add it"], exact=True).click()
    if page.get_by_label(texts["both"]).count():
        page.get_by_label(texts["both"]).check()
        page.get_by_role("button", name=texts["add it"], exact=True).click()
    page.wait_for_url("**/set-up/")
    page.context.close()

    page = signed_in(program, hub, look, f"Ada {key}", "administrator", key)
    axe = axe_script()
    page.goto(f"/tenants/{key}/set-up/")
    assert violations(page, axe) == []
    page.get_by_label("Directory (tenant) ID").fill(app["entra_tenant_id"])
    page.get_by_label("Application (client) ID").fill(app["client_id"])
    page.get_by_role("button", name=texts["save ids"]).press("Enter")
    page.wait_for_url("**done=app**")
    # Left, and taken up again.
    page.goto(f"/tenants/{key}/set-up/")

    page.get_by_label(texts["value"]).fill(SECRET_ID)
    page.get_by_label(texts["expires"]).fill(EXPIRES)
    page.get_by_role("button", name=texts["save secret"]).press("Enter")
    page.get_by_text(texts["is an id"]).wait_for()
    assert violations(page, axe) == []
    assert page.get_by_label(texts["value"]).input_value() == ""
    assert page.get_by_label(texts["expires"]).input_value() == EXPIRES

    page.get_by_label(texts["value"]).fill("a~secret~that~nobody~made~in~entra~0001")
    page.get_by_role("button", name=texts["save secret"]).press("Enter")
    page.wait_for_url("**done=secret**")
    page.get_by_role("button", name=texts["test"]).press("Enter")
    page.get_by_text(texts["wrong"]).wait_for()
    page.get_by_text(texts["should be"]).wait_for()
    assert violations(page, axe) == []
    overflow = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert overflow == 0

    page.get_by_label(texts["value"]).fill(app["client_secret"])
    page.get_by_role("button", name=texts["save secret"]).press("Enter")
    page.wait_for_url("**done=secret**")
    assert app["client_secret"] not in page.content()
    page.get_by_role("button", name=texts["test"]).press("Enter")
    page.get_by_text(texts["right"]).wait_for()
    tab_to(page, texts["switch on"])
    page.keyboard.press("Enter")
    page.get_by_text(texts["is on"]).first.wait_for()
    page.context.close()


@pytest.mark.parametrize("look", [Look(language="sv"), Look(language="en", width=320)])
def test_a_sync_is_set_up_with_a_wrong_and_then_a_right_certificate(
    program: Browser, hub: Hub, made_up: Environment, tmp_path: Path, look: Look
) -> None:
    """By keyboard: a file without its key, one that Entra does not know, and the one that it knows."""
    texts, key, app = TEXTS[look.language], f"cert-{look.language}", made_up.tenant
    add_tenant(hub.env, key, {**app, "name": f"Skola {key}", "enabled": False})
    made, other = make_certificate(), make_certificate()
    made_up.microsoft.entra.change(app["entra_tenant_id"], app["client_id"], certificate=made.certificate)
    file = tmp_path / "app.pem"
    page = signed_in(program, hub, look, f"Ada {key}", "administrator", key)
    axe = axe_script()
    page.goto(f"/tenants/{key}/set-up/")

    def choose(content: str) -> None:
        file.write_text(content, encoding="ascii")
        if not page.get_by_label(texts["file"]).is_visible():
            tab_to(page, texts["use a certificate"])
            page.keyboard.press("Enter")
        page.get_by_label(texts["file"]).set_input_files(file)
        page.get_by_role("button", name=texts["save certificate"]).press("Enter")

    choose(made.certificate)
    page.get_by_text(texts["no key"]).wait_for()
    assert violations(page, axe) == []
    choose(other.both)
    page.wait_for_url("**done=certificate**")
    assert page.get_by_label(texts["expires"]).input_value() == other.expires.isoformat()
    page.get_by_role("button", name=texts["test"]).press("Enter")
    page.get_by_text(texts["unknown certificate"]).wait_for()
    assert violations(page, axe) == []
    choose(made.both)
    page.wait_for_url("**done=certificate**")
    page.get_by_role("button", name=texts["test"]).press("Enter")
    page.get_by_text(texts["right"]).wait_for()
    overflow = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert overflow == 0
    page.context.close()
