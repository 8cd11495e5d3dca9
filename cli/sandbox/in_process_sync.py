"""The whole sync in one process: queues in memory, SQLite, and the sandbox's stand-ins."""

from __future__ import annotations

import time
import uuid
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

from bootstrap.message_services import MessageServices
from producers.main import add_background_tasks, declare_producers
from queues.brokers.factory import open_memory_broker
from queues.consuming.in_process import run_worker
from queues.message import tenant_sync_message, with_proof
from schemas.crypto.encryption import new_key
from schemas.messages.authentication import is_privileged
from schemas.messages.messages import SyncRequest
from schemas.outcomes import OPEN_STATUSES, Mode
from schemas.settings import PREFIX, Settings
from schemas.tenants.tenant import load_tenant
from workers.main import add_forecasts, declare_user_sync

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from queues.brokers.memory import MemoryBroker
    from sandbox.environment import Environment
    from schemas.runs.run import RunSummary
    from store.store import Store
    from workers.user_sync import UserSyncHandler

#: The name of the database's file.
DATABASE_FILE: Final = "sandbox.sqlite"

#: Threads that work off messages; the stand-ins share the process's one interpreter with them.
THREADS: Final = 8

#: Seconds between two looks at how far a run has come.
_POLL_INTERVAL: Final = 0.05


class InProcessSync:
    """A sync that runs here, now, and needs no servers."""

    def __init__(
        self,
        broker: MemoryBroker,
        store: Store,
        handler: UserSyncHandler,
        tenant: str,
        settings: Settings | None = None,
    ) -> None:
        self.store = store
        #: The settings that all of it was made of, if the whole sync was.
        self.settings = settings or Settings()
        self.handler = handler
        self.broker = broker
        self._tenant = tenant

    def run(  # noqa: PLR0913 - all that can be wished for
        self,
        *,
        mode: Mode = Mode.FULL,
        dry_run: bool = False,
        users: tuple[str, ...] = (),
        settings: Mapping[str, Any] | None = None,
        recheck_all: bool = False,
        progress: Callable[[RunSummary], None] = lambda _: None,
    ) -> RunSummary:
        """Trigger a run and wait until it has ended, telling `progress` about it on the way."""
        begun = self.start(
            mode=mode, dry_run=dry_run, users=users, settings=settings, recheck_all=recheck_all
        )
        return self.wait(begun, progress=progress)

    def start(
        self,
        *,
        mode: Mode = Mode.FULL,
        dry_run: bool = False,
        users: tuple[str, ...] = (),
        settings: Mapping[str, Any] | None = None,
        recheck_all: bool = False,
    ) -> int:
        """Trigger a run, maybe one that tries `settings`, and return its number as soon as it has one."""
        event_id = str(uuid.uuid4())
        request = SyncRequest(
            tenant=self._tenant,
            mode=mode,
            dry_run=dry_run,
            users=users,
            settings=settings,
            recheck_all=recheck_all,
        )
        message = tenant_sync_message(request, event_id=event_id)
        if is_privileged(request, event_id):
            message = with_proof(message, self.store.message_cipher.sign_trigger)
        self.broker.publish([message])
        while True:
            time.sleep(_POLL_INTERVAL)
            run = self.store.triggers.find_run(event_id)
            if run is not None:
                return run.id

    def wait(self, run_id: int, *, progress: Callable[[RunSummary], None] = lambda _: None) -> RunSummary:
        """Wait until a run has ended, telling `progress` about it on the way."""
        while True:
            summary = self.store.runs.summary(run_id)
            progress(summary)
            if summary.run.status not in OPEN_STATUSES:
                return summary
            time.sleep(_POLL_INTERVAL)


@contextmanager
def in_process_sync(
    world: Environment, tenant_key: str, folder: Path, *, threads: int = THREADS
) -> Iterator[InProcessSync]:
    """Put everything together in this process, with the world's tenant in it; `folder` takes the database."""
    stand_ins: dict[str, Any] = {
        name.removeprefix(PREFIX).lower(): value for name, value in world.variables.items()
    }
    settings = Settings(
        database_url=f"sqlite:///{folder / DATABASE_FILE}", secret_keys=(new_key(),), **stand_ins
    )
    services = MessageServices(settings, pool_size=2 * threads)
    store, gateways, cipher = services.store, services.gateways, services.cipher
    store.upgrade()
    store.tenants.add(*load_tenant(tenant_key, world.tenant))
    broker = open_memory_broker(services.breakers)
    declare_producers(broker, broker, store=store, gateways=gateways)
    add_background_tasks(broker, broker, store=store)
    handler = declare_user_sync(broker, store=store, gateways=gateways, cipher=cipher)
    add_forecasts(broker, store=store, handler=handler)
    try:
        with run_worker(broker, threads=threads):
            yield InProcessSync(broker, store, handler, tenant_key, settings)
    finally:
        store.close()
