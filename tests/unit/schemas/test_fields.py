"""Fields that take what is right without marshmallow's steps: what they give is what the steps give."""

from __future__ import annotations

from typing import Any

import pytest
from marshmallow import EXCLUDE, Schema, ValidationError, fields

from schemas.fields import Text, TextsObject


class Entry(Schema):
    """As the objects of SCIM are read."""

    class Meta:
        """Marshmallow's options."""

        unknown = EXCLUDE

    kind = Text(shortest=1, longest=3, allow_none=True, data_key="type")
    value = Text(allow_none=True)
    primary = fields.Raw(allow_none=True)


def outcome(field: fields.Field[Any], value: object) -> object:
    try:
        return field.deserialize(value)
    except ValidationError as error:
        return error.messages


@pytest.mark.parametrize(
    "value",
    [
        {},
        {"type": "abc", "value": "x", "primary": [1], "other": {}},
        {"type": None, "value": None, "primary": None},
        {"type": ""},
        {"type": "abcd", "value": 5},
        {"value": True},
        {"value": {"nested": "x"}},
        {"kind": "abc"},
        [],
        "text",
        None,
        7,
    ],
    ids=str,
)
def test_an_object_of_texts_is_read_as_marshmallow_reads_it(value: object) -> None:
    """The same result, and the same faults."""
    assert outcome(TextsObject(Entry, allow_none=True), value) == outcome(
        fields.Nested(Entry, allow_none=True), value
    )
    assert outcome(TextsObject(Entry), value) == outcome(fields.Nested(Entry), value)


def test_an_object_that_needs_more_is_refused_at_once() -> None:
    """A required field would be left out in silence."""

    class Strict(Schema):
        id = Text(required=True)

    with pytest.raises(TypeError, match="id needs"):
        TextsObject(Strict).deserialize({})
