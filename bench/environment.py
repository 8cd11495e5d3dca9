"""The product under test: its real commands, with a tenant, on a fresh virtual host and database."""

from __future__ import annotations

import json
import re
import signal
import time
import uuid
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, TypeVar

import pika

from bench.measures import BenchError
from devtools.commands import COMMAND, command_environment, running, update_sync
from devtools.commands import DEADLINE as STOP_DEADLINE
from devtools.started_command import CommandEndedError
from schemas.crypto.encryption import new_key

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
    from contextlib import AbstractContextManager
    from pathlib import Path

    import psycopg

    from bench.context import Bench
    from bench.stubs.users import Population
    from devtools.started_command import RunningCommand

T = TypeVar("T")

#: Timeout of every wait in seconds.
DEADLINE: Final = 1800.0
_POLL_INTERVAL: Final = 0.01

#: Seconds after which PostgreSQL has told what an idle connection read: it does so after ten.
_STATISTICS_DELAY: Final = 11.0

_TOKEN: Final = "bench-token"  # noqa: S105 - made up, and worth nothing outside
_SECRET: Final = "bench~client~secret"  # noqa: S105 - as above
#: A guard that counts as usual, with limits that no measurement reaches. A measured version that knows no
#: limit for failures is given none.
_GUARD: Final = {
    "changed": {"count": 10_000_000, "share": 1.0},
    "identity_changed": {"count": 10_000_000, "share": 1.0},
    "not_found": {"count": 10_000_000, "share": 1.0},
    "failed": {"count": 10_000_000, "share": 1.0},
    "left_scope": {"count": 10_000_000, "share": 1.0},
}


@dataclass(frozen=True, kw_only=True)
class Run:
    """A run as stored in the database."""

    number: int
    status: str
    started: float
    #: The run's duration, once the run has ended.
    seconds: float | None


class ProductEnvironment:
    """The product's commands, and its database."""

    def __init__(self, bench: Bench, env: dict[str, str], connection: psycopg.Connection) -> None:
        self.env = env
        self.amqp_url = env["UPDATE_SYNC_AMQP_URL"]
        self._folder = bench.folder
        self._command = bench.command
        self._connection = connection
        #: Processes that must run while a result is awaited.
        self._processes: list[RunningCommand] = []

    def producer(self, *arguments: str) -> AbstractContextManager[RunningCommand]:
        """Keep a producer running until the block ends."""
        return self._running("producer", *arguments)

    def workers(self, *arguments: str) -> AbstractContextManager[RunningCommand]:
        """Keep a pool of workers running until the block ends."""
        return self._running("worker", *arguments)

    @contextmanager
    def hub(self, env: Mapping[str, str], log: Path) -> Iterator[None]:
        """Keep the Data Hub running until the block ends."""
        with running("hub", env=env, log=log, command=(self._command,)) as process:
            self._processes.append(process)
            try:
                yield
            finally:
                self._forget(process)

    def execute(self, statement: str, *values: object) -> list[tuple[Any, ...]]:
        """Run a statement in the database, and return its rows: to make more rows than runs would in time."""
        done = self._connection.execute(statement.encode(), list(values) or None)
        return done.fetchall() if done.description else []

    def sequential_scans(self, table: str) -> int:
        """Return how often a table was read from end to end; waits until all that was read is told."""
        time.sleep(_STATISTICS_DELAY)
        query = "SELECT seq_scan FROM pg_stat_user_tables WHERE relname = %s"
        return int(self.execute(query, table)[0][0])

    @contextmanager
    def _running(self, name: str, *arguments: str) -> Iterator[RunningCommand]:
        log = self._folder / f"{name}.log"
        with running(name, *arguments, env=self.env, log=log, command=(self._command,)) as process:
            self._processes.append(process)
            try:
                yield process
            finally:
                self._forget(process)

    def _forget(self, process: RunningCommand) -> None:
        if process in self._processes:
            self._processes.remove(process)

    def stop(self, process: RunningCommand) -> None:
        """End a process with SIGTERM. Raises subprocess.TimeoutExpired when it does not end."""
        self._forget(process)
        process.send_signal(signal.SIGTERM)
        process.wait(STOP_DEADLINE)

    def wait(self, look: Callable[[], T | None], what: str) -> T:
        """Wait with the function while the present processes run."""
        return wait(look, what, self._processes)

    def add(self, population: Population, *, birthdays: bool = False) -> None:
        """Add the population's tenant."""
        settings = {
            "name": population.organisation,
            "entra_tenant_id": population.directory,
            "client_id": "bench",
            "client_secret": _SECRET,
            "organisation": population.organisation,
            "birthdays": birthdays,
        }
        added = self._add({**settings, "guard": _GUARD})
        if "guard." in added.stderr:
            # An older version, without some of the limits.
            limits = {name: limit for name, limit in _GUARD.items() if f"guard.{name}" not in added.stderr}
            added = self._add({**settings, "guard": limits})
        if added.returncode:
            raise BenchError(f"the tenant was not added: {added.stderr}")

    def _add(self, settings: Mapping[str, object]) -> subprocess.CompletedProcess[str]:
        command = ("tenants", "add", str(settings["organisation"]), "--from", "-")
        return update_sync(*command, env=self.env, stdin=json.dumps(settings), command=self._command)

    def trigger(self, population: Population, *, mode: str = "full", users: Sequence[str] = ()) -> None:
        """Publish the message that starts a run, as any AMQP client would, once its queue is there."""
        event = {
            "specversion": "1.0",
            "id": str(uuid.uuid4()),
            "source": "/bench",
            "type": "com.skolon.tenant-sync.requested",
            "datacontenttype": "application/json",
            "data": {"tenant": population.organisation, "mode": mode, "users": list(users)},
        }
        self.wait(lambda: self._published(json.dumps(event).encode()), "the queue tenant-sync")

    def _published(self, body: bytes) -> bool:
        with pika.BlockingConnection(pika.URLParameters(self.amqp_url)) as connection:
            channel = connection.channel()
            channel.confirm_delivery()
            try:
                channel.basic_publish("", "tenant-sync", body, mandatory=True)
            except (pika.exceptions.UnroutableError, pika.exceptions.NackError):
                # The queue does not exist, or has no leader yet. The same event twice makes one run.
                return False
            return True

    def run(self, population: Population) -> Run | None:
        """Return the newest run of the population's tenant, None while there is none."""
        row = self._connection.execute(
            "SELECT runs.id, status, extract(epoch FROM started), extract(epoch FROM finished - started)"
            " FROM runs"
            " JOIN tenants ON tenants.id = tenant_id WHERE key = %s ORDER BY runs.id DESC LIMIT 1",
            [population.organisation],
        ).fetchone()
        if row is None:
            return None
        seconds = None if row[3] is None else float(row[3])
        return Run(number=row[0], status=row[1], started=float(row[2]), seconds=seconds)

    def published(self, population: Population, *, after: int = 0) -> Run:
        """Wait until every page of a run with a number beyond `after` is published, and return it."""
        return self._awaited(population, ("updating", "completed"), after)

    def completed(self, population: Population, *, after: int = 0) -> Run:
        """Wait until a run with a number beyond `after` is complete, and return it."""
        return self._awaited(population, ("completed",), after)

    def _awaited(self, population: Population, wanted: Sequence[str], after: int) -> Run:
        def found() -> Run | None:
            run = self.run(population)
            if run is None or run.number <= after:
                return None
            if run.status not in ("reading", "updating", "completed"):
                raise BenchError(f"the run is {run.status}")
            return run if run.status in wanted else None

        return self.wait(found, f"a run that is {' or '.join(wanted)}")

    def finish_times(self, run: Run) -> list[float]:
        """Return the times, in seconds, at which the users of a run got their outcomes."""
        return self.finish_times_of(run.number)

    def finish_times_of(self, number: int) -> list[float]:
        """Return the same for the run with that number."""
        rows = self._connection.execute(
            "SELECT extract(epoch FROM finished_at) FROM receipts"
            " WHERE run_id = %s AND finished_at IS NOT NULL",
            [number],
        )
        return [float(row[0]) for row in rows]

    def pending(self, number: int) -> int:
        """Return how many users of a run have no outcome yet."""
        return int(
            self.execute("SELECT count(*) FROM receipts WHERE run_id = %s AND outcome = 'pending'", number)[
                0
            ][0]
        )

    def expect(self, run: int, *, pending: int = 0, **outcomes: int) -> None:
        """Raise BenchError unless the run has exactly these totals."""
        shown = update_sync("runs", "show", str(run), "--json", env=self.env, command=self._command)
        if shown.returncode:
            raise BenchError(f"the run cannot be shown: {shown.stderr}")
        summary = json.loads(shown.stdout)
        found = {"pending": summary["pending"], **summary["outcomes"]}
        expected = {**dict.fromkeys(found, 0), "pending": pending, **outcomes}
        if found != expected:
            raise BenchError(f"the run's outcomes are {found}, and should be {expected}")


