"""The environment of one round: servers, stand-ins, proxies before them, the product's commands."""

from __future__ import annotations

import json
import threading
import time
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

import pika
import psycopg

from devtools.chaos.clock import Clock
from devtools.chaos.faults.host_names import HostNames
from devtools.chaos.faults.small_tenants import Breakage, small_municipalities
from devtools.chaos.process_pool import Pool
from devtools.chaos.proxy import Proxies, Proxy
from devtools.chaos.stand_ins import StandIns
from devtools.commands import DEADLINE, command_environment, update_sync
from devtools.trigger_message import event, publish
from sandbox.environment import TENANT_KEY
from sandbox.municipality.municipality import Municipality
from schemas.crypto.encryption import new_key

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from devtools.servers import Servers

#: Seconds between two polls.
POLL_INTERVAL: Final = 0.1
#: Graph hands out at least so many pages, so that something can happen between two of them.
PAGES: Final = 8

_PROGRESS: Final = """
SELECT (SELECT count(*) FROM receipts WHERE run_id = runs.id AND outcome <> 'pending'),
       runs.status, runs.cause, runs.id
FROM runs JOIN tenants ON tenants.id = runs.tenant_id WHERE tenants.key = %s ORDER BY runs.id DESC LIMIT 1
"""


@dataclass(frozen=True, kw_only=True)
class Progress:
    """A run's progress: its status and cause, and the number of users with an outcome.

    `run` is its number, None while there is no run.
    """

    settled: int
    status: str | None
    cause: str | None
    run: int | None = None

    @property
    def ended(self) -> bool:
        """Whether the run has ended, one way or the other."""
        return self.status in {"completed", "halted", "cancelled"}


@dataclass(kw_only=True)
class Environment:
    """The system that faults act on, and that is checked afterwards."""

    servers: Servers
    stand_ins: StandIns
    municipality: Municipality
    #: In front of Entra and Graph, of Skolon, and of RabbitMQ, the last for each of the two commands.
    microsoft: Proxy
    skolon: Proxy
    workers_broker: Proxy
    producer_broker: Proxy
    workers: Pool
    producer: Pool
    #: Without doors in between.
    amqp_url: str
    database_url: str
    #: What the product's commands are run with.
    env: dict[str, str]
    folder: Path
    #: The names that the workers resolve.
    names: HostNames
    #: The workers' clock, where the schedule wants one that can jump.
    clock: Clock | None = None
    #: The marks of forged messages that were written into the queues.
    forged: list[str] = field(default_factory=list)
    #: The two small municipalities, where the schedule wants them, and how one's organisation is broken.
    others: Mapping[str, Municipality] = field(default_factory=dict)
    breakage: Breakage | None = None
    stopped: threading.Event = field(default_factory=threading.Event)
    _looking: threading.Lock = field(default_factory=threading.Lock)
    _connection: psycopg.Connection | None = None

    def command(self, *arguments: str) -> Any:
        """Run a command of the product's and return the JSON that it printed, None when it failed."""
        done = update_sync(*arguments, "--json", env=self.env)
        with (self.folder / "commands.log").open("a", encoding="utf-8") as log:
            log.write(f"$ update-sync {' '.join(arguments)}\n{done.stderr}")
        return json.loads(done.stdout) if done.returncode == 0 else None

    def progress(self, key: str = TENANT_KEY) -> Progress | None:
        """Return how far a tenant's run is, None while the database does not say. For the pace alone.

        Raises CommandEndedError when a command that the run depends on does not stay up.
        """
        for pool in (self.producer, self.workers):
            pool.check_running()
        with self._looking:
            try:
                if self._connection is None:
                    self._connection = self.servers.connect(self.database_url)
                row = self._connection.execute(_PROGRESS, (key,)).fetchone()
            except psycopg.Error:
                self._leave_database()
                return None
        if row is None:
            return Progress(settled=0, status=None, cause=None)
        return Progress(settled=row[0], status=row[1], cause=row[2], run=row[3])

    def has_begun(self, key: str = TENANT_KEY) -> bool:
        """Say whether a tenant has a run."""
        progress = self.progress(key)
        return progress is not None and progress.run is not None

    def has_ended(self, key: str) -> bool:
        """Say whether a tenant's run has ended, one way or the other."""
        progress = self.progress(key)
        return progress is not None and progress.ended

    def leave(self) -> None:
        """End what the suite itself keeps open."""
        with self._looking:
            self._leave_database()

    def _leave_database(self) -> None:
        if self._connection is not None:
            self._connection.close()
        self._connection = None

    def trigger(self, key: str = TENANT_KEY) -> None:
        """Publish a trigger for a tenant, as any AMQP client would, until RabbitMQ confirms it."""
        if not self.wait(DEADLINE, lambda: self._published(key)):
            raise RuntimeError("RabbitMQ does not take the trigger")

    def _published(self, key: str) -> bool:
        # The same event twice is one run, so that it does no harm when only the confirmation was lost.
        try:
            publish(self.amqp_url, "tenant-sync", event(f"chaos of {key}", tenant=key))
        except pika.exceptions.AMQPError:
            return False
        return True

    def comes(self, seconds: float, found: Callable[[], bool]) -> bool:
        """Wait as `wait` does, but not beyond the end of the run, after which nothing more comes."""
        come = False

        def come_or_never() -> bool:
            nonlocal come
            come = found()
            progress = None if come else self.progress()
            # A halted run goes on when it is resumed.
            return come or (progress is not None and progress.ended and progress.status != "halted")

        self.wait(seconds, come_or_never)
        return come

    def wait(self, seconds: float, found: Callable[[], bool]) -> bool:
        """Wait until something is so, for so many seconds at most; say whether it came to be so.

        Raises CommandEndedError when a command does not stay up.
        """
        end = time.monotonic() + seconds
        while not found():
            for pool in (self.producer, self.workers):
                pool.check_running()
            if time.monotonic() > end or self.stopped.wait(POLL_INTERVAL):
                return False
        return True


