"""The words of the design, and the tree of errors, held against what the code has."""

from __future__ import annotations

import inspect
import re

import schemas.errors
from schemas.dead_letter_reasons import Reason
from schemas.errors import UpdateSyncError
from schemas.outcomes import FINAL_OUTCOMES, OPEN_STATUSES, READING_MODES, Cause, Mode, Outcome, Stage, Status


def test_the_errors_are_those_that_the_docstring_draws() -> None:
    """The tree at the top of the module shows each error class once, under the class that it extends."""
    drawn: dict[str, str | None] = {}
    path: list[str] = []
    for line in (schemas.errors.__doc__ or "").splitlines():
        found = re.match(r"    ([│├└─ ]*)(\w+Error)\b", line)
        if found:
            depth = len(found[1]) // 4
            path[depth:] = [found[2]]
            drawn[found[2]] = path[depth - 1] if depth else None
    defined = {
        name: None if kind is UpdateSyncError else kind.__bases__[0].__name__
        for name, kind in inspect.getmembers(schemas.errors, inspect.isclass)
        if issubclass(kind, Exception) and kind.__module__ == "schemas.errors"
    }
    assert drawn == defined
    assert len(drawn) > 10


def test_outcomes_are_the_designs_words() -> None:
    """A user of a run is pending or has one of the design's outcomes."""
    assert [str(outcome) for outcome in FINAL_OUTCOMES] == [
        "updated",
        "would_update",
        "unchanged",
        "not_found",
        "out_of_scope",
        "superseded",
        "dead_lettered",
    ]
    assert set(Outcome) - set(FINAL_OUTCOMES) == {"pending"}


def test_reasons_are_the_designs_words() -> None:
    """A dead letter has one of the design's reasons, of triggers or undos, or not of the sync's making."""
    design = {
        "invalid_user",
        "ambiguous_match",
        "suspicious_match",
        "collision",
        "value_taken",
        "rejected_by_skolon",
        "conflict",
        "gave_up",
        "crashed_worker",
        "undecodable",
        "bug",
    }
    assert {str(reason) for reason in Reason} == design | {
        "invalid_trigger",
        "unknown_tenant",
        "guard_unanswered",
        "forged_message",
        "undo_failed",
    }


def test_statuses_are_the_designs_words() -> None:
    """A run has one of the design's statuses, and is open in the first two."""
    assert [str(status) for status in Status] == ["reading", "updating", "completed", "halted", "cancelled"]
    assert OPEN_STATUSES == (Status.READING, Status.UPDATING)


def test_causes_hold_the_designs_words() -> None:
    """Each cause that the design names can halt a run."""
    design = {"entra_credentials", "entra_permission", "skolon_credentials", "page_loop", "guard_exceeded"}
    assert design <= {str(cause) for cause in Cause}


def test_modes_are_the_contracts() -> None:
    """A run reads everybody or what has changed, or it undoes another one."""
    assert [str(mode) for mode in READING_MODES] == ["full", "delta"]
    assert set(Mode) - set(READING_MODES) == {"undo"}


def test_words_are_plain() -> None:
    """What goes into JSON, tables and columns is lower case with underscores."""
    for words in (Cause, Mode, Outcome, Reason, Stage, Status):
        assert all(re.fullmatch(r"[a-z]+(_[a-z]+)*", word) for word in words)
