"""When unusable answers of a server halt a run: in a row, and what is unreadable over minutes."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from clients.skolon.errors import Operation
from clients.skolon.unusable_answers import (
    MAX_UNREADABLE,
    MAX_UNSUPPORTED,
    UNREADABLE_SECONDS,
    UnusableAnswers,
)
from schemas.errors import Dependency, HaltError, TransientError
from schemas.outcomes import Cause


@dataclass
class Server:
    """An organisation's server, whose answers the test gives."""

    now: float = 0.0
    answers: UnusableAnswers = field(init=False)

    def __post_init__(self) -> None:
        self.answers = UnusableAnswers(clock=lambda: self.now)

    def answer(
        self,
        status: int,
        *,
        organisation: str = "exempel",
        operation: Operation = Operation.UPDATE,
        cause: Cause | None = Cause.SKOLON_UPDATE,
    ) -> None:
        """Give an answer: of use with 200, and otherwise the error that the client makes of it."""
        with self.answers.watched(organisation, operation):
            if status != 200:
                raise TransientError(Dependency.SKOLON, "odd", status=status, repeated_cause=cause)

    def fails(self, status: int, times: int, seconds: float = 0.0) -> None:
        """Give the answer so many times, which halts nothing."""
        for _ in range(times):
            with pytest.raises(TransientError):
                self.answer(status)
            self.now += seconds


@pytest.mark.parametrize("status", [301, 308, 501])
def test_what_is_not_supported_halts_soon(status: int) -> None:
    """A server that says that it does not do it is not waited for."""
    server = Server()
    server.fails(status, MAX_UNSUPPORTED - 1)
    with pytest.raises(HaltError) as caught:
        server.answer(status)
    assert (caught.value.cause, caught.value.status) == (Cause.SKOLON_UPDATE, status)


def test_what_is_unreadable_halts_after_minutes() -> None:
    """P8: a page that announces maintenance is an outage for a while."""
    server = Server()
    server.fails(302, 50)
    server.now = UNREADABLE_SECONDS
    with pytest.raises(HaltError):
        server.answer(302)


def test_few_unreadable_answers_halt_nothing_however_long_they_take() -> None:
    """The circuit breaker lets few requests through: their number counts as well."""
    Server().fails(302, MAX_UNREADABLE - 1, seconds=UNREADABLE_SECONDS)


def test_an_answer_of_use_begins_anew() -> None:
    """P7: what one user meets while others succeed is that user's matter."""
    server = Server()
    for _ in range(10):
        server.fails(501, MAX_UNSUPPORTED - 1)
        server.answer(200)


def test_organisations_operations_and_outages_are_told_apart() -> None:
    """Another organisation, another operation and an outage count for themselves."""
    server = Server()
    server.fails(501, MAX_UNSUPPORTED - 1)
    for _ in range(9):
        with pytest.raises(TransientError):
            server.answer(503, cause=None)
    for different in ({"organisation": "annan"}, {"operation": Operation.READ}):
        with pytest.raises(TransientError):
            server.answer(501, **different)
