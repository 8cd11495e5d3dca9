"""One dead letter in full, with personal values hidden."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from administration.remedies import remedy_json
from schemas.errors import UsageError

if TYPE_CHECKING:
    from administration.remedies import FailureOwners
    from schemas.crypto.encryption import FieldCipher
    from schemas.messages.dead_letter import DeadLetter
    from schemas.reports.remedy import Owner
    from store.receipts.replays import ReceiptState

#: Stands for any value, of whatever length.
_MASK: Final = "•••"

#: Bytes of a foreign message that are shown unless all are asked for.
_FIRST_BYTES: Final = 256


@dataclass(frozen=True, kw_only=True)
class Body:
    """The first bytes of a message that is not ours, and how many `more` there are."""

    shown: bytes
    more: int

    @property
    def text(self) -> str:
        """The bytes as text in one line, with a space for what cannot be printed."""
        return printable_text(self.shown)

    def as_json(self) -> dict[str, Any]:
        """Return it for programs."""
        return {"hex": self.shown.hex(), "text": self.text, "cut": self.more > 0}


@dataclass(frozen=True, kw_only=True)
class DeadLetterDetails:
    """A dead letter, who must act, and the state of its receipt.

    `payload` has the payload's size and, if a key opens it, the names of its properties. `body` is there for
    messages that are not ours.
    """

    dead_letter: DeadLetter
    owner: Owner
    receipt: ReceiptState | None
    payload: dict[str, Any] | None
    body: Body | None

    def as_json(self) -> dict[str, Any]:
        """Return it for programs."""
        return {
            **self.dead_letter.as_json(),
            **remedy_json(self.dead_letter.failure.reason, self.owner),
            "result": self.receipt and self.receipt.as_json(),
            "payload": self.payload,
            "body": self.body and self.body.as_json(),
        }


def details_of(
    dead_letter: DeadLetter,
    receipt: ReceiptState | None,
    owners: FailureOwners,
    *,
    cipher: FieldCipher | None,
    all_bytes: bool,
) -> DeadLetterDetails:
    """Return a dead letter's details; without a `cipher` the payload stays encrypted."""
    body = None
    if not dead_letter.is_known:
        shown = dead_letter.body if all_bytes else dead_letter.body[:_FIRST_BYTES]
        body = Body(shown=shown, more=len(dead_letter.body) - len(shown))
    failure = dead_letter.failure
    return DeadLetterDetails(
        dead_letter=dead_letter,
        owner=owners.of(dead_letter.tenant, failure.reason, failure.detail),
        receipt=receipt,
        payload=_payload(dead_letter, cipher),
        body=body,
    )


def printable_text(body: bytes) -> str:
    """Return bytes as text in one line, with a space for what cannot be printed."""
    text = body.decode("utf-8", errors="replace")
    return "".join(sign if sign.isprintable() else " " for sign in text)


def _payload(dead_letter: DeadLetter, cipher: FieldCipher | None) -> dict[str, Any] | None:
    if dead_letter.payload is None:
        return None
    opened = None
    if cipher is not None:
        try:
            opened = cipher.decrypt_json(dead_letter.payload)
        except (UsageError, ValueError):
            opened = None
    data = opened.get("data") if isinstance(opened, dict) else None
    properties = None
    if isinstance(data, dict):
        properties = {
            str(name): None if value in (None, "", [], {}) else _MASK for name, value in sorted(data.items())
        }
    return {"encrypted_bytes": len(dead_letter.payload), "properties": properties}
