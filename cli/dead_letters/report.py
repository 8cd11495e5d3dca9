"""One dead letter in full: everything but values."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from cli.dead_letters.groups import explanation
from cli.dead_letters.hexdump import FIRST_BYTES, hexdump, text_of
from cli.durations import format_age
from cli.output import echo, print_fields
from schemas.errors import UsageError
from schemas.reports.remedies import Language, remedy_for
from schemas.timestamps import timestamp

if TYPE_CHECKING:
    import datetime as dt

    from schemas.crypto.encryption import FieldCipher
    from schemas.messages.dead_letter import DeadLetter
    from store.receipts.replays import ReceiptState

#: What stands for any value, however long.
_MASK: Final = "•••"


class DeadLetterReport:
    """Shows letters. `cipher` is None where there are no keys, and then payloads stay closed."""

    def __init__(self, *, cipher: FieldCipher | None, now: dt.datetime, all_bytes: bool) -> None:
        self._cipher = cipher
        self._now = now
        self._most_bytes = None if all_bytes else FIRST_BYTES

    def as_json(self, dead_letter: DeadLetter, receipt: ReceiptState | None) -> dict[str, Any]:
        """Return all that may be shown of a letter, for programs."""
        return {
            **dead_letter.as_json(),
            **explanation(dead_letter.failure.reason),
            "receipt": receipt and receipt.as_json(),
            "payload": self._payload(dead_letter),
            "body": self._body(dead_letter),
        }

    def print(self, dead_letter: DeadLetter, receipt: ReceiptState | None) -> None:
        """Print a letter for people."""
        explained = remedy_for(dead_letter.failure.reason)
        since = dead_letter.dead_since
        fields: dict[str, object] = {
            "id": dead_letter.id,
            "queue": dead_letter.queue,
            "tenant": dead_letter.tenant,
            "run": dead_letter.run,
            "user": dead_letter.user,
            "reason": f"{dead_letter.failure.reason} at {dead_letter.failure.stage}",
            "detail": dead_letter.failure.detail,
            "attempts": dead_letter.attempts,
            "first failed": dead_letter.first_failed and timestamp(dead_letter.first_failed),
            "dead since": since and f"{timestamp(since)} ({format_age(since, self._now)})",
            "made by": "RabbitMQ" if dead_letter.by_broker else f"update-sync {dead_letter.version}",
            "replay": dead_letter.operation,
            "receipt": _receipt_words(dead_letter, receipt),
            "owner": explained.owner,
        }
        for language in Language:
            text = explained.texts[language]
            fields[f"what ({language})"] = text.what_happened
            fields[f"fix ({language})"] = text.fix
        payload = self._payload(dead_letter)
        if payload is not None:
            fields["payload"] = _payload_words(payload)
        print_fields({name: value for name, value in fields.items() if value is not None})
        if not dead_letter.is_known:
            self._print_body(dead_letter)

    def _payload(self, dead_letter: DeadLetter) -> dict[str, Any] | None:
        """Return how large the sealed payload is and, if it can be opened, which properties it has."""
        if dead_letter.payload is None:
            return None
        shown: dict[str, Any] = {"sealed_bytes": len(dead_letter.payload), "properties": None}
        if self._cipher is not None:
            try:
                opened = self._cipher.decrypt_json(dead_letter.payload)
            except (UsageError, ValueError):
                opened = None
            data = opened.get("data") if isinstance(opened, dict) else None
            if isinstance(data, dict):
                shown["properties"] = {
                    str(name): None if value in (None, "", [], {}) else _MASK
                    for name, value in sorted(data.items())
                }
        return shown

    def _body(self, dead_letter: DeadLetter) -> dict[str, Any] | None:
        """Return the bytes of what is no message of ours; any other one's are its fields."""
        if dead_letter.is_known:
            return None
        shown = dead_letter.body[: self._most_bytes]
        return {"hex": shown.hex(), "text": text_of(shown), "cut": len(shown) < len(dead_letter.body)}

    def _print_body(self, dead_letter: DeadLetter) -> None:
        shown = dead_letter.body[: self._most_bytes]
        echo(f"text: {text_of(shown)}")
        for line in hexdump(shown):
            echo(line)
        if len(shown) < len(dead_letter.body):
            echo(f"… and {len(dead_letter.body) - len(shown)} bytes more; --all-bytes shows them.")


def _receipt_words(dead_letter: DeadLetter, receipt: ReceiptState | None) -> str | None:
    if receipt is not None:
        state = f"{receipt.outcome}, being replayed" if receipt.replaying else str(receipt.outcome)
        return f"{state}; its run is {receipt.status}"
    return "none: it is pruned, or its tenant is gone" if dead_letter.receipt_key is not None else None


def _payload_words(payload: dict[str, Any]) -> str:
    size = f"sealed, {payload['sealed_bytes']} bytes"
    if payload["properties"] is None:
        return size
    names = [f"{name} {value or '(blank)'}" for name, value in payload["properties"].items()]
    return f"{size}: {', '.join(names)}"
