"""One suite for both brokers: what is published, worked off, tried again, and kept as a dead letter."""

from __future__ import annotations

import json
import logging
import time
from typing import TYPE_CHECKING, Any, Final

import pytest
import structlog
from dramatiq import Message, common

from queues.actor import current_message_id, declare_actor
from queues.message import tenant_sync_message, user_sync_message
from schemas.dead_letter_reasons import Reason
from schemas.errors import Dependency, HaltError, PermanentError, TransientError, UsageError
from schemas.messages.messages import (
    METADATA_KEY,
    TENANT_SYNC_QUEUE,
    USER_SYNC_QUEUE,
    SyncRequest,
    UserSync,
)
from schemas.outcomes import Cause, Stage
from tests.contract.queues.broker_probe import (
    BrokerProbe,
    Calls,
    MemoryProbe,
    RabbitMQProbe,
    RecordingListener,
    dead_letter_bodies,
    running_worker,
    wait_until,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from structlog.typing import EventDict

#: Stands for a value of somebody: it must be found in no log and in no dead letter's own section.
SECRET: Final = "hemlig-uppgift"  # noqa: S105 - made up, opens nothing

#: Ends an unforeseen failure's tries at once: it has had its others already.
LAST_TRY: Final = {METADATA_KEY: {"attempts": 2}}

BUSY: Final = TransientError(Dependency.SKOLON, "status 503", retry_after=0)
WRONG: Final = PermanentError(Reason.INVALID_USER, Stage.MAP, "eppn: must have exactly one @")
NO_RIGHTS: Final = HaltError(Cause.SKOLON_CREDENTIALS, "status 401")


def user_message(user: str = "u1", **options: Any) -> Message[Any]:
    fields = UserSync(tenant="kommun", run=7, user=user, payload=SECRET)
    return user_sync_message(fields, give_up_after_hours=24).copy(options=options)


def envelope(**changes: Any) -> bytes:
    """Return a message as a foreign client might make it, with some fields changed."""
    fields = json.loads(user_message().encode())
    return json.dumps({**fields, **changes}).encode()


GARBAGE: Final = {
    "no bytes": b"",
    "no text": b"\xff\xfe\x00 " + SECRET.encode(),
    "no JSON": SECRET.encode(),
    "half a message": envelope()[:-3],
    "JSON that is no object": json.dumps([SECRET]).encode(),
    "null": b"null",
    "a number": b"12",
    "deep nesting": b"[" * 100_000,
    "no envelope": json.dumps({"namn": SECRET}).encode(),
    "more than an envelope": envelope(extra=SECRET),
    "options that are a list": envelope(options=[SECRET]),
    "kwargs that are a string": envelope(kwargs=SECRET),
    "args that are an object": envelope(args={"a": SECRET}),
    "a queue name that is a number": envelope(queue_name=1),
    "an actor name that is null": envelope(actor_name=None),
    "a message id that is a list": envelope(message_id=[SECRET]),
    "a time that is a string": envelope(message_timestamp=SECRET),
}


class BrokerContract:
    """What holds of every broker of ours."""

    @pytest.fixture
    def probe(self) -> Any:
        raise NotImplementedError

    @pytest.fixture
    def listener(self) -> RecordingListener:
        return RecordingListener()

    @pytest.fixture
    def events(self, caplog: pytest.LogCaptureFixture) -> Iterator[list[EventDict]]:
        """Give our log's events, and let the libraries log as much as they do in production."""
        caplog.set_level(logging.WARNING)
        with structlog.testing.capture_logs() as events:
            yield events

    def declare(self, probe: BrokerProbe, calls: Calls, listener: RecordingListener) -> None:
        declare_actor(probe.broker, calls, name="user_sync", queue=USER_SYNC_QUEUE, failure_listener=listener)

    def dead_letters(self, probe: BrokerProbe, count: int, queue: str = USER_SYNC_QUEUE) -> list[bytes]:
        """Wait for dead letters; there must be as many as `count` and no more."""
        probe.broker.declare_queue(queue)
        wait_until(lambda: len(dead_letter_bodies(probe.broker, queue)) >= count, f"{count} dead letters")
        dead_letters = dead_letter_bodies(probe.broker, queue)
        assert len(dead_letters) == count
        return dead_letters

    def assert_all_acknowledged(self, probe: BrokerProbe, queue: str = USER_SYNC_QUEUE) -> None:
        """With no worker left, what was not acknowledged would be back."""
        assert probe.take_all(queue) == []
        assert probe.take_all(f"{queue}.DQ") == []

    def assert_nothing_leaked(self, events: list[EventDict], caplog: pytest.LogCaptureFixture) -> None:
        assert SECRET not in repr(events)
        assert SECRET not in caplog.text

    def test_a_page_is_published_whole_and_in_order(self, probe: BrokerProbe) -> None:
        """P2: what `publish` has returned from is there, all of it, in each queue in its order."""
        page = [user_message(f"u{number}") for number in range(999)]
        trigger = tenant_sync_message(SyncRequest(tenant="kommun"), event_id="e1")
        probe.broker.publish([*page, trigger])
        assert probe.take_all(USER_SYNC_QUEUE) == [message.encode() for message in page]
        assert probe.take_all(TENANT_SYNC_QUEUE) == [trigger.encode()]

    def test_publishing_nothing_is_nothing(self, probe: BrokerProbe) -> None:
        """An empty page publishes nothing and fails nowhere."""
        probe.broker.publish([])

    def test_every_message_reaches_its_actor_once(
        self, probe: BrokerProbe, listener: RecordingListener
    ) -> None:
        """P2: a page of messages is worked off, each one once, and nothing stays behind."""
        calls = Calls()
        self.declare(probe, calls, listener)
        probe.broker.publish([user_message(f"u{number}") for number in range(100)])
        with running_worker(probe.broker):
            wait_until(lambda: len(calls.done) >= 100, "all messages")
        assert sorted(call["user"] for call in calls.done) == sorted(f"u{number}" for number in range(100))
        assert calls.done[0] == {
            "tenant": "kommun",
            "run": 7,
            "user": calls.done[0]["user"],
            "payload": SECRET,
        }
        self.assert_all_acknowledged(probe)
        assert self.dead_letters(probe, 0) == []

    def test_a_dead_letter_that_is_not_kept_is_recorded_all_the_same(
        self, probe: BrokerProbe, listener: RecordingListener
    ) -> None:
        """A dry run's failure is told to the listener, and leaves no message anywhere."""
        listener.keeps = False
        self.declare(probe, Calls(failures=[WRONG]), listener)
        probe.broker.publish([user_message()])
        with running_worker(probe.broker):
            wait_until(lambda: bool(listener.dead_letters), "the receipt")
        self.assert_all_acknowledged(probe)
        assert self.dead_letters(probe, 0) == []

    def test_a_permanent_error_is_a_dead_letter_that_says_why(
        self,
        probe: BrokerProbe,
        listener: RecordingListener,
        events: list[EventDict],
        caplog: pytest.LogCaptureFixture,
    ) -> None:
        """P9: a dead letter holds the message, the reason, since when and after how many tries."""
        calls = Calls(failures=[WRONG])
        self.declare(probe, calls, listener)
        sent = user_message()
        probe.broker.publish([sent])
        with running_worker(probe.broker):
            (body,) = self.dead_letters(probe, 1)
            wait_until(lambda: bool(listener.dead_letters), "the books")
        dead_letter = Message.decode(body)
        section = dead_letter.options[METADATA_KEY]
        assert dead_letter.kwargs == sent.kwargs
        assert dead_letter.message_id == sent.message_id
        assert {name: section[name] for name in ("reason", "stage", "detail", "attempts", "version")} == {
            "reason": "invalid_user",
            "stage": "map",
            "detail": "eppn: must have exactly one @",
            "attempts": 1,
            "version": "test",
        }
        assert section["dead_since"].endswith("+00:00")
        ((message, told, attempts),) = listener.dead_letters
        assert (message.kwargs["user"], told.reason, told.stage, attempts) == (
            "u1",
            Reason.INVALID_USER,
            Stage.MAP,
            1,
        )
        assert len(calls.seen) == 1
        self.assert_all_acknowledged(probe)
        self.assert_nothing_leaked(events, caplog)

    def test_a_transient_error_is_tried_again(
        self,
        probe: BrokerProbe,
        listener: RecordingListener,
        events: list[EventDict],
        caplog: pytest.LogCaptureFixture,
    ) -> None:
        """P8: what fails for the moment comes again until it is done, and is no dead letter."""
        calls = Calls(failures=[BUSY, BUSY, BUSY])
        self.declare(probe, calls, listener)
        probe.broker.publish([user_message()])
        with running_worker(probe.broker):
            wait_until(lambda: bool(calls.done), "the fourth try")
        assert len(calls.seen) == 4
        assert listener == RecordingListener()
        self.assert_all_acknowledged(probe)
        assert self.dead_letters(probe, 0) == []
        self.assert_nothing_leaked(events, caplog)

    def test_a_halt_halts_the_run_and_makes_no_dead_letter(
        self,
        probe: BrokerProbe,
        listener: RecordingListener,
        events: list[EventDict],
        caplog: pytest.LogCaptureFixture,
    ) -> None:
        """P7: bad credentials are told to the run, and leave no heap of dead letters."""
        self.declare(probe, Calls(failures=[NO_RIGHTS]), listener)
        probe.broker.publish([user_message()])
        with running_worker(probe.broker):
            wait_until(lambda: bool(listener.halts), "the halt")
        ((message, halt),) = listener.halts
        assert (message.kwargs["run"], halt.cause) == (7, Cause.SKOLON_CREDENTIALS)
        assert listener.dead_letters == []
        self.assert_all_acknowledged(probe)
        assert self.dead_letters(probe, 0) == []
        self.assert_nothing_leaked(events, caplog)

    def test_what_is_unforeseen_is_tried_again_and_then_a_bug(
        self,
        probe: BrokerProbe,
        listener: RecordingListener,
        events: list[EventDict],
        caplog: pytest.LogCaptureFixture,
    ) -> None:
        """P6: a bug's dead letter and its log name the exception's kind and place, never its text."""
        calls = Calls(failures=[ValueError(SECRET)] * 3)
        self.declare(probe, calls, listener)
        probe.broker.publish([user_message().copy(kwargs={"tenant": "kommun", "run": 7, "user": "u1"})])
        with running_worker(probe.broker):
            (body,) = self.dead_letters(probe, 1)
            wait_until(lambda: bool(listener.dead_letters), "the books")
        section = Message.decode(body).options[METADATA_KEY]
        assert (section["reason"], section["attempts"]) == ("bug", 3)
        assert section["detail"].startswith("ValueError at __call__ (broker_probe.py:")
        assert len(calls.seen) == 3
        assert SECRET.encode() not in body
        self.assert_all_acknowledged(probe)
        self.assert_nothing_leaked(events, caplog)

    def test_arguments_that_the_actor_does_not_take_are_a_bug(
        self, probe: BrokerProbe, listener: RecordingListener
    ) -> None:
        """A message with positional arguments for a function of named ones becomes a dead letter."""
        self.declare(probe, Calls(), listener)
        probe.put(USER_SYNC_QUEUE, envelope(args=[1], options=LAST_TRY))
        with running_worker(probe.broker):
            (body,) = self.dead_letters(probe, 1)
        assert Message.decode(body).options[METADATA_KEY]["reason"] == "bug"
        self.assert_all_acknowledged(probe)

    def test_one_bad_user_stops_nobody(self, probe: BrokerProbe, listener: RecordingListener) -> None:
        """P7: users behind one that fails for good are worked off all the same."""

        def sync(**kwargs: Any) -> None:
            if kwargs["user"] == "u3":
                raise WRONG
            done.append(kwargs["user"])

        done: list[str] = []
        declare_actor(probe.broker, sync, name="user_sync", queue=USER_SYNC_QUEUE, failure_listener=listener)
        probe.broker.publish([user_message(f"u{number}") for number in range(10)])
        with running_worker(probe.broker):
            wait_until(lambda: len(done) >= 9, "the others")
            (body,) = self.dead_letters(probe, 1)
        assert sorted(done) == sorted(f"u{number}" for number in range(10) if number != 3)
        assert Message.decode(body).kwargs["user"] == "u3"

    @pytest.mark.parametrize("failure", [WRONG, NO_RIGHTS], ids=["dead letter", "halt"])
    def test_books_out_of_reach_are_written_later(
        self, probe: BrokerProbe, listener: RecordingListener, failure: Exception
    ) -> None:
        """P8: with the database away a failure is tried again, not lost; afterwards the books are right."""
        listener.failures = [TransientError(Dependency.DATABASE, "away", retry_after=0)] * 2
        self.declare(probe, Calls(failures=[failure] * 3), listener)
        probe.broker.publish([user_message()])
        with running_worker(probe.broker):
            wait_until(lambda: bool(listener.dead_letters or listener.halts), "the books")
        assert listener.failures == []
        assert len(listener.dead_letters) + len(listener.halts) == 1
        self.assert_all_acknowledged(probe)

    def test_a_bug_in_the_books_keeps_the_message(
        self,
        probe: BrokerProbe,
        listener: RecordingListener,
        events: list[EventDict],
        caplog: pytest.LogCaptureFixture,
    ) -> None:
        """P2: when a halt cannot be written for a reason unforeseen, the broker keeps the message."""
        listener.failures = [KeyError(SECRET)]
        self.declare(probe, Calls(failures=[NO_RIGHTS]), listener)
        sent = user_message()
        probe.broker.publish([sent])
        with running_worker(probe.broker):
            (body,) = self.dead_letters(probe, 1)
        assert Message.decode(body).kwargs == sent.kwargs
        self.assert_all_acknowledged(probe)
        self.assert_nothing_leaked(events, caplog)

    def test_a_bug_in_publishing_the_dead_letter_keeps_the_message(
        self,
        probe: BrokerProbe,
        listener: RecordingListener,
        monkeypatch: pytest.MonkeyPatch,
        events: list[EventDict],
    ) -> None:
        """P2: when the dead letter cannot be published, the broker makes one of the message itself."""

        def refuse(_: object) -> None:
            raise UsageError("a queue of ours has other properties")

        monkeypatch.setattr(probe.broker, "publish_dead_letter", refuse)
        self.declare(probe, Calls(failures=[WRONG]), listener)
        sent = user_message()
        probe.broker.publish([sent])
        with running_worker(probe.broker):
            (body,) = self.dead_letters(probe, 1)
        assert Message.decode(body).kwargs == sent.kwargs
        assert listener.dead_letters == []
        self.assert_all_acknowledged(probe)
        assert [event["event"] for event in events] == ["failure_routing_failed"]

    @pytest.mark.parametrize("wrong_by", [3600, -3600])
    def test_a_corrected_clock_holds_no_message_up(
        self,
        probe: BrokerProbe,
        listener: RecordingListener,
        monkeypatch: pytest.MonkeyPatch,
        wrong_by: int,
    ) -> None:
        """P8: what was read while the machine's clock was wrong waits its seconds, and no longer."""
        calls = Calls(failures=[TransientError(Dependency.SKOLON, "status 503", retry_after=1.5)])
        self.declare(probe, calls, listener)
        right, wrong = time.time, [0]
        for module in (time, common):
            monkeypatch.setattr(module, "time", lambda: right() + wrong[0])
        wrong[0] = wrong_by
        probe.broker.publish([user_message()])
        with running_worker(probe.broker):
            wait_until(lambda: bool(calls.seen), "the failure")
            # The delayed message is read at once.
            time.sleep(0.7)
            wrong[0] = 0
            wait_until(lambda: bool(calls.done), "the second try")

    @pytest.mark.parametrize(("failure", "way"), [(BUSY, "publish_later"), (WRONG, "publish_dead_letter")])
    def test_what_the_broker_does_not_take_stays_in_hand(
        self,
        probe: BrokerProbe,
        listener: RecordingListener,
        monkeypatch: pytest.MonkeyPatch,
        failure: Exception,
        way: str,
    ) -> None:
        """P2, P8: while a retry or a dead letter cannot be published, the message waits, and then it is."""
        publish, refusals = getattr(probe.broker, way), [TransientError(Dependency.BROKER, "blocked")] * 2

        def blocked(*args: Any) -> None:
            if refusals:
                raise refusals.pop()
            publish(*args)

        monkeypatch.setattr(probe.broker, way, blocked)
        calls = Calls(failures=[failure])
        self.declare(probe, calls, listener)
        probe.broker.publish([user_message()])
        with running_worker(probe.broker):
            wait_until(
                lambda: bool(calls.done or listener.dead_letters), "the second try, or the dead letter"
            )
        assert refusals == []
        assert len(dead_letter_bodies(probe.broker, USER_SYNC_QUEUE)) == len(listener.dead_letters)
        self.assert_all_acknowledged(probe)

    @pytest.mark.parametrize("body", GARBAGE.values(), ids=GARBAGE)
    def test_what_cannot_be_decoded_is_kept_as_it_was(
        self,
        probe: BrokerProbe,
        listener: RecordingListener,
        body: bytes,
        events: list[EventDict],
        caplog: pytest.LogCaptureFixture,
    ) -> None:
        """Bytes that are no message of ours end as a dead letter to the byte, and the consumer lives on."""
        calls = Calls()
        self.declare(probe, calls, listener)
        probe.put(USER_SYNC_QUEUE, body)
        probe.broker.publish([user_message()])
        with running_worker(probe.broker):
            assert self.dead_letters(probe, 1) == [body]
            wait_until(lambda: bool(calls.done), "the message behind it")
        self.assert_all_acknowledged(probe)
        self.assert_nothing_leaked(events, caplog)

    @pytest.mark.parametrize(
        "options",
        [
            {METADATA_KEY: None},
            {METADATA_KEY: [1]},
            {METADATA_KEY: {"attempts": "many", "first_failed": "yesterday", "give_up_after_hours": "x"}},
            {
                METADATA_KEY: {
                    "attempts": -1,
                    "first_failed": "2026-01-01T00:00:00",
                    "give_up_after_hours": None,
                }
            },
            {"eta": "soon"},
            {"eta": None},
            {"broker_priority": "high"},
        ],
    )
    def test_options_of_any_kind_lose_nothing(
        self, probe: BrokerProbe, listener: RecordingListener, options: dict[str, Any]
    ) -> None:
        """A message with options that make no sense is worked off; if it fails, it is a dead letter."""
        self.declare(probe, Calls(failures=[WRONG]), listener)
        probe.put(USER_SYNC_QUEUE, envelope(options=options))
        with running_worker(probe.broker):
            (body,) = self.dead_letters(probe, 1)
        assert Message.decode(body).kwargs["user"] == "u1"
        self.assert_all_acknowledged(probe)

    @pytest.mark.parametrize("hours", ["NaN", "Infinity", "-Infinity", "1e300", "true"])
    def test_a_limit_that_is_no_time_loses_nothing(
        self, probe: BrokerProbe, listener: RecordingListener, hours: str
    ) -> None:
        """A message whose give-up limit cannot be counted with is kept when it fails."""
        self.declare(probe, Calls(failures=[WRONG]), listener)
        section = json.dumps({METADATA_KEY: {"give_up_after_hours": 0}})
        options = section.replace("0", hours).encode()
        probe.put(USER_SYNC_QUEUE, envelope(options="HERE").replace(b'"HERE"', options))
        with running_worker(probe.broker):
            (body,) = self.dead_letters(probe, 1)
        assert json.loads(body)["kwargs"]["user"] == "u1"
        self.assert_all_acknowledged(probe)

    def test_a_message_for_an_unknown_actor_is_a_dead_letter(
        self, probe: BrokerProbe, listener: RecordingListener
    ) -> None:
        """A message for an unknown actor is kept as a dead letter, and the consumer lives on."""
        calls = Calls()
        self.declare(probe, calls, listener)
        body = envelope(actor_name="nobody")
        probe.put(USER_SYNC_QUEUE, body)
        probe.broker.publish([user_message()])
        with running_worker(probe.broker):
            (dead_letter,) = self.dead_letters(probe, 1)
            wait_until(lambda: bool(calls.done), "the message behind it")
        assert json.loads(dead_letter) == json.loads(body)
        self.assert_all_acknowledged(probe)

    def test_a_cloud_event_reaches_the_trigger(self, probe: BrokerProbe, listener: RecordingListener) -> None:
        """A CloudEvent from any AMQP client is the trigger's message, under the event's own id."""
        seen: list[tuple[Any, str]] = []

        def tenant_sync(event: Any) -> None:
            seen.append((event, current_message_id()))

        declare_actor(
            probe.broker, tenant_sync, name="tenant_sync", queue=TENANT_SYNC_QUEUE, failure_listener=listener
        )
        event = {"specversion": "1.0", "id": "0f8f", "source": "/x", "type": "t", "data": {"tenant": "å"}}
        probe.put(TENANT_SYNC_QUEUE, json.dumps(event).encode())
        with running_worker(probe.broker):
            wait_until(lambda: bool(seen), "the trigger")
        assert seen == [(event, "0f8f")]
        self.assert_all_acknowledged(probe, TENANT_SYNC_QUEUE)

    @pytest.mark.parametrize(
        "elsewhere", ["tenant-sync", "no-such-queue", "user-sync.DQ", "", "user-sync.XQ"]
    )
    def test_a_message_that_strayed_is_acknowledged_where_it_is(
        self, probe: BrokerProbe, listener: RecordingListener, elsewhere: str
    ) -> None:
        """P2: a message that names another queue is worked off and acknowledged on the one where it lies."""
        calls = Calls()
        self.declare(probe, calls, listener)
        probe.put(USER_SYNC_QUEUE, envelope(queue_name=elsewhere))
        with running_worker(probe.broker):
            wait_until(lambda: bool(calls.done), "the strayed message")
        self.assert_all_acknowledged(probe)
        assert self.dead_letters(probe, 0) == []


class TestMemoryBroker(BrokerContract):
    """The contract, held by the queues in memory."""

    @pytest.fixture
    def probe(self) -> BrokerProbe:
        return MemoryProbe()


class TestQuorumBroker(BrokerContract):
    """The contract, held by RabbitMQ."""

    @pytest.fixture
    def probe(self, amqp_url: str) -> Iterator[BrokerProbe]:
        probe = RabbitMQProbe(amqp_url)
        yield probe
        probe.broker.close()
