"""Taking a halted run up again when its messages cannot be published."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest

from producers.resume import resume_run
from queues.brokers.factory import open_memory_broker
from schemas.crypto.encryption import FieldCipher, new_key
from schemas.errors import Dependency, TransientError
from schemas.messages.messages import USER_SYNC_QUEUE, SyncRequest
from schemas.outcomes import Cause, Status
from schemas.tenants.tenant import Tenant
from store.store import Store

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from queues.interfaces import Message

#: More than two pages of users.
USERS = [f"00000000-0000-4000-8000-{number:012}" for number in range(2001)]


class AwayPublisher:
    """RabbitMQ, away."""

    def publish(self, messages: Sequence[Message[Any]]) -> None:
        del messages
        raise TransientError(Dependency.BROKER, "RabbitMQ did not take it")

    def publish_later(self, message: Message[Any], seconds: float) -> None:
        del message, seconds

    def publish_dead_letter(self, message: Message[Any]) -> None:
        del message


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with closing(Store(f"sqlite:///{tmp_path / 'test.sqlite'}", FieldCipher([new_key()]))) as opened:
        opened.upgrade()
        tenant = Tenant(key="exempel", name="N", entra_tenant_id="d", client_id="c", organisation="o")
        opened.tenants.add(tenant, "made-up")
        yield opened


@pytest.fixture
def halted(store: Store) -> int:
    run = store.triggers.open(SyncRequest(tenant="exempel"), "first").run.id
    store.receipts.create_pending(run, USERS)
    store.runs.finish_reading(run)
    store.runs.halt(run, Cause.SKOLON_CREDENTIALS, "Skolon does not take the token")
    return run


def test_a_run_that_cannot_be_published_is_halted_again(store: Store, halted: int) -> None:
    """P8: nothing is lost when RabbitMQ goes away in the middle; the run is as it was."""
    before = store.runs.get(halted)
    with pytest.raises(TransientError):
        resume_run(halted, store=store, publisher=AwayPublisher())
    after = store.runs.get(halted)
    assert (after.status, after.cause, after.detail) == (before.status, before.cause, before.detail)


def test_everybody_pending_is_published_once(store: Store, halted: int) -> None:
    """P3: each pending user is published once, however many there are."""
    broker = open_memory_broker()
    run, published = resume_run(halted, store=store, publisher=broker)
    assert (run.status, published) == (Status.UPDATING, len(USERS))
    assert broker.queues[USER_SYNC_QUEUE].qsize() == len(USERS)
