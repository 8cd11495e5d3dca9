"""A database is lost and made anew: its run numbers begin anew, and old messages are none of its runs'."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from producers.dead_letters.precheck import Precheck, precheck
from producers.dead_letters.ramp import BlockReason
from producers.reconciliation.receipts import is_authentic, reconcile_receipts
from queues.brokers.factory import open_memory_broker
from queues.message import user_sync_message
from queues.middleware.failures import utc_now
from queues.middleware.message_history import as_dead_letter
from runtime.circuit_breaker import CircuitBreakers
from schemas.crypto.encryption import FieldCipher, new_key
from schemas.dead_letter_reasons import Reason
from schemas.errors import PermanentError
from schemas.messages.dead_letter_filter import DeadLetterFilter
from schemas.messages.messages import USER_SYNC_QUEUE, UserSync
from schemas.outcomes import Outcome, Stage
from schemas.runs.sync_result import Failure
from store.store import Store
from tests.contract.store.factories import CLIENT_SECRET, TENANT, begin_run, tenant

if TYPE_CHECKING:
    from pathlib import Path

USER = "00000000-0000-4000-8000-0000000000aa"
FAILURE = Failure(reason=Reason.GAVE_UP, stage=Stage.RECORD, detail="made up")


def new_database(path: Path, key: str) -> Store:
    store = Store(f"sqlite:///{path}", FieldCipher([key]))
    store.upgrade()
    store.tenants.add(tenant(), CLIENT_SECRET)
    return store


def test_old_dead_letters_are_not_the_new_runs(tmp_path: Path) -> None:
    """The keys are the same, and so are tenant, number and user; only the run is another one."""
    key = new_key()
    with (
        closing(new_database(tmp_path / "lost.sqlite", key)) as lost,
        closing(new_database(tmp_path / "new.sqlite", key)) as new,
    ):
        old_run, run = (begin_run(store, "event", USER) for store in (lost, new))
        assert old_run.id == run.id
        assert old_run.uid != run.uid
        message = UserSync(tenant=TENANT, run=run.id, user=USER, payload=None)
        old, current = (store.message_cipher.encrypt_user(message) for store in (lost, new))
        broker = open_memory_broker(CircuitBreakers())
        for each in (old, current):
            sent = user_sync_message(each, give_up_after_hours=24)
            broker.publish_dead_letter(as_dead_letter(sent, FAILURE, now=utc_now(), version="0"))
        with broker.browse_dead_letters(USER_SYNC_QUEUE) as browser:
            dead, ours = [found.dead_letter for found in browser]

        with pytest.raises(PermanentError, match="former database"):
            new.message_cipher.decrypt_user(old)
        assert not is_authentic(dead, store=new)
        assert reconcile_receipts([dead], store=new).receipts == 0
        assert new.runs.summary(run.id).counts == {Outcome.PENDING: 1}
        counts = Precheck()
        chosen = list(precheck(DeadLetterFilter(), limit=None, store=new, broker=broker, counts=counts))

        assert [each.payload for each in chosen] == [ours.payload]
        assert counts.blocked == {BlockReason.FOREIGN: 1}
