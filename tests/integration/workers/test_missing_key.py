"""A key that has been taken away too early: what a run does about values that none of the others opens."""

from __future__ import annotations

import uuid
from contextlib import ExitStack, closing, contextmanager
from typing import TYPE_CHECKING, Any

import pytest

from cli.sandbox.in_process_sync import InProcessSync
from clients.gateways import create_gateways
from devtools.commands import wait_for
from producers.main import declare_producers
from producers.resume import publish_pending
from queues.brokers.factory import open_memory_broker
from queues.consuming.in_process import run_worker
from queues.message import tenant_sync_message, with_proof
from runtime.circuit_breaker import CircuitBreakers
from sandbox.environment import TENANT_KEY, Environment
from schemas.crypto.encryption import FieldCipher, new_key
from schemas.messages.messages import USER_SYNC_QUEUE, SyncRequest
from schemas.outcomes import Cause, Mode, Outcome, Status
from schemas.settings import PREFIX, Settings
from schemas.tenants.tenant import load_tenant
from store.store import Store
from workers.main import declare_user_sync
from workers.user_sync import UserSyncHandler

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

PEOPLE = 20

OLD, NEW = new_key(), new_key()


@contextmanager
def processes(
    made_up: Environment, folder: Path, *, producer: Sequence[str], worker: Sequence[str]
) -> Iterator[InProcessSync]:
    """Give a sync of which a producer and a worker have different keys, on one database."""
    stand_ins: dict[str, Any] = {
        name.removeprefix(PREFIX).lower(): value for name, value in made_up.variables.items()
    }
    settings = Settings(database_url=f"sqlite:///{folder / 'keys.sqlite'}", **stand_ins)
    breakers = CircuitBreakers()
    broker = open_memory_broker(breakers)
    doors = create_gateways(settings, breakers)
    with ExitStack() as stack:
        stores = [
            stack.enter_context(closing(Store(settings.database_url, FieldCipher(keys), breakers=breakers)))
            for keys in (producer, worker)
        ]
        declare_producers(broker, broker, store=stores[0], gateways=doors)
        declare_user_sync(broker, store=stores[1], gateways=doors, cipher=FieldCipher(worker))
        stack.enter_context(run_worker(broker, threads=4))
        handler = UserSyncHandler(store=stores[1], gateways=doors, cipher=FieldCipher(worker))
        yield InProcessSync(broker, stores[0], handler, TENANT_KEY)


@pytest.fixture
def database(made_up: Environment, tmp_path: Path) -> Path:
    with closing(Store(f"sqlite:///{tmp_path / 'keys.sqlite'}", FieldCipher([OLD]))) as store:
        store.upgrade()
        store.tenants.add(*load_tenant(TENANT_KEY, made_up.tenant))
    return tmp_path


def dead_letters(sync: InProcessSync) -> int:
    with sync.broker.browse_dead_letters(USER_SYNC_QUEUE) as browser:
        return len(list(browser))


def undo(sync: InProcessSync, run: int) -> int:
    event = str(uuid.uuid4())
    wanted = SyncRequest(tenant=TENANT_KEY, mode=Mode.UNDO, reverts_run_id=run)
    message = tenant_sync_message(wanted, event_id=event)
    sync.broker.publish([with_proof(message, sync.store.message_cipher.sign_trigger)])
    return wait_for(lambda: sync.store.triggers.find_run(event), "the undo").id


def resumed(sync: InProcessSync, run_id: int) -> Any:
    run = sync.store.runs.resume(run_id)
    publish_pending(run, store=sync.store, publisher=sync.broker)
    return sync.wait(run_id)


@pytest.mark.parametrize(
    ("producer", "worker"),
    [([NEW], [NEW]), ([OLD], [NEW]), ([NEW, OLD], [OLD])],
    ids=["nobody has it", "the worker lacks it", "the worker lacks the new one"],
)
def test_a_missing_key_halts_the_run(
    made_up: Environment, database: Path, producer: list[str], worker: list[str]
) -> None:
    """P7: a tenant's secret or a payload that no key opens halts the run; with the key back it completes."""
    with processes(made_up, database, producer=producer, worker=worker) as sync:
        halted = sync.run()
        sync.broker.join(USER_SYNC_QUEUE, timeout=60_000, fail_fast=False)
        assert dead_letters(sync) == 0
    assert (halted.run.status, halted.run.cause) == (Status.HALTED, Cause.MISSING_KEY)
    assert "UPDATE_SYNC_SECRET_KEYS" in str(halted.run.detail)
    assert set(halted.counts) <= {Outcome.PENDING}

    with processes(made_up, database, producer=[NEW, OLD], worker=[NEW, OLD]) as sync:
        ended = resumed(sync, halted.run.id)
    assert ended.run.status is Status.COMPLETED
    assert made_up.wrong_users() == []


def test_an_undo_whose_key_is_missing_halts(made_up: Environment, database: Path) -> None:
    """P7: old values that no key opens halt the undo; with the key back it puts all of them back."""
    with processes(made_up, database, producer=[OLD], worker=[OLD]) as sync:
        done = sync.run()
    updated = done.counts[Outcome.UPDATED]
    assert updated

    with processes(made_up, database, producer=[OLD], worker=[NEW]) as sync:
        halted = sync.wait(undo(sync, done.run.id))
        sync.broker.join(USER_SYNC_QUEUE, timeout=60_000, fail_fast=False)
    assert (halted.run.status, halted.run.cause) == (Status.HALTED, Cause.MISSING_KEY)
    assert set(halted.counts) <= {Outcome.PENDING}

    with processes(made_up, database, producer=[NEW, OLD], worker=[NEW, OLD]) as sync:
        ended = resumed(sync, halted.run.id)
    assert ended.run.status is Status.COMPLETED
    assert ended.counts[Outcome.UPDATED] == updated
