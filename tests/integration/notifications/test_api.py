"""Notifications for programs: changed and tested with a token, and no address in an answer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import requests

from schemas.hub.session import AuditKind
from tests.integration.hub.browser import DEADLINE, running_hub
from tests.integration.hub.described import play_described
from tests.integration.notifications.conftest import TENANT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.integration.hub.browser import Hub
    from tests.integration.notifications.conftest import Scene


@pytest.fixture
def hub(scene: Scene, tmp_path: Path) -> Iterator[Hub]:
    with running_hub(scene.env, tmp_path) as running:
        yield running


@pytest.fixture
def secret(hub: Hub) -> str:
    browser = hub.signed_in("Ada", "administrator", TENANT)
    made = browser.submit(f"tenants/{TENANT}/tokens/", None, label="Monitor", may_act="yes")
    return made.text.partition('class="hub-secret">')[2].partition("<")[0]


@pytest.fixture
def ask(hub: Hub, secret: str) -> Callable[..., Any]:
    def send(path: str = "", body: Any = None, key: str = "", **headers: str) -> requests.Response:
        url = f"{hub.address}api/v1/syncs/{TENANT}/notifications{path}"
        sent = {"Authorization": f"Bearer {secret}", "Idempotency-Key": key or "k", **headers}
        if not key:
            return requests.get(url, headers=sent, timeout=DEADLINE)
        return requests.post(url, json=body, headers=sent, timeout=DEADLINE)

    return send


def test_a_program_changes_and_tests_what_the_page_does(scene: Scene, ask: Callable[..., Any]) -> None:
    """Once for each key, against the state that was read; an answer has counts in place of addresses."""
    before = ask().json()
    change = {"recipients": ["a@exempel.example", "b@exempel.example"], "most_failed": 4}
    state = {"If-Match": before["state"]}
    answers = [ask("", change, key="one", **state) for _ in range(2)]
    assert [each.status_code for each in answers] == [200, 200]
    assert (answers[0].json()["recipients"], answers[0].json()["most_failed"]) == (2, 4)
    assert ask("", {"most_failed": 5}, key="two", **state).status_code == 412
    wrong = ask("", {"quiet_from": "22:00"}, key="three")
    assert (wrong.status_code, list(wrong.json()["errors"])) == (422, ["quiet_to"])
    wrong = ask("", {"webhook_url": "https://10.0.0.1/x"}, key="local")
    assert (wrong.status_code, list(wrong.json()["errors"])) == (422, ["webhook_url"])

    assert ask("/test", {"channel": "mail"}, key="four").json() == {"answers": ["accepted 250"] * 2}
    secrets = [ask("/secret", key="five").json()["webhook_secret"] for _ in range(2)]
    assert secrets == [scene.store.notification_settings.secret(TENANT), None]
    assert not {"@exempel.example", "whsec_", scene.hook.url} & set(ask().text.split('"'))
    kinds = [each.kind for each in scene.store.hub_audit.page([TENANT]).entries]
    assert kinds.count(AuditKind.NOTIFICATIONS_CHANGED) == 1
    assert ask("", {"webhook_url": None}, key="six").status_code == 200
    assert ask("/secret", key="seven").json()["errors"]["action"] == ["no_webhook"]
    assert ask("/test", {"channel": "webhook"}, key="eight").json()["errors"]["action"] == ["no_receiver"]


def test_only_what_is_described_is_answered(scene: Scene, hub: Hub, secret: str) -> None:
    """Right and wrong things: no 5xx, and no undocumented answer."""
    scene.mail.stop()
    play_described(hub, secret, {"tenant": TENANT}, "/notifications")
