"""How a message looks on the wire: dramatiq's JSON envelope; CloudEvents are read as well."""

from __future__ import annotations

import json

from dramatiq import DecodeError
from dramatiq.encoder import Encoder, MessageData

from schemas.messages.envelope import UndecodableError, read_envelope


class EnvelopeEncoder(Encoder):
    """JSON envelopes, checked on the way in: dramatiq's consumers rely on the types of their fields.

    What it raises never holds what it was given: that may be personal data (promise P6).
    """

    def encode(self, data: MessageData) -> bytes:
        """Return the envelope as JSON in UTF-8."""
        return json.dumps(data, separators=(",", ":")).encode()

    def decode(self, data: bytes) -> MessageData:
        """Return the fields of a dramatiq message; raise `DecodeError` for anything that is none."""
        try:
            return read_envelope(data)
        except UndecodableError as error:
            fault = str(error)
        raise DecodeError(fault, None, None)  # type: ignore[no-untyped-call] # dramatiq has no types there
