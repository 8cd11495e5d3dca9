"""A message's body, read: dramatiq's JSON envelope, checked; a CloudEvent becomes one."""

from __future__ import annotations

import json
from typing import Any, Final

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


class UndecodableError(Exception):
    """The bytes are no message. The text says why and holds nothing of them (promise P6)."""


def read_envelope(body: bytes) -> dict[str, Any]:
    """Return the fields of a message; raise `UndecodableError` for anything that is none."""
    try:
        fields = json.loads(body)
    except (ValueError, RecursionError):
        raise UndecodableError("the body is no JSON in UTF-8") from None
    if is_cloud_event(fields):
        return event_envelope(fields)
    return _checked(fields)


def _checked(fields: Any) -> dict[str, Any]:
    if not isinstance(fields, dict):
        raise UndecodableError("the body is no JSON object")
    for name, types in _ENVELOPE.items():
        if name not in fields:
            if name in _OPTIONAL:
                continue
            raise UndecodableError(f"the envelope has no {name}")
        if not isinstance(fields[name], types):
            raise UndecodableError(f"the envelope's {name} has the wrong type")
    unknown = len(fields.keys() - _ENVELOPE.keys())
    if unknown:
        raise UndecodableError(f"the envelope has {unknown} unknown fields")
    return fields
