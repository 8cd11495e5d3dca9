"""Lost messages against a real RabbitMQ: purged, dropped by a policy, or made a dead letter by RabbitMQ."""

from __future__ import annotations

import datetime as dt
import json
from contextlib import closing
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest

from producers.reconciliation.loss_detection import LossTimeouts
from producers.reconciliation.reconciler import Reconciler
from queues.message import tenant_page_message, user_sync_message
from schemas.crypto.encryption import FieldCipher, new_key
from schemas.dead_letter_reasons import Reason
from schemas.details.detail import structured_json
from schemas.errors import Dependency, TransientError
from schemas.messages.messages import TenantPage, UserSync
from schemas.outcomes import Cause, Outcome, Status
from schemas.runs.waits import Wait
from store.store import Store
from tests.contract.queues.broker_probe import RabbitMQProbe, wait_until
from tests.contract.store.factories import CLIENT_SECRET, TENANT, begin_run, result, tenant

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from devtools.services.rabbitmq import RabbitMQ
    from schemas.runs.run import Run, RunSummary

USERS = ("user-a", "user-b", "user-c")
USER_SYNC = "user-sync"
PAGES = "tenant-pages"


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with closing(Store(f"sqlite:///{tmp_path / 'listener.db'}", FieldCipher([new_key()]))) as store:
        store.upgrade()
        store.tenants.add(tenant(), CLIENT_SECRET)
        yield store


@pytest.fixture
def probe(amqp_url: str) -> Iterator[RabbitMQProbe]:
    probe = RabbitMQProbe(amqp_url)
    with closing(probe.broker):
        yield probe


class Scene:
    """A run whose users are published, and a reconciler whose time is ours."""

    def __init__(self, store: Store, probe: RabbitMQProbe, *, read: bool = True) -> None:
        self.store = store
        self.probe = probe
        self.run: Run = begin_run(store, "event", *USERS)
        if read:
            store.runs.finish_reading(self.run.id)
        self.began = dt.datetime.now(dt.UTC)
        self.reconciler = Reconciler(
            store=store,
            queues=probe.broker,
            patience=LossTimeouts(quiet_time=300, quiet_time_in_outage=1200, max_quiet_time=3600),
        )

    def publish(self, *users: str) -> None:
        self.probe.broker.publish([user_message(self.store, self.run.id, user) for user in users or USERS])

    def look(self, *minutes: float) -> list[dict[int, int]]:
        """Look so many minutes after the beginning; return how many of each run were published again."""
        moments = [self.began + dt.timedelta(minutes=minute) for minute in minutes]
        return [dict(self.reconciler.tick(moment).users) for moment in moments]

    def summary(self) -> RunSummary:
        return self.store.runs.summary(self.run.id)

    def in_queue(self) -> list[str]:
        """Take out whose messages lie in the queue."""
        return [json.loads(body)["kwargs"]["user"] for body in self.probe.take_all(USER_SYNC)]


@pytest.fixture
def scene(store: Store, probe: RabbitMQProbe) -> Scene:
    return Scene(store, probe)


def user_message(store: Store, run: int, user: str):  # type: ignore[no-untyped-def] # noqa: ANN201 - dramatiq's
    return user_sync_message(
        store.message_cipher.encrypt_user(UserSync(tenant=TENANT, run=run, user=user, payload=None)),
        give_up_after_hours=24.0,
    )


def test_a_purged_queue_is_filled_again(scene: Scene) -> None:
    """P3: who is pending without a message is published again, once, and the run says how many that were."""
    scene.publish()
    with scene.probe.channel() as channel:
        channel.queue_purge(USER_SYNC)
    scene.store.receipts.finish(scene.run.id, "user-a", result(Outcome.NOT_FOUND))

    assert scene.look(1, 2, 6, 8, 9, 10) == [{}, {}, {}, {scene.run.id: 2}, {}, {}]

    assert scene.in_queue() == ["user-b", "user-c"]
    (warning,) = scene.summary().warnings
    assert warning.as_json() == {
        "kind": "messages_lost",
        "detail": "2 pending users had no message any more: published again",
        "structured_detail": structured_json(warning.detail),
        "users": 2,
    }


def test_what_is_lost_again_waits_twice_as_long(scene: Scene) -> None:
    """A queue that drops whatever comes makes no storm, and the sum is told."""
    assert scene.look(1, 2, 8) == [{}, {}, {scene.run.id: 3}]
    scene.in_queue()
    assert scene.look(9, 15, 18, 20) == [{}, {}, {}, {scene.run.id: 3}]
    scene.in_queue()
    assert scene.look(21, 31, 40, 42) == [{}, {}, {}, {scene.run.id: 3}]
    assert [warning.users for warning in scene.summary().warnings] == [9]