@contextmanager
def environment(  # noqa: PLR0913 - each is one thing that a schedule may want
    servers: Servers,
    folder: Path,
    *,
    people: int,
    seed: int,
    clock_jumps: bool = False,
    with_others: bool = False,
) -> Iterator[Environment]:
    """Create a round's environment and start the commands; remove everything after the block.

    `folder` receives the logs. `seed` determines the municipality as well. `clock_jumps` gives the workers
    a clock that can jump, `with_others` adds two small municipalities.
    """
    made_up = folder / "world"
    made_up.mkdir(parents=True)
    page = max(1, -(-people // PAGES))
    with ExitStack() as stack:
        stand_ins = stack.enter_context(StandIns(made_up, people=people, seed=seed, page=page))
        amqp_url = stack.enter_context(servers.virtual_host())
        database_url = stack.enter_context(servers.database())
        proxies = stack.enter_context(Proxies())
        ports = _ports(stand_ins.environment)
        microsoft, skolon = (proxies.open("127.0.0.1", port) for port in ports)
        broker_port = urlsplit(amqp_url).port or 0
        workers_door, producer_door = (proxies.open("127.0.0.1", broker_port) for _ in range(2))
        env = command_environment(
            **_through(stand_ins.environment, {ports[0]: microsoft.port, ports[1]: skolon.port}),
            UPDATE_SYNC_AMQP_URL=amqp_url,
            UPDATE_SYNC_DATABASE_URL=database_url,
            UPDATE_SYNC_SECRET_KEYS=new_key(),
            UPDATE_SYNC_LOG_FORMAT="json",
        )
        others = small_municipalities(seed) if with_others else {}
        _add_tenant(TENANT_KEY, stand_ins.tenant, env)
        for key in others:
            _add_tenant(key, stand_ins.other_tenants[key], env)
        clock = Clock(folder / "clock") if clock_jumps else None
        names = HostNames(folder / "lost-names")
        worker_env = {
            **_with_broker(env, workers_door),
            **names.variables(),
            **(clock.variables() if clock else {}),
        }
        pools = (
            Pool("worker", "--processes", "2", env=worker_env, log=folder / "worker.log"),
            Pool("producer", env=_with_broker(env, producer_door), log=folder / "producer.log"),
        )
        for pool in pools:
            pool.start()
            stack.callback(pool.end)
        made = Environment(
            servers=servers,
            stand_ins=stand_ins,
            municipality=Municipality(people, seed=seed),
            microsoft=microsoft,
            skolon=skolon,
            workers_broker=workers_door,
            producer_broker=producer_door,
            workers=pools[0],
            producer=pools[1],
            amqp_url=amqp_url,
            database_url=database_url,
            env=env,
            folder=folder,
            clock=clock,
            names=names,
            others=others,
        )
        stack.callback(made.leave)
        yield made


def _ports(variables: dict[str, str]) -> tuple[int, int]:
    graph = urlsplit(variables["UPDATE_SYNC_GRAPH_URL"]).port
    skolon = urlsplit(variables["UPDATE_SYNC_SKOLON_TOKEN_URL"]).port
    return graph or 0, skolon or 0


def _through(variables: dict[str, str], proxies: dict[int, int]) -> dict[str, str]:
    """Return the variables with each port of a stand-in replaced by that of the door before it."""
    changed = dict(variables)
    for port, proxy in proxies.items():
        changed = {name: text.replace(f":{port}", f":{proxy}") for name, text in changed.items()}
    return changed


def _with_broker(env: dict[str, str], proxy: Proxy) -> dict[str, str]:
    address = urlsplit(env["UPDATE_SYNC_AMQP_URL"])
    through = address._replace(netloc=address.netloc.replace(f":{address.port}", f":{proxy.port}"))
    return {**env, "UPDATE_SYNC_AMQP_URL": through.geturl()}


def _add_tenant(key: str, tenant: dict[str, Any], env: dict[str, str]) -> None:
    added = update_sync("tenants", "add", key, "--from", "-", env=env, stdin=json.dumps(tenant))
    if added.returncode:
        raise RuntimeError(f"the tenant was not added: {added.stderr}")
