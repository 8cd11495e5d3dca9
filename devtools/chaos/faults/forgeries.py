"""Forged messages that are written into the queues of users and pages during a run."""

from __future__ import annotations

import json
from itertools import cycle, islice
from typing import TYPE_CHECKING, Any, Final

import pika

from sandbox.environment import TENANT_KEY
from schemas.crypto.encryption import FieldCipher
from schemas.messages.authentication import encrypt_user, sign_page
from schemas.messages.messages import METADATA_KEY, TENANT_PAGES_QUEUE, USER_SYNC_QUEUE, TenantPage, UserSync

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from devtools.chaos.environment import Environment
    from devtools.chaos.schedule import Event

#: Seconds for RabbitMQ to take them, whatever else the schedule does to it.
TAKEN: Final = 90.0
RUN: Final = 1

#: A queue, and what is written into it.
Forgery = tuple[str, bytes]


class _Forger:
    """Forges messages for one round: their encrypted parts are genuine, but come from other messages."""

    def __init__(self, environment: Environment) -> None:
        self._cipher = FieldCipher([environment.env["UPDATE_SYNC_SECRET_KEYS"]])
        self._people = cycle([person.entra for person in environment.municipality])
        self.makers: tuple[Callable[[str], Forgery], ...] = (
            self.swapped_payload,
            self.payload_of_another_run,
            self.no_payload,
            self.evil_options,
            self.evil_delay,
            self.page_of_another_number,
            self.page_without_proof,
            self.another_actor,
            self.huge,
            self.undecodable,
        )

    def swapped_payload(self, mark: str) -> Forgery:
        return USER_SYNC_QUEUE, self._user(mark, payload=self._payload(RUN))

    def payload_of_another_run(self, mark: str) -> Forgery:
        person = next(self._people)
        user = UserSync(tenant=TENANT_KEY, run=RUN + 1, user=person["id"], payload=None)
        payload = encrypt_user(user, person, None, self._cipher).payload
        return USER_SYNC_QUEUE, self._user(mark, user=person["id"], payload=payload)

    def no_payload(self, mark: str) -> Forgery:
        return USER_SYNC_QUEUE, self._user(mark, payload=None)

    def evil_options(self, mark: str) -> Forgery:
        options = {"throws": "x", "eta": 2**60, "pipe_target": {"x": 1}, "max_age": 0, "on_success": "x"}
        section = {"attempts": 10**9, "give_up_after_hours": 0, "first_failed": "x"}
        return USER_SYNC_QUEUE, self._user(mark, self._payload(RUN), {**options, METADATA_KEY: section})

    def evil_delay(self, mark: str) -> Forgery:
        options = {"throws": "x", "eta": 2**60, METADATA_KEY: {"delay": 1}}
        return f"{USER_SYNC_QUEUE}.DQ", self._user(mark, self._payload(RUN), options)

    def page_of_another_number(self, mark: str) -> Forgery:
        page = TenantPage(tenant=TENANT_KEY, run=RUN, attempt=1, number=1, link=None)
        return TENANT_PAGES_QUEUE, self._page(mark, sign_page(page, self._cipher).proof)

    def page_without_proof(self, mark: str) -> Forgery:
        return TENANT_PAGES_QUEUE, self._page(mark, None)

    def another_actor(self, mark: str) -> Forgery:
        kwargs = {"tenant": TENANT_KEY}
        return USER_SYNC_QUEUE, _message(mark, TENANT_PAGES_QUEUE, "tenant_sync", kwargs)

    def huge(self, mark: str) -> Forgery:
        return USER_SYNC_QUEUE, self._user(mark, payload="x" * (1024 * 1024))

    def undecodable(self, mark: str) -> Forgery:
        return TENANT_PAGES_QUEUE, b"\xff\xfe " + mark.encode()

    def _payload(self, run: int) -> str | None:
        person = next(self._people)
        user = UserSync(tenant=TENANT_KEY, run=run, user=person["id"], payload=None)
        return encrypt_user(user, person, None, self._cipher).payload

    def _user(
        self, mark: str, payload: str | None, options: dict[str, Any] | None = None, user: str | None = None
    ) -> bytes:
        kwargs = {
            "tenant": TENANT_KEY,
            "run": RUN,
            "user": user or next(self._people)["id"],
            "payload": payload,
        }
        return _message(mark, USER_SYNC_QUEUE, "user_sync", kwargs, options)

    def _page(self, mark: str, proof: str | None) -> bytes:
        kwargs = {"tenant": TENANT_KEY, "run": RUN, "attempt": 1, "number": 2, "link": None, "proof": proof}
        return _message(mark, TENANT_PAGES_QUEUE, "tenant_page", kwargs)


def forge_messages(environment: Environment, event: Event) -> bool:
    """Write forged messages into the queues by plain AMQP; they are marked, and noted in the scene."""
    forger = _Forger(environment)
    first = len(environment.forged)
    makers: Iterator[Callable[[str], Forgery]] = islice(cycle(forger.makers), event.times)
    marks = [f"forged-{number}" for number in range(first, first + event.times)]
    environment.forged += marks
    forgeries = [make(mark) for make, mark in zip(makers, marks, strict=True)]

    def taken() -> bool:
        try:
            with pika.BlockingConnection(pika.URLParameters(environment.amqp_url)) as connection:
                channel = connection.channel()
                channel.tx_select()
                for queue, body in forgeries:
                    channel.basic_publish("", queue, body)
                channel.tx_commit()
        except (OSError, pika.exceptions.AMQPError):
            return False
        return True

    if not environment.wait(TAKEN, taken):
        raise RuntimeError("RabbitMQ does not take the forged messages")
    return True


def _message(
    mark: str, queue: str, actor: str, kwargs: dict[str, Any], options: dict[str, Any] | None = None
) -> bytes:
    fields = {
        "queue_name": queue,
        "actor_name": actor,
        "args": [],
        "kwargs": kwargs,
        "options": options or {},
        "message_id": mark,
        "message_timestamp": 0,
    }
    return json.dumps(fields).encode()
