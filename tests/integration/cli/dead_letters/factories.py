"""What the tests of `dead-letters` share: an environment with people's dead letters in it."""

from __future__ import annotations

import datetime as dt
import json
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Any, Final

import pika
from sqlalchemy import update

from queues.brokers.rabbitmq import QuorumBroker
from queues.message import user_sync_message
from queues.middleware.message_history import as_dead_letter
from schemas.dead_letter_reasons import Reason
from schemas.messages.messages import SyncRequest, UserSync
from schemas.outcomes import Stage
from schemas.runs.sync_result import Failure
from store import tables
from tests.integration.cli.command_line import open_store

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from store.store import Store

#: Stands for a value of somebody: it must never be shown.
VALUE: Final = "Hemligstad"

WRONG: Final = Failure(reason=Reason.INVALID_USER, stage=Stage.MAP, detail="eppn: must have exactly one @")
AMBIGUOUS: Final = Failure(reason=Reason.AMBIGUOUS_MATCH, stage=Stage.MATCH, detail="2 Skolon users")


class DeadLetterSeeder:
    """A run of a tenant, and dead letters of its people."""

    def __init__(self, env: Mapping[str, str], store: Store, broker: QuorumBroker, tenant: str) -> None:
        self.env = env
        self.store = store
        self.broker = broker
        self.tenant = tenant

    def run(self, users: Sequence[str], *, event: str = "event") -> int:
        """Open a run of these people, read to its end."""
        run = self.store.triggers.open(SyncRequest(tenant=self.tenant), event).run.id
        self.store.receipts.create_pending(run, users)
        self.store.runs.finish_reading(run)
        return run

    def kill(
        self,
        run: int,
        users: Sequence[str],
        dead_letter: Failure = WRONG,
        *,
        hours_ago: float = 0,
        told: bool = True,
    ) -> None:
        """Make dead letters of people; their receipts are told of it, or are not."""
        moment = dt.datetime.now(dt.UTC) - dt.timedelta(hours=hours_ago)
        data = {"id": "x", "city": VALUE, "mail": None}
        for user in users:
            fields = self.store.message_cipher.encrypt_user(
                UserSync(tenant=self.tenant, run=run, user=user, payload=None), data
            )
            message = user_sync_message(fields, give_up_after_hours=24)
            self.broker.publish_dead_letter(as_dead_letter(message, dead_letter, now=moment, version="0.1.0"))
            if told:
                self.store.receipts.mark_dead_lettered(run, user, dead_letter, 1)
                self._date(run, user, moment)
        self.store.runs.complete_if_done(run)

    def put(self, queue: str, body: bytes) -> None:
        """Put any bytes among the dead letters of a queue."""
        self.broker.publish_dead_letter(self._any_message(queue))
        with self.broker.browse_dead_letters(queue) as browser:
            newest = list(browser)[-1]
            browser.ack(newest)
        with pika.BlockingConnection(self.broker.parameters) as connection:
            channel = connection.channel()
            # RabbitMQ may lose what is not confirmed when the connection closes.
            channel.confirm_delivery()
            channel.basic_publish("", f"{queue}.XQ", body)

    def bodies(self, queue: str = "user-sync") -> list[bytes]:
        """Return what lies in a dead-letter queue."""
        with self.broker.browse_dead_letters(queue) as browser:
            return [found.body for found in browser]

    def users(self) -> list[str]:
        """Return whose letters there are."""
        return [json.loads(body)["kwargs"]["user"] for body in self.bodies()]

    def outcomes(self, run: int) -> dict[str, int]:
        """Return a run's sums."""
        summary = self.store.runs.summary(run)
        return {str(outcome): count for outcome, count in summary.counts.items() if count}

    def _date(self, run: int, user: str, moment: dt.datetime) -> None:
        receipts = tables.receipts
        with self.store.database.transaction() as connection:
            connection.execute(
                update(receipts)
                .where(receipts.c.run_id == run, receipts.c.entra_id == user)
                .values(finished_at=moment)
            )

    def _any_message(self, queue: str) -> Any:
        fields = UserSync(tenant=self.tenant, run=1, user="x", payload=None)
        return user_sync_message(fields, give_up_after_hours=24).copy(queue_name=queue)


@contextmanager
def seeded_dead_letters(env: Mapping[str, str], tenant: str) -> Iterator[DeadLetterSeeder]:
    """Give access to the letters of an environment whose tenant is there."""
    broker = QuorumBroker(env["UPDATE_SYNC_AMQP_URL"])
    with closing(broker), closing(open_store(env)) as store:
        yield DeadLetterSeeder(env, store, broker, tenant)
