"""The books of triggers and pages: what a failure of one means for its run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from queues.failures import UNKNOWN
from schemas.outcomes import Cause, Reason

if TYPE_CHECKING:
    from queues.broker import Message
    from queues.failures import Halt, Others
    from schemas.outcomes import Stage
    from schemas.verdicts import DeadLetter
    from schemas.waits import Wait
    from store.store import Store

#: A run that lost one of its pages cannot account for everybody: it stops, and says why.
_CAUSES: Final = {Reason.GAVE_UP: Cause.GAVE_UP}


class RunRecorder:
    """Halts the runs whose reading failed. A trigger that failed has no run: its dead letter says it all."""

    def __init__(self, *, store: Store) -> None:
        self._runs = store.runs
        self._waits = store.waits

    def dead_lettered(self, message: Message[Any], letter: DeadLetter, *, attempts: int) -> None:
        """Halt the run of a page that will never be read."""
        run = message.kwargs.get("run")
        if isinstance(run, int):
            cause = _CAUSES.get(letter.reason, Cause.BUG)
            self._runs.halt(run, cause, f"a page was not read after {attempts} attempts: {letter.detail}")

    def halted(self, message: Message[Any], halt: Halt) -> None:
        """Halt the run of a page."""
        self._runs.halt(message.kwargs["run"], halt.cause, halt.detail)

    def waits(self, message: Message[Any], wait: Wait) -> None:
        """Note what the page waits for. A trigger that waits has no run that could tell."""
        run = message.kwargs.get("run")
        if isinstance(run, int):
            self._waits.page(run, wait)

    def others(self, message: Message[Any], stage: Stage) -> Others:
        """Say that there are none to compare with: a page is everybody's."""
        del message, stage
        return UNKNOWN
