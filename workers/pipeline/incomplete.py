"""The error of a user some of whose attributes could not be written while the others were."""

from __future__ import annotations

from typing import TYPE_CHECKING

from schemas.dead_letter_reasons import Reason
from schemas.details.detail import Detail, joined
from schemas.details.kinds import DetailKind
from schemas.errors import PermanentError
from schemas.outcomes import Outcome, Stage
from schemas.runs.sync_result import Unwritten

if TYPE_CHECKING:
    from collections.abc import Mapping

    from schemas.runs.sync_result import SyncResult
    from schemas.users.attributes import Attribute


class IncompleteUpdateError(PermanentError):
    """Some attributes were not written; the user is a dead letter until a replay writes them too.

    `result` says what was written, and why the rest was not. `undone` is the run that an undo could not undo
    completely: its failures have a reason of their own.
    """

    def __init__(self, result: SyncResult, *, undone: int | None = None) -> None:
        first = next(iter(result.unwritten.values()))
        reason, faults = first.reason, joined(each.fault for each in result.unwritten.values())
        if undone is not None:
            reason, faults = Reason.UNDO_FAILED, not_undone(undone, faults)
        super().__init__(reason, first.stage, faults, collision=first.collision)
        self.result = result


def not_undone(run: int, problem: str) -> Detail:
    """Return that a run could not be undone for a user, and what was in the way."""
    return Detail(DetailKind.UNDO_INCOMPLETE, run=run, problem=problem)


def not_valid(faults: Mapping[Attribute, Detail]) -> dict[Attribute, Unwritten]:
    """Return that values which break their rules are not written."""
    return {
        attribute: Unwritten(reason=Reason.INVALID_USER, stage=Stage.MAP, fault=fault)
        for attribute, fault in faults.items()
    }


def ensure_complete(result: SyncResult) -> SyncResult:
    """Return a result of which nothing is unwritten; raise `IncompleteUpdateError` for another one.

    A newer run takes care of a superseded user, whatever is wrong with it.
    """
    if result.unwritten and result.outcome is not Outcome.SUPERSEDED:
        raise IncompleteUpdateError(result)
    return result
