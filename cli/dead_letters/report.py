"""One dead letter in full: everything but values."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from cli.dead_letters.groups import explanation
from cli.dead_letters.hexdump import FIRST_BYTES, hexdump, text_of
from cli.durations import format_age
from cli.output import echo, print_fields
from schemas.errors import WrongUseError
from schemas.reports.remedies import Language, explain
from schemas.runs.run import timestamp

if TYPE_CHECKING:
    import datetime as dt

    from schemas.crypto.encryption import Sealer
    from schemas.messages.dead_letter import Letter
    from store.receipts.replays import ReceiptState

#: What stands for any value, however long.
_MASK: Final = "•••"


class DeadLetterReport:
    """Shows letters. `sealer` is None where there are no keys, and then payloads stay closed."""

    def __init__(self, *, sealer: Sealer | None, now: dt.datetime, all_bytes: bool) -> None:
        self._sealer = sealer
        self._now = now
        self._most_bytes = None if all_bytes else FIRST_BYTES

    def as_json(self, letter: Letter, receipt: ReceiptState | None) -> dict[str, Any]:
        """Return all that may be shown of a letter, for programs."""
        return {
            **letter.as_json(),
            **explanation(letter.verdict.reason),
            "receipt": receipt and receipt.as_json(),
            "payload": self._payload(letter),
            "body": self._body(letter),
        }

    def print(self, letter: Letter, receipt: ReceiptState | None) -> None:
        """Print a letter for people."""
        explained = explain(letter.verdict.reason)
        since = letter.dead_since
        fields: dict[str, object] = {
            "id": letter.id,
            "queue": letter.queue,
            "tenant": letter.tenant,
            "run": letter.run,
            "user": letter.user,
            "reason": f"{letter.verdict.reason} at {letter.verdict.stage}",
            "detail": letter.verdict.detail,
            "attempts": letter.attempts,
            "first failed": letter.first_failed and timestamp(letter.first_failed),
            "dead since": since and f"{timestamp(since)} ({format_age(since, self._now)})",
            "made by": "RabbitMQ" if letter.by_broker else f"update-sync {letter.version}",
            "replay": letter.operation,
            "receipt": _receipt_words(letter, receipt),
            "owner": explained.turn,
        }
        for language in Language:
            text = explained.texts[language]
            fields[f"what ({language})"] = text.happened
            fields[f"fix ({language})"] = text.mend
        payload = self._payload(letter)
        if payload is not None:
            fields["payload"] = _payload_words(payload)
        print_fields({name: value for name, value in fields.items() if value is not None})
        if not letter.is_known:
            self._print_body(letter)

    def _payload(self, letter: Letter) -> dict[str, Any] | None:
        """Return how large the sealed payload is and, if it can be opened, which properties it has."""
        if letter.payload is None:
            return None
        shown: dict[str, Any] = {"sealed_bytes": len(letter.payload), "properties": None}
        if self._sealer is not None:
            try:
                opened = self._sealer.open_json(letter.payload)
            except (WrongUseError, ValueError):
                opened = None
            data = opened.get("data") if isinstance(opened, dict) else None
            if isinstance(data, dict):
                shown["properties"] = {
                    str(name): None if value in (None, "", [], {}) else _MASK
                    for name, value in sorted(data.items())
                }
        return shown

    def _body(self, letter: Letter) -> dict[str, Any] | None:
        """Return the bytes of what is no message of ours; any other one's are its fields."""
        if letter.is_known:
            return None
        shown = letter.body[: self._most_bytes]
        return {"hex": shown.hex(), "text": text_of(shown), "cut": len(shown) < len(letter.body)}

    def _print_body(self, letter: Letter) -> None:
        shown = letter.body[: self._most_bytes]
        echo(f"text: {text_of(shown)}")
        for line in hexdump(shown):
            echo(line)
        if len(shown) < len(letter.body):
            echo(f"… and {len(letter.body) - len(shown)} bytes more; --all-bytes shows them.")


def _receipt_words(letter: Letter, receipt: ReceiptState | None) -> str | None:
    if receipt is not None:
        state = f"{receipt.outcome}, being replayed" if receipt.replaying else str(receipt.outcome)
        return f"{state}; its run is {receipt.status}"
    return "none: it is pruned, or its tenant is gone" if letter.receipt_key is not None else None


def _payload_words(payload: dict[str, Any]) -> str:
    size = f"sealed, {payload['sealed_bytes']} bytes"
    if payload["properties"] is None:
        return size
    names = [f"{name} {value or '(blank)'}" for name, value in payload["properties"].items()]
    return f"{size}: {', '.join(names)}"
