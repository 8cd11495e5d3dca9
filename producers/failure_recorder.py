"""The books of triggers and pages: what a failure of one means for its run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from queues.middleware.failure_policy import UNKNOWN
from schemas.crypto.encryption import DecryptionError
from schemas.errors import PermanentError
from schemas.messages.messages import TENANT_PAGE_ACTOR, load_tenant_page
from schemas.outcomes import Cause, Reason

if TYPE_CHECKING:
    from queues.interfaces import Message
    from queues.middleware.failure_policy import Halt, Others
    from schemas.outcomes import Stage
    from schemas.runs.sync_result import Failure
    from schemas.runs.waits import Wait
    from store.store import Store

#: A run that lost one of its pages cannot account for everybody: it stops, and says why.
_CAUSES: Final = {Reason.GAVE_UP: Cause.GAVE_UP}


class RunRecorder:
    """Halts the runs whose reading failed. A trigger that failed has no run: its dead letter says it all."""

    def __init__(self, *, store: Store) -> None:
        self._runs = store.runs
        self._waits = store.waits
        self._seals = store.seals

    def dead_lettered(self, message: Message[Any], dead_letter: Failure, *, attempts: int) -> None:
        """Halt the run of a page that will never be read."""
        if message.actor_name != TENANT_PAGE_ACTOR:
            return
        try:
            page = load_tenant_page(message.kwargs)
            self._seals.check_page(page)
        except (PermanentError, DecryptionError):
            # A message that is not ours halts nobody's run.
            return
        else:
            cause = _CAUSES.get(dead_letter.reason, Cause.BUG)
            self._runs.halt(
                page.run, cause, f"a page was not read after {attempts} attempts: {dead_letter.detail}"
            )

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