def test_what_lies_in_a_queue_is_not_lost(scene: Scene) -> None:
    """However long the messages wait in the queue, none is published twice."""
    scene.publish("user-a")
    scene.probe.broker.publish_later(user_message(scene.store, scene.run.id, "user-b"), 4000)
    scene.look(1, 2, 60, 61, 120)
    assert scene.in_queue() == ["user-a"]
    assert scene.summary().warnings == ()


def test_who_gave_a_sign_of_life_is_not_lost(scene: Scene) -> None:
    """Who waits in somebody's hand, for a time that is known, is left alone; the others are published."""
    told = scene.began + dt.timedelta(minutes=5)
    wait = Wait(
        service=Dependency.SKOLON, reported=told, next_try=told + dt.timedelta(minutes=20), failed_at=None
    )
    scene.store.waits.record_user(scene.run.id, "user-b", wait)
    scene.look(1, 2, 8, 15)
    assert scene.in_queue() == ["user-a", "user-c"]


def test_while_a_service_is_away_it_takes_longer(scene: Scene) -> None:
    """P8: in an outage messages lie in workers' hands for long, and nobody is published again for that."""
    failed = scene.began + dt.timedelta(minutes=7)
    wait = Wait(service=Dependency.SKOLON, reported=failed, next_try=failed, failed_at=failed, status=501)
    scene.store.waits.record_user(scene.run.id, "user-b", wait)
    assert scene.look(1, 2, 8, 15, 21) == [{}] * 5
    assert scene.look(23)[0] == {scene.run.id: 2}


def test_a_busy_queue_hides_nothing_for_ever(scene: Scene) -> None:
    """Who was published before somebody who is done has left the queue, however full it is with others."""
    scene.publish("user-c")
    with scene.store.database.transaction() as connection:
        connection.exec_driver_sql(
            "UPDATE receipts SET published_at = ? WHERE entra_id = 'user-a'",
            ((scene.began + dt.timedelta(minutes=1)).strftime("%Y-%m-%d %H:%M:%S.000000"),),
        )
        connection.exec_driver_sql(
            "UPDATE receipts SET outcome = 'not_found', finished_at = ? WHERE entra_id = 'user-a'",
            ((scene.began + dt.timedelta(minutes=2)).strftime("%Y-%m-%d %H:%M:%S.000000"),),
        )
        connection.exec_driver_sql(
            "UPDATE receipts SET published_at = ? WHERE entra_id = 'user-c'",
            ((scene.began + dt.timedelta(minutes=3)).strftime("%Y-%m-%d %H:%M:%S.000000"),),
        )
    scene.look(0.2, 0.5, 7)
    assert scene.in_queue() == ["user-c", "user-b"]


def test_a_quick_run_says_nothing_about_the_users_of_others(scene: Scene) -> None:
    """P3: who is done out of turn proves nothing: those who still lie in the queue are not lost."""
    scene.publish("user-b", "user-c")
    quick = begin_run(scene.store, "quick", "user-d", "user-e", quick=True)
    scene.store.receipts.finish(quick.id, "user-d", result(Outcome.NOT_FOUND))
    scene.look(1, 2, 8, 60)
    assert scene.in_queue() == ["user-b", "user-c"]


def test_a_lost_quick_user_waits_for_no_other(scene: Scene) -> None:
    """P3: a quick user without a message is published again, and quickly, while thousands of others wait."""
    scene.publish()
    quick = begin_run(scene.store, "quick", "user-d", quick=True)
    assert scene.look(1, 2, 8) == [{}, {}, {quick.id: 1}]
    (body,) = scene.probe.take_all(f"{USER_SYNC}.quick")
    assert json.loads(body)["kwargs"]["user"] == "user-d"
    assert scene.in_queue() == list(USERS)


def test_an_outage_between_looks_begins_anew(scene: Scene) -> None:
    """What was seen before RabbitMQ was away counts no more: it is looked at anew."""
    scene.look(1, 2)
    broker = scene.reconciler._queues  # noqa: SLF001 - to cause an outage
    scene.reconciler._queues = _Away()  # type: ignore[assignment] # noqa: SLF001 - as said
    with pytest.raises(TransientError):
        scene.look(3)
    scene.reconciler._queues = broker  # noqa: SLF001 - its end
    assert scene.look(8, 9, 13, 15)[-2:] == [{}, {scene.run.id: 3}]


class _Away:
    """A broker that is away."""

    def __getattr__(self, name: str) -> object:
        raise TransientError(Dependency.BROKER, "RabbitMQ is away")


