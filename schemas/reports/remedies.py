"""Explains every dead-letter reason, halt cause and run warning: what happened, and how to fix it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from schemas.dead_letter_reasons import Reason
from schemas.outcomes import Cause
from schemas.reports.dead_letter_remedies import DEAD_LETTER_REMEDIES
from schemas.reports.halt_remedies import HALT_REMEDIES
from schemas.reports.warning_remedies import WARNING_REMEDIES
from schemas.runs.run import WarningKind

if TYPE_CHECKING:
    from schemas.reports.remedy import Remedy


def remedy_for(what: Reason | Cause | WarningKind) -> Remedy:
    """Return the remedy for a dead letter's reason, a halt's cause or a run's warning."""
    match what:
        case Reason():
            return DEAD_LETTER_REMEDIES[what]
        case Cause():
            return HALT_REMEDIES[what]
        case WarningKind():
            return WARNING_REMEDIES[what]
