"""The connection to Entra by the API: what the page does, with a token that may act."""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING, Any, Final

import pytest
import requests

from schemas.hub.session import AuditKind
from tests.integration.hub.browser import DEADLINE
from tests.integration.hub.set_up.test_set_up import EXPIRES, GUID, added, events

if TYPE_CHECKING:
    from collections.abc import Callable

    from sandbox.environment import Environment
    from store.store import Store
    from tests.integration.hub.browser import Browser, Hub

KEYS: Final = count(1)

Ask = Any


@pytest.fixture
def tenant(operator: Browser, store: Store) -> str:
    return added(operator, store)


def program(hub: Hub, operator: Browser, tenant: str, **fields: str) -> Callable[..., requests.Response]:
    made = operator.submit(f"tenants/{tenant}/tokens/", None, label=f"Program {next(KEYS)}", **fields)
    secret = made.text.partition('class="hub-secret">')[2].partition("<")[0]

    def ask(method: str, path: str = "", body: Any = None, **headers: str) -> requests.Response:
        sent = {"Authorization": f"Bearer {secret}", "Idempotency-Key": f"key-{next(KEYS)}", **headers}
        url = f"{hub.address}api/v1/syncs/{tenant}/connection{path}"
        return requests.request(method, url, headers=sent, json=body, timeout=DEADLINE)

    return ask


@pytest.fixture
def ask(hub: Hub, operator: Browser, tenant: str) -> Callable[..., requests.Response]:
    return program(hub, operator, tenant, may_act="yes")


def ids(stand_ins: Environment, **other: str) -> dict[str, str]:
    app = stand_ins.tenant
    return {"entra_tenant_id": app["entra_tenant_id"], "client_id": app["client_id"], **other}


def test_a_program_sets_a_sync_up(ask: Ask, tenant: str, store: Store, stand_ins: Environment) -> None:
    """The ids, the secret, the test, and on; each answer has the connection, and none the secret."""
    assert ask("GET").json()["entra_tenant_id"] is None
    assert ask("POST", "/check").json()["errors"] == {"action": ["not_set_up"]}
    assert ask("POST", "/switch", {"enabled": True}).status_code == 409
    assert ask("POST", "/app", ids(stand_ins)).status_code == 200
    secret = stand_ins.tenant["client_secret"]
    body = {"client_secret": secret, "client_secret_expires": EXPIRES}
    entered = ask("POST", "/secret", body)
    assert entered.json()["client_secret_expires"] == EXPIRES
    checked = ask("POST", "/check").json()
    assert (checked["works"], checked["complete"]) == (True, True)
    switched = ask("POST", "/switch", {"enabled": True})
    assert (switched.json()["enabled"], switched.json()["proven"] is not None) == (True, True)
    assert secret not in entered.text + switched.text
    kinds = [AuditKind.APP_CHANGED, AuditKind.SECRET_SET, AuditKind.SYNC_SWITCHED_ON]
    assert [kind for kind in events(store, tenant) if kind in kinds] == kinds


def test_what_is_wrong_is_named(ask: Ask, stand_ins: Environment) -> None:
    """By its field, and without its value."""
    wrong = ask("POST", "/app", ids(stand_ins, client_id="x"))
    assert (wrong.status_code, set(wrong.json()["errors"])) == (422, {"client_id"})
    ask("POST", "/app", ids(stand_ins))
    guid = ask("POST", "/secret", {"client_secret": GUID})
    assert (guid.status_code, GUID in guid.text) == (422, False)
    assert guid.json()["errors"]["client_secret"] == ["This is the Secret ID: give the Value."]
    ask("POST", "/secret", {"client_secret": "wrong~one"})
    checked = ask("POST", "/check").json()
    severities = {step["step"]: step["severity"] for step in checked["steps"]}
    assert (checked["works"], severities["token from Entra"]) == (False, "error")


def test_a_change_that_is_meant_for_another_state_is_refused(ask: Ask, stand_ins: Environment) -> None:
    """412 with If-Match; the same key is done once, and for nothing else."""
    state = ask("GET").json()["state"]
    first = ask("POST", "/app", ids(stand_ins), **{"If-Match": state, "Idempotency-Key": "same"})
    assert first.status_code == 200
    assert first.json()["state"] != state
    other = ids(stand_ins, client_id=GUID)
    assert ask("POST", "/app", other, **{"If-Match": state}).status_code == 412
    assert ask("POST", "/app", ids(stand_ins), **{"If-Match": state, "Idempotency-Key": "same"}).ok
    reused = ask("POST", "/app", other, **{"Idempotency-Key": "same"})
    assert reused.json()["errors"] == {"action": ["key_reused"]}
    assert ask("POST", "/app", other, **{"If-Match": "x" * 3000}).status_code == 422


def test_a_token_that_reads_sets_nothing_up(
    hub: Hub, operator: Browser, tenant: str, stand_ins: Environment
) -> None:
    """It reads the connection alone, and one of another tenant not even that."""
    reads = program(hub, operator, tenant)
    assert reads("GET").status_code == 200
    for path, body in (("/app", ids(stand_ins)), ("/check", None), ("/switch", {"enabled": True})):
        assert reads("POST", path, body).status_code == 403
    other = program(hub, operator, "annan", may_act="yes")
    assert other("GET").status_code == 200
    url = f"{hub.address}api/v1/syncs/{tenant}/connection"
    sent = {"Authorization": other("GET").request.headers["Authorization"]}
    assert requests.get(url, headers=sent, timeout=DEADLINE).status_code == 404
