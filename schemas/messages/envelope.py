"""Decodes and checks a message's body: dramatiq's JSON envelope, or a CloudEvent.

Any client that may publish decides what a body contains, so everything is bounded: bytes, nesting, numbers.
"""

from __future__ import annotations

import json
import math
from typing import Any, Final, NoReturn

from schemas.messages.messages import event_envelope, is_cloud_event

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

#: Bytes of a message. One of ours has a few thousand, and half a million at the very most: everything
#: that Graph lets a user have, encrypted.
MAX_BODY_BYTES: Final = 1024 * 1024

#: Bytes of a dead letter: its message, and what is said of it.
MAX_DEAD_LETTER_BYTES: Final = 2 * MAX_BODY_BYTES

#: How deep lists and objects lie in each other. Settings that are tried lie seven deep; what is read must be
#: written again, and Python does both by recursion.
MAX_DEPTH: Final = 32


class UndecodableError(Exception):
    """The bytes are no message. The text says why and repeats nothing of them (promise P6)."""


def _no_number(_: str) -> NoReturn:
    raise ValueError("JSON has no such number")


def _finite(text: str) -> float:
    number = float(text)
    return number if math.isfinite(number) else _no_number(text)


#: What Python takes beyond JSON (RFC 8259, section 6) it would write again as what others cannot read.
_DECODER: Final = json.JSONDecoder(parse_constant=_no_number, parse_float=_finite)


def read_envelope(body: bytes, *, largest: int = MAX_BODY_BYTES) -> dict[str, Any]:
    """Return the fields of a message; raise `UndecodableError` for anything that is none.

    A body of more than `largest` bytes is not parsed at all.
    """
    if len(body) > largest:
        raise UndecodableError(f"the body has {len(body)} bytes; {largest} are allowed")
    try:
        text = body.decode()
        fields = _DECODER.decode(text)
    except (ValueError, RecursionError):
        raise UndecodableError("the body is no JSON in UTF-8") from None
    if text.count("[") + text.count("{") > MAX_DEPTH and _is_too_deep(fields):
        raise UndecodableError(f"the body has lists and objects more than {MAX_DEPTH} deep in each other")
    if is_cloud_event(fields):
        return event_envelope(fields)
    return _checked(fields)


def _is_too_deep(fields: Any) -> bool:
    """Say whether values are nested too deeply, without recursion."""
    level = [fields]
    for _ in range(MAX_DEPTH):
        level = [
            inner
            for outer in level
            if isinstance(outer, dict | list)
            for inner in (outer.values() if isinstance(outer, dict) else outer)
        ]
        if not level:
            return False
    return any(isinstance(each, dict | list) for each in level)


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
