"""The bench measures this version: few users, real servers, and its stubs of Graph and Skolon.

How large a figure is depends on the machine; that there is one does not.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Final, cast

import pytest

from bench.benchmarks.requests import count_requests, nested
from bench.benchmarks.throughput import unchanged
from bench.context import QUICK, Bench
from bench.stand_ins import stand_ins
from devtools.servers import Servers

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from devtools.services.postgresql import PostgreSQL, PrivatePostgreSQL
    from devtools.services.rabbitmq import PrivateRabbitMQ, RabbitMQ

PEOPLE: Final = 40


class SharedServers(Servers):
    """The servers of the test run: a figure needs no private ones."""

    def __init__(self, rabbitmq: RabbitMQ, postgresql: PostgreSQL) -> None:
        self.rabbitmq = cast("PrivateRabbitMQ", rabbitmq)
        self.postgresql = cast("PrivatePostgreSQL", postgresql)
        self.broker_lock = threading.Lock()
        self.database_lock = threading.Lock()


@pytest.fixture
def bench(rabbitmq: RabbitMQ, postgresql: PostgreSQL, tmp_path: Path) -> Iterator[Bench]:
    sizes = QUICK.scaled(PEOPLE / QUICK.worked)
    with stand_ins() as served:
        yield Bench(
            servers=SharedServers(rabbitmq, postgresql),
            stand_ins=served,
            sizes=sizes,
            folder=tmp_path,
            threads=8,
        )


def test_users_that_are_unchanged_have_a_rate(bench: Bench) -> None:
    """The figure `unchanged`: all users come to their outcome, and Skolon is as it must be."""
    assert unchanged(bench)["unchanged: ours"] > 0


@pytest.mark.parametrize("kind", ["changed", "unchanged_with_birthdays"])
def test_requests_are_counted(bench: Bench, kind: str) -> None:
    """The figure `requests`: of the kinds of user that ask for most, and all users are right."""
    counted = nested(count_requests(kind, bench))[kind]
    assert counted.keys() == {"graph", "skolon"}
    assert all(sum(counts.values()) > 0 for counts in counted.values())
