"""What many threads need of a server is asked for by one of them, and its failure is all theirs."""

from __future__ import annotations

import threading

import pytest

from clients.turns import Turn
from schemas.errors import Dependency, HaltError, TransientError, UnreachableError
from schemas.outcomes import Cause, Stage

SILENT = UnreachableError(Dependency.SKOLON, "no answer in time", status=504, retry_after=3.0)


class Second:
    """A thread that comes for its turn while another one has it, and notes how that ended."""

    def __init__(self) -> None:
        self.arrived = threading.Event()
        self.error: Exception | None = None
        self.asked = False
        self._thread = threading.Thread(target=self._ask)
        self.turn = Turn(self._clock)

    def _clock(self) -> float:
        # The turn notes when a thread comes; all comes at one moment here.
        if threading.current_thread() is self._thread:
            self.arrived.set()
        return 0.0

    def _ask(self) -> None:
        try:
            with self.turn.taken():
                self.asked = True
        except (TransientError, HaltError) as error:
            self.error = error

    def come_during(self, error: Exception) -> None:
        """Have the first thread fail with `error` once the second one waits."""
        with pytest.raises(type(error)), self.turn.taken():
            self._fail_once_it_waits(error)
        self._thread.join(10)

    def _fail_once_it_waits(self, error: Exception) -> None:
        self._thread.start()
        assert self.arrived.wait(10)
        raise error


@pytest.mark.parametrize("error", [SILENT, HaltError(Cause.SKOLON_SEARCH, "no", status=501, may_pass=True)])
def test_who_has_waited_shares_the_failure(error: TransientError | HaltError) -> None:
    """P8: else each would wait for the same silence in turn, a minute each, and hold its user meanwhile."""
    second = Second()
    second.come_during(error)
    assert not second.asked
    assert second.error is not error
    assert type(second.error) is type(error)
    assert str(second.error) == str(error)
    assert vars(second.error) == vars(error)


@pytest.mark.parametrize(
    "error",
    [TransientError(Dependency.SKOLON, "HTTP 500", stage=Stage.MATCH), ValueError("ours")],
)
def test_what_may_concern_one_user_is_not_shared(error: Exception) -> None:
    """P7: nor is what is no error of ours; the next one asks by itself."""
    second = Second()
    second.come_during(error)
    assert (second.asked, second.error) == (True, None)


def test_who_comes_later_asks_again() -> None:
    """A failure is no answer for those who come after it."""
    moments = iter(range(10))
    turn = Turn(lambda: float(next(moments)))
    with pytest.raises(UnreachableError), turn.taken():
        raise SILENT
    with turn.taken():
        pass