@pytest.mark.parametrize("strategy", ["at-least-once", "at-most-once"])
def test_what_a_policy_drops_is_published_again(
    scene: Scene, rabbitmq: RabbitMQ, amqp_url: str, strategy: str
) -> None:
    """P3, P9: an operator's TTL fails nobody: the users are published again, and no dead letter is left."""
    vhost = urlsplit(amqp_url).path.removeprefix("/")
    limit = {"message-ttl": 1, "dead-letter-strategy": strategy}
    policy = {"pattern": "^user-sync$", "definition": limit, "apply-to": "queues", "priority": 1}
    rabbitmq.call("PUT", f"/policies/{vhost}/ttl", policy)
    scene.publish()
    wait_until(lambda: scene.probe.count(USER_SYNC) == 0, "the policy's work")
    wait_until(lambda: scene.probe.count(f"{USER_SYNC}.XQ") == len(USERS), "RabbitMQ's dead letters")
    rabbitmq.call("DELETE", f"/policies/{vhost}/ttl")

    scene.look(1, 2, 8)

    assert sorted(scene.in_queue()) == sorted(USERS)
    assert scene.probe.count(f"{USER_SYNC}.XQ") == 0
    assert [warning.users for warning in scene.summary().warnings] == [3]
    assert scene.summary().counts == {Outcome.PENDING: 3}


def test_a_dead_letter_that_rabbitmq_made_gets_its_receipt(scene: Scene) -> None:
    """P3, P9: nobody lists letters, and the receipt gets its outcome all the same, and the run its end."""
    scene.publish("user-c")
    for user in ("user-a", "user-b"):
        scene.store.receipts.finish(scene.run.id, user, result(Outcome.NOT_FOUND))
    with scene.probe.channel() as channel:
        method, _, _ = channel.basic_get(USER_SYNC)
        channel.basic_reject(method.delivery_tag, requeue=False)
    wait_until(lambda: scene.probe.count(f"{USER_SYNC}.XQ") == 1, "RabbitMQ's dead letter")

    assert scene.look(1, 2, 8) == [{}] * 3

    summary = scene.summary()
    assert (summary.run.status, summary.reasons) == (Status.COMPLETED, {Reason.BUG: 1})
    assert summary.published == sum(summary.counts.values()) == len(USERS)
    assert scene.probe.count(f"{USER_SYNC}.XQ") == 1


def test_a_lost_page_has_the_list_begun_again(store: Store, probe: RabbitMQProbe) -> None:
    """P3: a run that is being read and whose page has no message any more reads on, a few times at most."""
    scene = Scene(store, probe, read=False)
    pages = [scene.reconciler.tick(scene.began + dt.timedelta(minutes=m)).pages for m in (1, 2, 6, 8, 9)]
    assert pages == [(), (), (), (scene.run.id,), ()]
    (body,) = probe.take_all(PAGES)
    fields = json.loads(body)["kwargs"]
    assert (fields["attempt"], fields["number"], fields["link"]) == (2, 1, None)
    assert "page_lost" in [warning.kind for warning in scene.summary().warnings]
    for minute in range(30, 800, 30):
        scene.look(minute)
        probe.take_all(PAGES)
    assert scene.summary().run.cause == Cause.PAGE_TOKEN


def test_a_page_that_rabbitmq_made_a_dead_letter_halts_its_run(store: Store, probe: RabbitMQProbe) -> None:
    """P9: a page that RabbitMQ gave up halts its run, which says why; it is not read again and again."""
    scene = Scene(store, probe, read=False)
    page = TenantPage(tenant=TENANT, run=scene.run.id, attempt=1, number=1, link=None)
    probe.broker.publish(
        [tenant_page_message(store.message_cipher.sign_page(page), give_up_after_hours=24.0)]
    )
    with probe.channel() as channel:
        method, _, _ = channel.basic_get(PAGES)
        channel.basic_reject(method.delivery_tag, requeue=False)
    wait_until(lambda: probe.count(f"{PAGES}.XQ") == 1, "RabbitMQ's dead letter")
    scene.look(1, 2, 8)
    run = scene.summary().run
    assert (run.status, run.cause) == (Status.HALTED, Cause.BUG)
    assert "a page was not read" in (run.detail or "")


def test_one_process_looks_at_a_time(database_url: str, probe: RabbitMQProbe) -> None:
    """On PostgreSQL one of several looks, and who has no turn does not believe what it saw before."""
    with closing(Store(database_url, FieldCipher([new_key()]))) as store:
        store.upgrade()
        store.tenants.add(tenant(), CLIENT_SECRET)
        scene = Scene(store, probe)
        scene.look(1, 2)
        with store.lost_messages.try_lock() as mine:
            assert mine
            assert scene.look(8) == [{}]
        assert scene.look(9, 10, 16) == [{}, {}, {scene.run.id: 3}]
