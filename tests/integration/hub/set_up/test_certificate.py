"""A certificate in place of a client secret: by page, API and command, against the stand-in for Entra."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from devtools.commands import json_output, update_sync
from schemas.hub.session import AuditKind
from tests.certificates import MadeCertificate, make_certificate
from tests.integration.hub.browser import DEADLINE
from tests.integration.hub.made_up_runs import text_of
from tests.integration.hub.set_up.test_set_up import SetUp, added, events
from tests.integration.hub.set_up.test_set_up_api import ids, program

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import requests

    from sandbox.environment import Environment
    from store.store import Store
    from tests.integration.hub.browser import Browser, Hub

MADE = make_certificate()


@pytest.fixture
def setting(hub: Hub, operator: Browser, store: Store, stand_ins: Environment) -> SetUp:
    setting = SetUp(hub, operator, store, stand_ins)
    setting.enter_app()
    return setting


def upload(stand_ins: Environment, made: MadeCertificate) -> None:
    """Upload the certificate to the app in Entra, as its administrator does."""
    app = stand_ins.tenant
    stand_ins.microsoft.entra.change(app["entra_tenant_id"], app["client_id"], certificate=made.certificate)


def choose(setting: SetUp, content: str) -> requests.Response:
    """Choose a file on the page, and send its form."""
    page = setting.page().text
    form = page.partition(f'action="/{setting.path}certificate')[2].partition("</form>")[0]
    fields = {
        name: form.partition(f'name="{name}" value="')[2].partition('"')[0]
        for name in ("csrf_token", "key", "seen")
    }
    files = {"certificate": ("app.pem", content.encode(), "application/x-pem-file")}
    url = setting.browser.address + setting.path + "certificate"
    return setting.browser.post(url, data=fields, files=files, timeout=DEADLINE)


def test_a_sync_is_set_up_with_a_certificate(
    setting: SetUp, store: Store, hub: Hub, stand_ins: Environment
) -> None:
    """P6: refused by Entra before it is uploaded there; its date is read from it; its key is told nowhere."""
    other = make_certificate()
    upload(stand_ins, other)
    saved = choose(setting, MADE.both)
    assert "The certificate is saved." in text_of(saved.text)
    assert f'value="{MADE.expires}"' in saved.text
    found = setting.test()
    assert "Entra does not know the certificate" in found
    assert "The same certificate, uploaded to this app in Entra" in found

    upload(stand_ins, MADE)
    assert "All is in order." in setting.test()
    assert "is switched on" in text_of(setting.send("switch", None, sync="on").text)
    assert store.tenants.outline(setting.tenant).client_secret_expires == MADE.expires
    assert store.tenants.get(setting.tenant).credentials.client_secret == MADE.both
    assert events(store, setting.tenant).count(AuditKind.SECRET_SET) == 1
    line = MADE.key.splitlines()[1]
    assert line not in saved.text + setting.page().text + hub.log.read_text(encoding="utf-8")

    # While the sync is on, another one is tried first.
    refused = choose(setting, other.both)
    assert (refused.status_code, "was not saved" in text_of(refused.text)) == (422, True)
    assert store.tenants.get(setting.tenant).credentials.client_secret == MADE.both


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "has no private key"),
        ("\xff\x00", "has no private key"),
        (MADE.certificate, "has no private key"),
        (MADE.key, "has no certificate"),
        (MADE.key + make_certificate().certificate, "is not that of the certificate"),
        (make_certificate(password="abcd").both, "has a password"),  # noqa: S106 - made up
        (make_certificate(days=0).both, "has expired"),
        (MADE.both + "x" * 30_000, "too large"),
    ],
)
def test_a_file_that_is_none_is_not_saved(setting: SetUp, store: Store, content: str, said: str) -> None:
    """What is wrong stands beside the field, which is open; nothing of the file is shown."""
    answer = choose(setting, content)
    assert (answer.status_code, said in text_of(answer.text)) == (422, True)
    assert 'id="certificate-fault"' in answer.text
    assert MADE.key.splitlines()[1] not in answer.text
    assert AuditKind.SECRET_SET not in events(store, setting.tenant)


def test_a_certificate_is_no_client_secret(setting: SetUp) -> None:
    """In the field of a secret, which has one line, it is refused."""
    answer = setting.enter_secret(secret=MADE.both.replace("\n", ""))
    assert (answer.status_code, "That is no Value of a client secret" in text_of(answer.text)) == (422, True)


def test_a_program_enters_a_certificate(
    hub: Hub, operator: Browser, store: Store, stand_ins: Environment
) -> None:
    """P6: on the terms of a secret; what is wrong is said, and the connection has its date."""
    tenant = added(operator, store)
    ask: Callable[..., Any] = program(hub, operator, tenant, may_act="yes")
    upload(stand_ins, MADE)
    assert ask("POST", "/app", ids(stand_ins)).status_code == 200
    wrong = ask("POST", "/certificate", {"certificate": MADE.certificate})
    assert (wrong.status_code, wrong.json()["errors"]["certificate"][0][:21]) == (
        422,
        "It has no private key",
    )
    right = ask("POST", "/certificate", {"certificate": MADE.both})
    assert (right.status_code, right.json()["client_secret_expires"]) == (200, str(MADE.expires))
    assert MADE.key.splitlines()[1] not in right.text
    assert ask("POST", "/check", None).json()["works"]


def test_a_command_sets_a_certificate(
    hub: Hub, operator: Browser, store: Store, stand_ins: Environment, tmp_path: Path
) -> None:
    """P6: from a file; the check signs in with it and tells its date, and no command shows it."""
    tenant = added(operator, store)
    app = ids(stand_ins)
    ids_given = ("--entra-tenant-id", app["entra_tenant_id"], "--client-id", app["client_id"])
    file = tmp_path / "app.pem"
    file.write_text(MADE.certificate, encoding="utf-8")
    command = ("tenants", "set", tenant, *ids_given, "--certificate", str(file))
    refused = update_sync(*command, env=hub.env)
    assert (refused.returncode, "--certificate: It has no private key" in refused.stderr) == (2, True)
    file.write_text("nonsense", encoding="utf-8")
    assert "--certificate: It has no private key" in update_sync(*command, env=hub.env).stderr
    both = update_sync(*command, "--client-secret-file", str(file), env=hub.env)
    assert "Give either --client-secret-file or --certificate." in both.stderr

    file.write_text(MADE.both, encoding="utf-8")
    done = update_sync(*command, env=hub.env)
    assert (done.returncode, "client_secret_expires" in done.stdout, done.stderr) == (0, True, "")
    upload(stand_ins, MADE)
    shown = update_sync("tenants", "show", tenant, "--json", env=hub.env).stdout
    assert str(MADE.expires) in shown
    assert "PRIVATE KEY" not in shown
    checked = json_output("tenants", "check", tenant, env=hub.env)
    steps = {step["step"]: step["severity"] for step in checked["steps"]}
    assert (steps["client secret's date"], steps["token from Entra"]) == ("ok", "ok")
    assert "client secret" not in steps
