"""Who must act on a reason or cause, and how, as JSON in all languages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from schemas.reports.remedies import remedy_for
from schemas.reports.remedy import Language

if TYPE_CHECKING:
    from schemas.dead_letter_reasons import Reason


def remedy_json(reason: Reason) -> dict[str, Any]:
    """Return who must act, what happened and how to fix it, in all languages."""
    explained = remedy_for(reason)
    texts = {
        str(language): {"what_happened": text.what_happened, "fix": text.fix}
        for language, text in ((language, explained.texts[language]) for language in Language)
    }
    return {"owner": str(explained.owner), "explanation": texts}
