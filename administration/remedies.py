"""Who must act on a reason or cause, and how, as JSON in all languages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from schemas.reports.remedies import names_holder, owner_of, remedy_for
from schemas.reports.remedy import Language

if TYPE_CHECKING:
    from schemas.dead_letter_reasons import Reason
    from schemas.reports.remedy import Owner


def failure_owner(reason: Reason, detail: str | None) -> Owner:
    """Return who must act on a failure with this detail."""
    return owner_of(reason, is_held_in_entra=names_holder(detail))


def remedy_json(reason: Reason, owner: Owner) -> dict[str, Any]:
    """Return who must act, what happened and how to fix it, in all languages."""
    explained = remedy_for(reason)
    texts = {
        str(language): {"what_happened": text.what_happened, "fix": text.fix}
        for language, text in ((language, explained.texts[language]) for language in Language)
    }
    return {"owner": str(owner), "explanation": texts}
