"""What a server does that draws its answers out, or fills them with too much."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any, Final

import pytest

from tests.contract.clients.http.hostile_server import LARGE, SLOW, hostile_server

if TYPE_CHECKING:
    from collections.abc import Iterator

#: Seconds of the deadline in these tests.
DEADLINE: Final = "1"
#: Seconds for a whole process, on a machine that is busy: far below the timeouts of single bytes.
PATIENCE: Final = 50
#: MiB by which a process may grow over answers of any kind: those of the limits, and Python's own slack.
MOST_GROWTH: Final = 100


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    with hostile_server() as served:
        yield served


def ask(kind: str, seconds: str, *urls: str) -> dict[str, Any]:
    """Have a process ask the addresses, and return what it says."""
    done = subprocess.run(  # noqa: S603 - our own
        [sys.executable, "-m", "tests.contract.clients.http.hostile_client", kind, seconds, *urls],
        capture_output=True,
        check=False,
        text=True,
        timeout=PATIENCE,
    )
    assert done.returncode == 0, done.stderr
    said: dict[str, Any] = json.loads(done.stdout)
    return said


def full_listener(stack: ExitStack) -> int:
    """Return a port of loopback at which connections are neither taken nor refused."""
    listener = stack.enter_context(socket.create_server(("127.0.0.1", 0), backlog=0))
    port: int = listener.getsockname()[1]
    for _ in range(4):
        waiting = stack.enter_context(socket.socket())
        waiting.settimeout(0)
        waiting.connect_ex(("127.0.0.1", port))
    return port


@pytest.mark.parametrize("kind", ["threads", "greenlets"])
def test_one_deadline_ends_a_request_wherever_it_is(port: int, kind: str) -> None:
    """P8: whatever drips, from the look-up of the name to the trailers, the whole has one deadline."""
    urls = [f"http://127.0.0.1:{port}/slow/{name}" for name in SLOW]
    with ExitStack() as stack:
        elsewhere = [
            f"https://127.0.0.1:{port}/",
            f"http://127.0.0.1:{full_listener(stack)}/",
            "http://hangs.invalid/",
        ]
        found = ask(kind, DEADLINE, *urls, *elsewhere, f"http://127.0.0.1:{port}/good")["found"]
    assert found.pop(f"http://127.0.0.1:{port}/good") == "an object"
    assert set(found) == {*urls, *elsewhere}
    assert set(found.values()) <= {"no answer in time", "no connection in time"}


def test_memory_is_bounded_whatever_comes(port: int) -> None:
    """P10: neither floods nor small things in great number, packed or not, make a process grow by much."""
    urls = [f"http://127.0.0.1:{port}/large/{name}" for name in LARGE]
    said = ask("one-by-one", "5", *urls)
    assert "an object" not in said["found"].values()
    assert set(said["found"]) == set(urls)
    assert said["grown"] < MOST_GROWTH, said
