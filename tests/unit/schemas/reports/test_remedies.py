"""What people read about dead letters, halted runs and warnings."""

from __future__ import annotations

import pytest

from schemas.dead_letter_reasons import Reason
from schemas.outcomes import Cause
from schemas.reports.remedies import remedy_for
from schemas.reports.remedy import Language
from schemas.runs.run import WarningKind


@pytest.mark.parametrize(
    "what", [*Reason, *Cause, *WarningKind], ids=lambda what: f"{type(what).__name__}-{what}"
)
def test_everything_is_explained_in_every_language(what: Reason | Cause | WarningKind) -> None:
    """P9: each reason, cause and warning says what happened and where to mend it, in Swedish and English."""
    texts = remedy_for(what).texts

    assert set(texts) == set(Language)
    sentences = [part for text in texts.values() for part in (text.what_happened, text.fix)]
    assert all(sentence.endswith(".") and len(sentence) > 20 for sentence in sentences)
    assert len(set(sentences)) == len(sentences)


def test_a_reason_and_a_cause_of_one_name_are_not_mixed_up() -> None:
    """Both have a `bug`, and a run is resumed where a message is replayed."""
    assert "replay" in remedy_for(Reason.BUG).texts[Language.ENGLISH].fix
    assert "resume" in remedy_for(Cause.BUG).texts[Language.ENGLISH].fix
