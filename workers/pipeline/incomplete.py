"""The error of a user some of whose attributes could not be written while the others were."""

from __future__ import annotations

from typing import TYPE_CHECKING

from schemas.details.detail import joined
from schemas.errors import PermanentError
from schemas.outcomes import Outcome

if TYPE_CHECKING:
    from schemas.runs.sync_result import SyncResult


class IncompleteUpdateError(PermanentError):
    """Some attributes were not written; the user is a dead letter until a replay writes them too.

    `result` says what was written, and why the rest was not.
    """

    def __init__(self, result: SyncResult) -> None:
        first = next(iter(result.unwritten.values()))
        faults = joined(each.fault for each in result.unwritten.values())
        super().__init__(first.reason, first.stage, faults, collision=first.collision)
        self.result = result


def ensure_complete(result: SyncResult) -> SyncResult:
    """Return a result of which nothing is unwritten; raise `IncompleteUpdateError` for another one.

    A newer run takes care of a superseded user, whatever is wrong with it.
    """
    if result.unwritten and result.outcome is not Outcome.SUPERSEDED:
        raise IncompleteUpdateError(result)
    return result
