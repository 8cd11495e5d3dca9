"""Bytes in, a message or a refusal out, and nothing of somebody's data in the refusal."""

from __future__ import annotations

import json
import traceback
from typing import Any, Final

import pytest
from dramatiq import DecodeError
from hypothesis import example, given
from hypothesis import strategies as st

from queues.encoder import EnvelopeEncoder
from schemas.messages.envelope import MAX_DEPTH
from schemas.messages.messages import TENANT_SYNC_ACTOR, TENANT_SYNC_QUEUE

ENCODER: Final = EnvelopeEncoder()

#: Occurs in no source text, only in values.
MARKER: Final = "ŻŻhemligtŻŻ"

JSON: Final = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=8)
    | st.just(MARKER),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
OBJECTS: Final = st.dictionaries(st.text(max_size=8), JSON, max_size=3)
ENVELOPES: Final = st.fixed_dictionaries(
    {
        "queue_name": st.text(max_size=8),
        "actor_name": st.text(max_size=8),
        "args": st.lists(JSON, max_size=2),
        "kwargs": OBJECTS,
        "options": OBJECTS,
    },
    optional={"message_id": st.text(max_size=8), "message_timestamp": st.integers()},
)
TYPES: Final[dict[str, tuple[type, ...]]] = {
    "queue_name": (str,),
    "actor_name": (str,),
    "args": (list, tuple),
    "kwargs": (dict,),
    "options": (dict,),
    "message_id": (str,),
    "message_timestamp": (int,),
}

REQUIRED: Final = ["queue_name", "actor_name", "args", "kwargs", "options"]


def decoded(body: bytes) -> Any:
    """Return the fields, or the refusal with all that a log would show of it."""
    try:
        return ENCODER.decode(body)
    except DecodeError as error:
        return "".join(traceback.format_exception(error)) + repr(error.data) + repr(error.error)


@given(body=st.binary())
@example(body=b"[" * 100_000)
@example(body=b'{"specversion":' * 50_000)
@example(body=b"1" * 5_000)
@example(body=b"\xef\xbb\xbf{}")
@example(body=b'"\\ud800"')
@example(body=b"NaN")
def test_any_bytes_have_an_answer(body: bytes) -> None:
    """Any published bytes give fields of the right types or a `DecodeError`."""
    answer = decoded(body)
    if isinstance(answer, dict):
        assert answer.keys() <= TYPES.keys()


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e999"])
def test_what_is_no_number_in_json_is_refused(number: str) -> None:
    """What Python reads beyond JSON others could not read in a dead letter."""
    body = '{"queue_name":"q","actor_name":"a","args":[],"kwargs":{"x":%s},"options":{}}' % number  # noqa: UP031
    with pytest.raises(DecodeError, match="no JSON"):
        ENCODER.decode(body.encode())


def test_a_body_over_the_limit_is_not_parsed() -> None:
    """P10: a body of more than a mebibyte is refused by its length, whatever stands in it."""
    with pytest.raises(DecodeError, match="1048577 bytes; 1048576 are allowed"):
        ENCODER.decode(b"[" * (1024 * 1024 + 1))


@pytest.mark.parametrize("opening", ["[", '{"a":'])
def test_nesting_has_a_bound(opening: str) -> None:
    """What is read can be written again as a dead letter: neither is recursion that Python refuses."""
    closing = "]" if opening == "[" else "}"

    def nested(levels: int) -> bytes:
        inner = opening * levels + "1" + closing * levels
        return (
            '{"queue_name":"q","actor_name":"a","args":[],"kwargs":{"x":' + inner + '},"options":{}}'
        ).encode()

    assert ENCODER.encode(ENCODER.decode(nested(MAX_DEPTH - 2))) == nested(MAX_DEPTH - 2)
    for levels in (MAX_DEPTH - 1, 200, 900):
        with pytest.raises(DecodeError, match="deep in each other"):
            ENCODER.decode(nested(levels))


def test_a_long_flat_body_is_no_deep_one() -> None:
    """Many lists beside each other are fine."""
    body = (
        b'{"queue_name":"q","actor_name":"a","args":[],"kwargs":{"x":['
        + b",".join([b"[]"] * 500)
        + b']},"options":{}}'
    )
    assert ENCODER.encode(ENCODER.decode(body)) == body


@given(fields=JSON)
def test_any_json_has_an_answer(fields: Any) -> None:
    """P6: whatever JSON is published, what gets through has the right types, and the rest is not told."""
    answer = decoded(json.dumps(fields).encode())
    if isinstance(answer, str):
        assert MARKER not in answer
    else:
        assert all(isinstance(answer[name], types) for name, types in TYPES.items() if name in answer)


@given(fields=ENVELOPES, name=st.sampled_from(sorted(TYPES)), value=JSON, gone=st.booleans())
def test_an_envelope_with_one_wrong_field(fields: dict[str, Any], name: str, value: Any, gone: bool) -> None:  # noqa: FBT001 - drawn
    """P6: one field of a wrong type or missing is a refusal that names the field and shows no value."""
    broken = {**fields, name: value}
    if gone:
        del broken[name]
    answer = decoded(json.dumps(broken).encode())
    right = name not in REQUIRED if gone else isinstance(value, TYPES[name])
    if right:
        assert answer == broken
    else:
        assert "envelope" in answer
        assert name in answer
        assert MARKER not in answer


@given(fields=ENVELOPES)
def test_round_trip(fields: dict[str, Any]) -> None:
    """What is encoded is decoded as it was."""
    assert ENCODER.decode(ENCODER.encode(fields)) == fields


@given(fields=ENVELOPES, extra=st.text(min_size=1).filter(lambda name: name not in {*TYPES, "specversion"}))
def test_unknown_fields_are_counted_and_not_named(fields: dict[str, Any], extra: str) -> None:
    """P6: a field that is none of ours is a refusal; its name, which may be anything, is not told."""
    with pytest.raises(DecodeError, match=r"^the envelope has 1 unknown fields$"):
        ENCODER.decode(json.dumps({**fields, extra: 1}).encode())


@given(event=OBJECTS, event_id=JSON)
def test_a_cloud_event_is_the_triggers_envelope(event: dict[str, Any], event_id: Any) -> None:
    """Whatever means to be a CloudEvent travels whole to the trigger, under its own id if that is a text."""
    event = {**event, "specversion": "1.0", "id": event_id}
    fields = ENCODER.decode(json.dumps(event).encode())
    assert (fields["queue_name"], fields["actor_name"]) == (TENANT_SYNC_QUEUE, TENANT_SYNC_ACTOR)
    assert fields["kwargs"] == {"event": event}
    assert fields.get("message_id") == (event_id if isinstance(event_id, str) and event_id else None)
