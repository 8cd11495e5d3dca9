"""Mail and webhooks on their way: servers that are away, refuse, or must not be asked."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Final

import pytest

from administration.notifications.rounds import tick
from cli.notifications.senders import open_senders
from clients.notifications.addresses import is_public
from clients.notifications.webhook import WebhookSender, new_secret, sign
from devtools.commands import update_sync
from schemas.notifications.delivery import BACKOFF, AnswerKind, DeliveryStatus
from tests.integration.hub.made_up_runs import FAILED, USERS, finish, start
from tests.integration.notifications.conftest import RECIPIENT, TENANT
from tests.integration.notifications.receivers import EncryptedMailServer
from tests.integration.notifications.test_telling import load_settings_of

if TYPE_CHECKING:
    from pathlib import Path

    from tests.integration.notifications.conftest import Scene

MINUTE: Final = dt.timedelta(minutes=1)


@pytest.fixture
def failing(scene: Scene) -> Scene:
    run = start(scene.store, TENANT, "one")
    finish(scene.store, run, {USERS[0]: FAILED})
    return scene


def states(scene: Scene) -> list[tuple[str, str, int, str | None]]:
    """Return the last deliveries, as the command shows them."""
    shown = scene.run("show", TENANT)["deliveries"]
    return [(each["channel"], each["status"], each["attempts"], each["answer"]) for each in shown]


def later(scene: Scene, after: dt.timedelta) -> int:
    senders = open_senders(load_settings_of(scene.env), scene.store)
    return tick(dt.datetime.now(dt.UTC) + after, senders=senders, store=scene.store)


def test_what_a_server_that_is_away_misses_is_delivered_when_it_is_back(failing: Scene) -> None:
    """Later each time; a webhook and mail do not wait for each other."""
    failing.mail.stop()
    assert failing.send() == 1
    assert states(failing) == [
        ("webhook", "sent", 1, "accepted 204"),
        ("mail", "waiting", 1, "no_connection"),
    ]
    assert failing.send() == 0
    failing.mail.start()
    assert failing.send() == 0
    assert later(failing, BACKOFF[0] + MINUTE) == 1
    assert ("mail", "sent", 2, "accepted 250") in states(failing)
    assert len(failing.mail.mails) == 1


def test_what_is_never_taken_is_given_up_after_days(failing: Scene) -> None:
    """The webhook has the same id each time, so that its receiver knows it again."""
    failing.hook.status = 503
    failing.send()
    passed = dt.timedelta()
    for pause in BACKOFF:
        passed += pause + MINUTE
        later(failing, passed)
    assert ("webhook", "failed", len(BACKOFF) + 1, "refused 503") in states(failing)
    assert (len(failing.hook.ids), len(set(failing.hook.ids))) == (len(BACKOFF) + 1, 1)
    assert passed > dt.timedelta(days=2)


@pytest.mark.parametrize(
    ("answer", "status"),
    [("550 no such user", DeliveryStatus.FAILED), ("451 try again later", DeliveryStatus.WAITING)],
)
def test_a_refused_receiver_keeps_no_other_from_the_mail(failing: Scene, answer: str, status: str) -> None:
    """5xx is for good, and 4xx is tried again; the text of the answer, which may name people, is not kept."""
    other = "rektor@exempel.example"
    failing.run("set", TENANT, "--recipient", other, "--recipient", RECIPIENT, "--no-webhook")
    failing.mail.refused[other] = answer
    assert failing.send() == 1
    assert [recipient for recipient, _ in failing.mail.mails] == [RECIPIENT]
    assert states(failing)[-1] == ("mail", status, 1, f"refused {answer[:3]}")
    [refused] = [each for each in failing.run("show", TENANT)["deliveries"] if each["recipient"] == other]
    done = update_sync("notifications", "show", TENANT, env={**failing.env, "COLUMNS": "250"})
    [row] = [line for line in done.stdout.splitlines() if line.strip().startswith(refused["delivery"])]
    assert other in row
    assert ("refused for good (550)" if answer.startswith("5") else "refused for now (451)") in row


def test_a_receiver_that_was_taken_out_meanwhile_gets_nothing(failing: Scene) -> None:
    """Also what waits for it."""
    failing.mail.stop()
    failing.send()
    failing.mail.start()
    failing.run("set", TENANT, "--no-recipients")
    assert later(failing, BACKOFF[0] + MINUTE) == 0
    assert failing.mail.mails == []


def test_a_webhook_that_is_gone_for_good_is_not_asked_again(failing: Scene) -> None:
    """410; and a redirect leads nowhere."""
    failing.hook.status = 410
    failing.send()
    assert ("webhook", "failed", 1, "refused 410") in states(failing)


def test_a_redirect_is_not_followed(failing: Scene) -> None:
    """It could lead to where nothing may be sent."""
    failing.hook.status = 307
    failing.hook.headers = {"Location": failing.hook.url}
    failing.send()
    assert ("webhook", "waiting", 1, "refused 307") in states(failing)
    assert len(failing.hook.bodies) == 1
    done = update_sync("notifications", "test", TENANT, "--channel", "webhook", env=failing.env)
    assert "redirects are not followed (307)" in done.stdout


@pytest.mark.parametrize(
    "url",
    [
        "http://example.org/hook",
        "https://169.254.169.254/latest",
        "https://localhost./x",
        "https://a.localhost/",
        "https://2130706433/",
        "https://127.1/",
        "https://[::1]/",
        "http://9.9.9.9/",
    ],
)
def test_an_address_that_is_never_asked_is_refused_when_it_is_saved(scene: Scene, url: str) -> None:
    """As far as it is known then, unless it is in the operator's own networks."""
    before = scene.store.notification_settings.get(TENANT)
    env = {**scene.env, "UPDATE_SYNC_WEBHOOK_NETWORKS": ""}
    done = update_sync("notifications", "set", TENANT, "--webhook", url, env=env)
    assert (done.returncode, "Not an address that the whole internet can reach" in done.stderr) == (2, True)
    assert scene.store.notification_settings.get(TENANT) == before
    scene.run("set", TENANT, "--webhook", "http://127.0.0.1:1/x")
    scene.run("set", TENANT, "--webhook", "https://9.9.9.9/x")


