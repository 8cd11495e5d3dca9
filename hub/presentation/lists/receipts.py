"""What became of a user in a run, as a row of a list."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from hub.presentation.advice import advice_on
from hub.presentation.details import page_detail
from hub.presentation.times import moment, zoned
from hub.presentation.words import NOT_FOUND_REASONS, OWNERS, REASONS
from schemas.details.names import ATTRIBUTE_NAMES

if TYPE_CHECKING:
    from administration.remedies import FailureOwners
    from schemas.reports.remedy import Language
    from schemas.runs.receipt import Receipt


@dataclass(frozen=True, kw_only=True)
class ReceiptRow:
    """The Skolon user, why the user has this outcome, the detail, which attributes changed, and when.

    `to_do` and `turn` are for a user that failed. `zoned_at` is the time with its zone, for a file.
    """

    skolon_id: str
    why: str
    detail: str
    attributes: str
    at: str
    zoned_at: str
    to_do: str = ""
    turn: str = ""


def receipt_row(receipt: Receipt, language: Language, owners: FailureOwners, tenant: str) -> ReceiptRow:
    """Return the row of a tenant's receipt in a language."""
    to_do = turn = ""
    if receipt.reason is not None:
        why = str(REASONS[receipt.reason])
        owner = owners.of(tenant, receipt.reason, receipt.detail)
        advice = advice_on(receipt.reason, language, owner=owner)
        detail = advice.detail_text(receipt.detail)
        to_do, turn = str(advice.to_do_for_one), str(OWNERS[advice.owner])
    else:
        reason = receipt.not_found_reason
        why = "" if reason is None else str(NOT_FOUND_REASONS[reason])
        detail = page_detail(receipt.detail, language) if receipt.detail else ""
    names = ATTRIBUTE_NAMES[language]
    return ReceiptRow(
        skolon_id=receipt.skolon_id or "",
        why=why,
        detail=detail,
        attributes=", ".join(names[attribute] for attribute in receipt.changed),
        at=moment(receipt.finished),
        zoned_at=zoned(receipt.finished),
        to_do=to_do,
        turn=turn,
    )
