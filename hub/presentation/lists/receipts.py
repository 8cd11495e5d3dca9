"""What became of a user in a run, as a row of a list."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from hub.presentation.advice import advice_on
from hub.presentation.times import moment
from hub.presentation.words import NOT_FOUND_REASONS, REASONS
from schemas.details.detail import texts_of
from schemas.details.names import ATTRIBUTE_NAMES

if TYPE_CHECKING:
    from schemas.reports.remedy import Language
    from schemas.runs.receipt import Receipt


@dataclass(frozen=True, kw_only=True)
class ReceiptRow:
    """The Skolon user, why the user has this outcome, the detail, which attributes changed, and when."""

    skolon_id: str
    why: str
    detail: str
    attributes: str
    at: str


def receipt_row(receipt: Receipt, language: Language) -> ReceiptRow:
    """Return the row of a receipt in a language."""
    if receipt.reason is not None:
        why = str(REASONS[receipt.reason])
        detail = advice_on(receipt.reason, language).detail_text(receipt.detail)
    else:
        reason = receipt.not_found_reason
        why = "" if reason is None else str(NOT_FOUND_REASONS[reason])
        detail = texts_of(receipt.detail)[language] if receipt.detail else ""
    names = ATTRIBUTE_NAMES[language]
    return ReceiptRow(
        skolon_id=receipt.skolon_id or "",
        why=why,
        detail=detail,
        attributes=", ".join(names[attribute] for attribute in receipt.changed),
        at=moment(receipt.finished),
    )
