"""Explains every dead-letter reason, halt cause and run warning: what happened, and how to fix it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from schemas.dead_letter_reasons import Reason
from schemas.details.detail import Detail
from schemas.details.kinds import DetailKind
from schemas.outcomes import Cause
from schemas.reports.dead_letter_remedies import DEAD_LETTER_REMEDIES
from schemas.reports.halt_remedies import HALT_REMEDIES
from schemas.reports.remedy import Owner
from schemas.reports.warning_remedies import WARNING_REMEDIES
from schemas.runs.run import WarningKind

if TYPE_CHECKING:
    from schemas.reports.remedy import Remedy


def owner_of(reason: Reason, *, is_held_in_entra: bool) -> Owner:
    """Return who must act on a failure.

    `is_held_in_entra` says whether another user in Entra has what the user should get: a taken value is then
    to be corrected there, and else in Skolon. Of a group it says so of any of its users.
    """
    if reason is Reason.VALUE_TAKEN and is_held_in_entra:
        return Owner.ENTRA
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


def remedy_for(what: Reason | Cause | WarningKind) -> Remedy:
    """Return the remedy for a dead letter's reason, a halt's cause or a run's warning."""
    match what:
        case Reason():
            return DEAD_LETTER_REMEDIES[what]
        case Cause():
            return HALT_REMEDIES[what]
        case WarningKind():
            return WARNING_REMEDIES[what]
