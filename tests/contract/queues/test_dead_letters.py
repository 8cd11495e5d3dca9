"""Walks through dead letters: what is seen, what is taken, and that everything else stays as it was."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from itertools import islice
from typing import TYPE_CHECKING, Any

import pytest

from queues import dead_letters
from queues.actor import declare_actor
from queues.dead_letters import browsing
from schemas.dead_letter_reasons import Reason
from schemas.errors import Dependency, TransientError
from schemas.messages.messages import USER_SYNC_QUEUE
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
from tests.contract.queues.brokers.test_brokers import envelope, user_message

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from dramatiq import Message

#: Seconds: far more than anything here takes.
DEADLINE = 60


def messages(count: int, first: int = 0) -> list[Message[Any]]:
    return [user_message(f"u{number:05}") for number in range(first, first + count)]


def put(probe: BrokerProbe, dead_letters: Sequence[Message[Any]]) -> None:
    for dead_letter in dead_letters:
        probe.broker.publish_dead_letter(dead_letter)


def users(probe: BrokerProbe) -> list[str]:
    """Return whose letters there are, in their order."""
    return [json.loads(body)["kwargs"]["user"] for body in dead_letter_bodies(probe.broker, USER_SYNC_QUEUE)]


def names(numbers: Sequence[int]) -> list[str]:
    return [f"u{number:05}" for number in numbers]


class WalkContract:
    """What holds of a walk with every broker of ours."""

    @pytest.fixture
    def probe(self) -> Any:
        raise NotImplementedError

    def test_a_walk_leaves_all_where_it_is(self, probe: BrokerProbe) -> None:
        """P9: dead letters are read as often as one likes, oldest first, and stay."""
        dead_letters = messages(5)
        put(probe, dead_letters)
        for _ in range(3):
            assert dead_letter_bodies(probe.broker, USER_SYNC_QUEUE) == [
                dead_letter.encode() for dead_letter in dead_letters
            ]

    def test_a_walk_may_be_broken_off(self, probe: BrokerProbe) -> None:
        """P9: reading only the first dead letters leaves all of them in their order."""
        put(probe, messages(5))
        with probe.broker.browse_dead_letters(USER_SYNC_QUEUE) as browser:
            seen = [found.dead_letter.user for found in islice(browser, 2)]
        assert seen == names([0, 1])
        with suppress(ZeroDivisionError), probe.broker.browse_dead_letters(USER_SYNC_QUEUE) as browser:
            next(iter(browser))
            raise ZeroDivisionError
        assert users(probe) == names(range(5))

    def test_only_what_is_taken_is_gone(self, probe: BrokerProbe) -> None:
        """P9: letters are taken one by one, also late; the others keep their order."""
        put(probe, messages(10))
        with probe.broker.browse_dead_letters(USER_SYNC_QUEUE) as browser:
            found = list(browser)
            for number in (7, 0, 4):
                browser.ack(found[number])
        assert users(probe) == names([1, 2, 3, 5, 6, 8, 9])

    def test_letters_that_arrive_meanwhile_are_for_the_next_walk(self, probe: BrokerProbe) -> None:
        """A walk ends, however busily workers add dead letters; these come after the others."""
        put(probe, messages(3))
        seen = []
        with probe.broker.browse_dead_letters(USER_SYNC_QUEUE) as browser:
            for number, found in enumerate(browser, start=3):
                put(probe, messages(1, first=number))
                seen.append(found.dead_letter.user)
        assert seen == names(range(3))
        assert users(probe) == names(range(6))

    def test_a_queue_that_never_was_has_no_dead_letters(self, probe: BrokerProbe) -> None:
        """Asking for dead letters before anything has been published gives none."""
        assert dead_letter_bodies(probe.broker, USER_SYNC_QUEUE) == []

    def test_walks_take_turns(self, probe: BrokerProbe) -> None:
        """A browser never sees a part of the dead letters because another one has the rest: it waits."""
        put(probe, messages(4))
        with ThreadPoolExecutor(1) as threads:
            with probe.broker.browse_dead_letters(USER_SYNC_QUEUE) as browser:
                second = threads.submit(users, probe)
                first = next(iter(browser))
                browser.pause(0.3)
                assert not second.done()
                browser.ack(first)
            assert second.result(DEADLINE) == names([1, 2, 3])

    def test_what_the_broker_made_itself_is_told_apart(self, probe: BrokerProbe) -> None:
        """P9: bytes that are no message, and messages for unknown actors, are read with a reason."""
        declare_actor(
            probe.broker,
            Calls(),
            name="user_sync",
            queue=USER_SYNC_QUEUE,
            failure_listener=RecordingListener(),
        )
        bodies = [b"\xff garbage", envelope(actor_name="nobody")]
        for body in bodies:
            probe.put(USER_SYNC_QUEUE, body)
        with running_worker(probe.broker):
            wait_until(
                lambda: len(dead_letter_bodies(probe.broker, USER_SYNC_QUEUE)) == len(bodies), "letters"
            )
        with probe.broker.browse_dead_letters(USER_SYNC_QUEUE) as browser:
            dead_letters = [found.dead_letter for found in browser]
        assert all(dead_letter.by_broker and dead_letter.dead_since for dead_letter in dead_letters)
        assert [dead_letter.failure.reason for dead_letter in dead_letters] == [Reason.UNDECODABLE] * 2
        assert [dead_letter for dead_letter in dead_letters if dead_letter.body == bodies[0]]
        assert [
            dead_letter for dead_letter in dead_letters if "the actor nobody" in dead_letter.failure.detail
        ]


class TestMemoryWalk(WalkContract):
    """The contract, held by the dead letters in memory."""

    @pytest.fixture
    def probe(self) -> BrokerProbe:
        return MemoryProbe()


class TestQueueWalk(WalkContract):
    """The contract, held by RabbitMQ, and what it alone has."""

    @pytest.fixture
    def probe(self, amqp_url: str) -> Iterator[RabbitMQProbe]:
        probe = RabbitMQProbe(amqp_url)
        yield probe
        probe.broker.close()

    @pytest.mark.parametrize(("count", "take_each"), [(0, 0), (1, 0), (3, 2), (64, 0), (64, 3), (64, 1)])
    def test_windows_change_nothing(self, probe: RabbitMQProbe, count: int, take_each: int) -> None:
        """P10: a walk that holds few letters at a time sees all of them, and leaves what it does not take."""
        put(probe, messages(count))
        with browsing(probe.parameters, USER_SYNC_QUEUE, first_prefetch=1) as browser:
            seen = []
            for number, found in enumerate(browser, start=1):
                seen.append(found.dead_letter.user)
                if take_each and not number % take_each:
                    browser.ack(found)
        assert seen == names(range(count))
        left = [number for number in range(count) if not take_each or (number + 1) % take_each]
        assert users(probe) == names(left)

    @pytest.mark.parametrize(("upto", "take_each"), [(150, 0), (400, 0), (350, 3)])
    def test_a_killed_walk_loses_and_reorders_nothing(
        self, probe: RabbitMQProbe, amqp_url: str, upto: int, take_each: int
    ) -> None:
        """P9: SIGKILL in mid-walk, while letters arrive, leaves what was not taken in its old order."""
        put(probe, messages(400))
        command = [sys.executable, "-m", "tests.contract.queues.browsing_process", amqp_url, USER_SYNC_QUEUE]
        with subprocess.Popen(  # noqa: S603 - our own command
            [*command, str(upto), str(take_each)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        ) as walker:
            assert walker.stdout is not None
            assert walker.stdout.readline() == b"there\n"
            put(probe, messages(20, first=400))
            walker.send_signal(signal.SIGKILL)
        taken = {number for number in range(upto) if take_each and not (number + 1) % take_each}
        assert users(probe) == names([number for number in range(420) if number not in taken])

    def test_a_walk_that_never_ends_is_said(
        self, probe: RabbitMQProbe, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A browser does not wait for another one for ever."""
        monkeypatch.setattr(dead_letters, "LOCK_TIMEOUT", 0.0)
        with (
            probe.broker.browse_dead_letters(USER_SYNC_QUEUE),
            pytest.raises(TransientError, match="another process") as caught,
        ):
            users(probe)
        assert caught.value.dependency is Dependency.BROKER

    def test_letters_that_somebody_else_took_end_the_walk(
        self, probe: RabbitMQProbe, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A foreign client that takes letters away in mid-walk does not leave the walk waiting for ever."""
        monkeypatch.setattr(dead_letters, "DELIVERY_TIMEOUT", 0.5)
        put(probe, messages(6))
        with browsing(probe.parameters, USER_SYNC_QUEUE, first_prefetch=1) as browser:
            seen = []
            for found in browser:
                seen.append(found.dead_letter.user)
                if len(seen) == 1:
                    probe.take_all(f"{USER_SYNC_QUEUE}.XQ")
        assert seen == names([0])
