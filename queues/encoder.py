"""How a message looks on the wire: dramatiq's JSON envelope; CloudEvents are read as well."""

from __future__ import annotations

import json
from typing import Any, Final

from dramatiq import DecodeError
from dramatiq.encoder import Encoder, MessageData

from schemas.messages import event_envelope, is_cloud_event

#: The fields of dramatiq's envelope and the JSON types that they must have.
_ENVELOPE: Final[dict[str, tuple[type, ...]]] = {
    "queue_name": (str,),
    "actor_name": (str,),
    "args": (list, tuple),
    "kwargs": (dict,),
    "options": (dict,),
    "message_id": (str,),
    "message_timestamp": (int,),
}

_OPTIONAL: Final = ("message_id", "message_timestamp")


class EnvelopeEncoder(Encoder):
    """JSON envelopes, checked on the way in: dramatiq's consumers rely on the types of their fields.

    What it raises never holds what it was given: that may be somebody's data (promise P6).
    """

    def encode(self, data: MessageData) -> bytes:
        """Return the envelope as JSON in UTF-8."""
        return json.dumps(data, separators=(",", ":")).encode()

    def decode(self, data: bytes) -> MessageData:
        """Return the fields of a dramatiq message; raise `DecodeError` for anything that is none."""
        try:
            fields = json.loads(data)
        except (ValueError, RecursionError):
            raise _undecodable("the body is no JSON in UTF-8") from None
        if is_cloud_event(fields):
            return event_envelope(fields)
        return _checked(fields)


def _checked(fields: Any) -> MessageData:
    if not isinstance(fields, dict):
        raise _undecodable("the body is no JSON object")
    for name, types in _ENVELOPE.items():
        if name not in fields:
            if name in _OPTIONAL:
                continue
            raise _undecodable(f"the envelope has no {name}")
        if not isinstance(fields[name], types):
            raise _undecodable(f"the envelope's {name} has the wrong type")
    unknown = len(fields.keys() - _ENVELOPE.keys())
    if unknown:
        raise _undecodable(f"the envelope has {unknown} unknown fields")
    return fields


def _undecodable(fault: str) -> DecodeError:
    return DecodeError(fault, None, None)  # type: ignore[no-untyped-call] # dramatiq has no types there