def test_two_spellings_of_an_address_are_one(scene: Scene) -> None:
    """As it was written first; also between two lists, of which a test sends one."""
    spelt = ("--recipient", "Anna@exempel.example", "--recipient", "ANNA@exempel.example")
    scene.run("set", TENANT, *spelt, "--repair-entra", "anna@Exempel.example")
    assert scene.run("show", TENANT)["settings"]["recipients"] == ["Anna@exempel.example"]
    scene.run("test", TENANT, "--channel", "mail")
    assert len(scene.mail.mails) == 1


@pytest.mark.parametrize(
    "url",
    [
        "https://localhost/",
        "https://127.0.0.1/",
        "https://2130706433/",
        "https://[::1]/",
        "https://[::ffff:127.0.0.1]/",
        "https://169.254.169.254/latest/meta-data/",
        "https://10.0.0.1/",
        "https://[fd00::1]/",
        "https://0.0.0.0/",
        "http://localhost/",
    ],
)
def test_no_school_reaches_an_address_of_ours(url: str) -> None:
    """Whatever its name: nothing is connected to, and the answer is that."""
    now = dt.datetime.now(dt.UTC)
    answer = WebhookSender().send(url, new_secret(), "msg_1", b"{}", now)
    assert answer.kind is AnswerKind.ADDRESS_REFUSED


def test_a_public_address_is_one_that_the_internet_reaches() -> None:
    """Also where one stands for another: IPv4 within IPv6."""
    assert all(map(is_public, ("9.9.9.9", "2620:fe::fe", "::ffff:9.9.9.9", "64:ff9b::909:909")))
    ours = (
        "192.168.1.1", "100.64.0.1", "224.0.0.1", "ff02::1", "fe80::1%eth0", "64:ff9b::a00:1",
        "2002:7f00:1::", "2001:0:7f00:1::", "::",
    )  # fmt: skip
    assert not any(map(is_public, ours))


def test_the_signature_is_that_of_the_specification() -> None:
    """Its own example (Standard Webhooks, section on symmetric signatures)."""
    found = sign(
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330,
        b'{"test": 2432232314}',
    )  # fmt: skip
    assert found == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_mail_is_sent_encrypted_and_signed_in(failing: Scene, tmp_path: Path) -> None:
    """STARTTLS, with the operator's own authority; a wrong password is told as that."""
    with EncryptedMailServer(tmp_path) as server:
        failing.run("set", TENANT, "--no-webhook")
        wrong = {**failing.env, **server.variables("wrong")}
        assert tell(wrong, TENANT) == (1, "the mail server refused the user or password")
        assert tell({**wrong, "UPDATE_SYNC_CA_BUNDLE": ""}, TENANT) == (
            1,
            "no encrypted connection could be made",
        )
        right = {**failing.env, **server.variables("right#pass:word")}
        assert tell(right, TENANT) == (0, "accepted (250)")
        assert server.subjects == ["Exempelkommun: a test of the notifications"]


def tell(env: dict[str, str], tenant: str) -> tuple[int, str]:
    """Send a test of mail; return the exit code, and what was said of the answer."""
    done = update_sync("notifications", "test", tenant, "--channel", "mail", env=env)
    said = done.stdout.strip().partition(": ")[2]
    return done.returncode, said.partition(" of UPDATE_SYNC")[0]


def test_a_test_is_answered_at_once_and_not_tried_again(scene: Scene) -> None:
    """Exit code 1 if it was not taken; without a receiver it is wrong use."""
    scene.run("test", TENANT, "--channel", "webhook")
    assert [each["type"] for each in scene.hook.bodies] == ["test"]
    scene.hook.status = 500
    done = update_sync("notifications", "test", TENANT, "--channel", "webhook", env=scene.env)
    assert (done.returncode, done.stdout) == (1, "webhook: refused (500)\n")
    assert states(scene)[0] == ("webhook", "failed", 1, "refused 500")
    without = ("notifications", "set", "--repair-day", "monday")
    assert "give a TENANT" in update_sync(*without, env=scene.env).stderr
    none = update_sync("notifications", "test", "--channel", "mail", env=scene.env)
    assert (none.returncode, "There is no receiver by mail" in none.stderr) == (2, True)
