"""Starts the stubs of Graph and Skolon, configures them, and reads their request counts."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from contextlib import ExitStack, contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import requests

from bench.measures import BenchError
from bench.processes import cpu_seconds
from bench.stubs.http import CONTROL
from devtools.started_command import describe_end, log_tail
from sandbox.certificates import make_certificate

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from bench.stubs.troubles import Trouble
    from bench.stubs.users import Population

#: Timeout of an order in seconds; the longest order compares all users.
DEADLINE: Final = 120.0


class Stub:
    """One stub's process, and the orders that it accepts."""

    def __init__(
        self, process: subprocess.Popen[str], address: str, addresses: dict[str, str], log: Path
    ) -> None:
        self.addresses = addresses
        self._process = process
        self._log = log
        self._name = address
        self._address = addresses[address]
        self._session = requests.Session()
        self._session.trust_env = False

    def order(self, name: str, **fields: Any) -> Any:
        """Send an order and return its result, None when it is empty.

        Raises BenchError when the process has ended, requests.RequestException when the order failed.
        """
        try:
            answer = self._session.post(f"{self._address}{CONTROL}{name}", json=fields, timeout=DEADLINE)
        except requests.ConnectionError as error:
            if self._process.poll() is None:
                raise
            raise _ended(self._name, self._process, self._log) from error
        answer.raise_for_status()
        return answer.json() if answer.content else None

    def cpu_seconds(self) -> float:
        """Return the seconds of a core that it has used so far."""
        return cpu_seconds(self._process.pid)


class StandIns:
    """Both stubs, and the settings with their addresses."""

    def __init__(self, graph: Stub, skolon: Stub, authority: Path) -> None:
        self.graph = graph
        self.skolon = skolon
        self.authority = authority
        self.graph_url = graph.addresses["graph"]
        self.entra_url = graph.addresses["entra"]
        self.skolon_url = f"{skolon.addresses['skolon']}/scim/{{organisation}}"

    def prepare(self, *populations: Population, latency: float = 0.0, graph_latency: float = 0.0) -> None:
        """Reset both stubs for these populations, with their latencies in seconds."""
        for population in populations:
            for stub in (self.graph, self.skolon):
                stub.order("population", **asdict(population))
        self.skolon.order("latency", seconds=latency)
        self.graph.order("latency", seconds=graph_latency)
        self.requests()

    def requests(self) -> dict[str, dict[str, int]]:
        """Return the requests of each kind to each stub since the last call, and reset the counts."""
        return {"graph": self.graph.order("counts"), "skolon": self.skolon.order("counts")}

    def hold(self) -> None:
        """Have Skolon accept requests and answer none until `release`, so that all workers start together."""
        self.skolon.order("hold")

    def release(self) -> None:
        """Have Skolon answer all waiting and later requests."""
        self.skolon.order("release")

    def trouble(self, population: Population, kind: Trouble) -> None:
        """Have Skolon fail one organisation until the population is prepared again."""
        self.skolon.order("trouble", number=population.number, kind=kind)

    def move(self, population: Population, who: Sequence[int]) -> None:
        """Change the addresses of users in Entra."""
        self.graph.order("move", number=population.number, who=list(who))

    def wrong(self, population: Population, moved: Sequence[int] = ()) -> list[int]:
        """Return the users that differ between Skolon and Entra; `moved` are users with a new address."""
        found: list[int] = self.skolon.order("wrong", number=population.number, moved=list(moved))
        return found


@contextmanager
def stand_ins() -> Iterator[StandIns]:
    """Serve both until the block ends."""
    with tempfile.TemporaryDirectory(prefix="update-sync-bench-") as folder, ExitStack() as stack:
        certificate = make_certificate(Path(folder))
        files = (str(certificate.chain), str(certificate.key))
        yield StandIns(
            stack.enter_context(_stub(Path(folder), "graph", *files)),
            stack.enter_context(_stub(Path(folder), "skolon")),
            certificate.authority,
        )


@contextmanager
def _stub(folder: Path, kind: str, *files: str) -> Iterator[Stub]:
    command = [sys.executable, "-m", "bench.stubs", kind, *files]
    log = folder / f"{kind}.log"
    with (
        log.open("wb") as errors,
        subprocess.Popen(  # noqa: S603 - our own command
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors, text=True
        ) as process,
    ):
        try:
            line = process.stdout.readline() if process.stdout else ""
            if not line:
                process.wait(DEADLINE)
                raise _ended(kind, process, log)
            yield Stub(process, kind, json.loads(line), log)
        finally:
            if process.stdin is not None:
                process.stdin.close()
            process.wait(DEADLINE)


def _ended(kind: str, process: subprocess.Popen[str], log: Path) -> BenchError:
    return BenchError(describe_end(f"python -m bench.stubs {kind}", process.returncode, log_tail(log)))
