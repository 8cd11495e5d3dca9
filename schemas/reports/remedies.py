"""Explains every dead-letter reason, halt cause and run warning: what happened, and how to fix it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from schemas.dead_letter_reasons import Reason
from schemas.details.detail import Detail
from schemas.details.kinds import DetailKind
from schemas.outcomes import Cause
from schemas.reports.dead_letter_remedies import DEAD_LETTER_REMEDIES, SOURCE_REMEDIES
from schemas.reports.halt_remedies import HALT_REMEDIES, UNDO_HALT_REMEDIES
from schemas.reports.remedy import Owner
from schemas.reports.warning_remedies import WARNING_REMEDIES
from schemas.runs.run import WarningKind

if TYPE_CHECKING:
    from schemas.reports.remedy import Remedy


def owner_of(reason: Reason, *, is_held_in_entra: bool, is_widespread: bool) -> Owner:
    """Return who must act on a failure.

    `is_held_in_entra` says whether another user in Entra has what the user should get: a taken value is then
    to be corrected there, and else in Skolon. Of a group it says so of any of its users. `is_widespread` says
    whether most of the tenant's users fail for the reason (`UserTotals.widespread`): so many do not have a
    wrong value each, the settings take it from a wrong source.
    """
    if reason is Reason.VALUE_TAKEN and is_held_in_entra:
        return Owner.ENTRA
    if is_widespread and reason in SOURCE_REMEDIES:
        return SOURCE_REMEDIES[reason].owner
    return remedy_for(reason).owner


def names_holder(detail: str | None) -> bool:
    """Say whether a failure's detail names a user in Entra who has what the user should get."""
    if not isinstance(detail, Detail):
        return False
    parts = [
        part for each in detail.parameters.values() for part in (each if isinstance(each, tuple) else (each,))
    ]
    return detail.kind is DetailKind.VALUE_TAKEN or any(
        names_holder(part) for part in parts if isinstance(part, Detail)
    )


def remedy_for(
    what: Reason | Cause | WarningKind, *, owner: Owner | None = None, of_undo: bool = False
) -> Remedy:
    """Return the remedy for a dead letter's reason, a halt's cause or a run's warning.

    `owner` is who must act on a failure, if that is known: what the settings have caused is mended there.
    `of_undo` says that the halted run is an undo.
    """
    match what:
        case Reason():
            of_sources = SOURCE_REMEDIES.get(what)
            if of_sources is not None and of_sources.owner is owner:
                return of_sources
            return DEAD_LETTER_REMEDIES[what]
        case Cause():
            return UNDO_HALT_REMEDIES.get(what, HALT_REMEDIES[what]) if of_undo else HALT_REMEDIES[what]
        case WarningKind():
            return WARNING_REMEDIES[what]