def wait(look: Callable[[], T | None], what: str, processes: Collection[RunningCommand]) -> T:
    """Call `look` until it returns a result, and return that.

    Raises BenchError at the timeout, and when a process that the result depends on has ended.
    """
    end = time.monotonic() + DEADLINE
    while not (found := look()):
        try:
            for process in processes:
                process.check_running()
        except CommandEndedError as error:
            raise BenchError(f"{what} will not come: {error}") from error
        if time.monotonic() > end:
            raise BenchError(f"{what} did not come within {DEADLINE:.0f} s")
        time.sleep(_POLL_INTERVAL)
    return found


@contextmanager
def product_environment(bench: Bench) -> Iterator[ProductEnvironment]:
    """Yield a fresh environment of the product; remove it after the block."""
    with ExitStack() as stack:
        amqp_url = stack.enter_context(bench.servers.virtual_host())
        database_url = stack.enter_context(bench.servers.database(bench.command))
        env = command_environment(
            UPDATE_SYNC_AMQP_URL=amqp_url,
            UPDATE_SYNC_DATABASE_URL=database_url,
            UPDATE_SYNC_SECRET_KEYS=new_key(),
            UPDATE_SYNC_SKOLON_SCIM_URL=bench.stand_ins.skolon_url,
            UPDATE_SYNC_SKOLON_TOKEN=_TOKEN,
            UPDATE_SYNC_GRAPH_URL=bench.stand_ins.graph_url,
            UPDATE_SYNC_ENTRA_AUTHORITY=bench.stand_ins.entra_url,
            UPDATE_SYNC_CA_BUNDLE=str(bench.stand_ins.authority),
            UPDATE_SYNC_LOG_FORMAT="json",
        )
        yield ProductEnvironment(bench, env, stack.enter_context(bench.servers.connect(database_url)))


def default_threads(command: str = COMMAND) -> int:
    """Return the default number of threads of a worker process, from the command's help."""
    shown = update_sync("worker", "--help", env=command_environment(COLUMNS="200"), command=command)
    found = re.search(r"--threads .*?default:\s+(\d+)", shown.stdout, re.DOTALL)
    if found is None:
        raise BenchError(f"`{command} worker --help` does not tell its default of --threads")
    return int(found[1])
