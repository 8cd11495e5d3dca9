"""What the API takes and answers about the attribute mapping."""

from __future__ import annotations

from typing import Any, Final

from marshmallow import Schema, fields, validate

from hub.api.action_schemas import KeyHeader
from hub.api.schemas import RunSchema
from schemas.users.attributes import APPROVABLE_ATTRIBUTES, ATTRIBUTE_TABLE, Attribute

#: A version of a draft, or a state of the active mapping.
_VERSION: Final = r"^[0-9]{1,9}\Z"
_STATE: Final = r"^[0-9a-f]{16}\Z"


def _sources(about: str) -> fields.Dict:
    return fields.Dict(
        required=True,
        keys=fields.String(validate=validate.OneOf([str(each) for each in Attribute])),
        values=fields.List(fields.String()),
        metadata={"description": about},
    )


class SourcesSchema(Schema):
    """The sources of attributes, checked by `check_mapping`: it names all faults at once."""

    sources = fields.Dict(
        required=True,
        keys=fields.String(),
        values=fields.Raw(),
        metadata={
            "description": "The properties of Entra that fill each attribute, in order. Attributes that are "
            "not named stay as they are.",
            "properties": {
                str(attribute): {
                    "type": "array",
                    "items": {"type": "string", "enum": list(row.sources)},
                    "uniqueItems": True,
                }
                for attribute, row in ATTRIBUTE_TABLE.items()
            },
            "additionalProperties": False,
        },
    )


class NewDraftSchema(SourcesSchema):
    """A draft: of the active mapping, with the sources that are named."""


class VersionHeader(KeyHeader):
    """The key, and the version that the change is meant for."""

    version = fields.String(
        load_default=None,
        data_key="If-Match",
        validate=validate.Regexp(_VERSION),
        metadata={
            "description": "The `version` of the draft that was read: if it has another one by now, nothing "
            "is done (412).",
            "pattern": "^[0-9]{1,9}$",
        },
    )


class MappingStateHeader(KeyHeader):
    """The key, and the state of the active mapping that the change is meant for."""

    state = fields.String(
        load_default=None,
        data_key="If-Match",
        validate=validate.Regexp(_STATE),
        metadata={
            "description": "The `state` of the mapping that was read: if it has another one by now, nothing "
            "is done (412).",
            "pattern": "^[0-9a-f]{16}$",
        },
    )


class MappingSchema(Schema):
    """The active mapping."""

    sources = _sources("The properties of Entra that fill each attribute, in order.")
    needs_approval = fields.List(
        fields.String(validate=validate.OneOf([str(each) for each in APPROVABLE_ATTRIBUTES])),
        required=True,
        metadata={
            "description": "The attributes of which a change needs a second person's approval; members set "
            "them in the Data Hub, and no program does."
        },
    )
    state = fields.String(required=True, metadata={"description": "It differs for each mapping."})


class DraftSchema(Schema):
    """A draft beside the active mapping."""

    draft = fields.String(required=True, metadata={"description": "Its number."})
    version = fields.Integer(required=True, metadata={"description": "It grows with each change."})
    sources = _sources("The properties of Entra that fill each attribute, in order.")
    differs = fields.List(
        fields.String(validate=validate.OneOf([str(each) for each in Attribute])),
        required=True,
        metadata={"description": "The attributes whose sources differ from the active mapping."},
    )
    needs_approval = fields.List(
        fields.String(),
        required=True,
        metadata={"description": "The attributes whose change needs a second person's approval."},
    )
    releases = fields.List(
        fields.String(),
        required=True,
        metadata={"description": "The attributes that need no second person any more once it is active."},
    )
    approved = fields.Boolean(
        required=True, metadata={"description": "Whether a second person has approved it as it is."}
    )
    takes_back = fields.List(
        fields.String(validate=validate.OneOf([str(each) for each in Attribute])),
        required=True,
        metadata={
            "description": "Those of them that were changed in the active mapping after the draft was made: "
            "made active, it takes that back."
        },
    )
    lost_match_keys = fields.List(
        fields.String(), required=True, metadata={"description": "By which no user would be found any more."}
    )
    created = fields.String(required=True, metadata={"format": "date-time"})
    updated = fields.String(required=True, metadata={"format": "date-time"})
    activated = fields.String(
        required=True,
        allow_none=True,
        metadata={"format": "date-time", "description": "When it became the active mapping (UTC)."},
    )


class DraftsSchema(Schema):
    """The drafts that are open, the newest first."""

    drafts = fields.List(fields.Nested(DraftSchema), required=True)


class ForecastSchema(Schema):
    """The last dry run with a draft."""

    requested = fields.Boolean(required=True, metadata={"description": "Whether one was asked for."})
    current = fields.Boolean(
        required=True, metadata={"description": "Whether the draft is as it was when it was asked for."}
    )
    run = fields.Nested(
        RunSchema, required=True, allow_none=True, metadata={"description": "Null until it has begun."}
    )
    attributes = fields.Dict(
        required=True,
        allow_none=True,
        keys=fields.String(),
        metadata={"description": "Users by attribute, and by what becomes of it; null before its end."},
    )
    mapping = fields.Dict(
        required=True,
        allow_none=True,
        keys=fields.String(),
        metadata={"description": "Where values come from, beside the active mapping; null before its end."},
    )
    would_halt = fields.List(
        fields.String(),
        required=True,
        metadata={"description": "Limits of the guard that a run with it would exceed."},
    )


class SourceFactsSchema(Schema):
    """What each property of Entra holds for each attribute, and what is proposed; no values."""

    run = fields.String(
        required=True,
        allow_none=True,
        metadata={"description": "The preview that found it; null if none is kept."},
    )
    users = fields.Integer(required=True, metadata={"description": "Users of that preview in scope."})
    attributes = fields.Dict(
        required=True,
        keys=fields.String(),
        metadata={
            "description": "By attribute and property: users with a value (`filled`), of which `invalid` "
            "break a rule; those who share it with another user (`shared`); and for how many Skolon has a "
            "value too (`compared`) and the same one (`agrees`)."
        },
    )
    proposals = fields.List(
        fields.Dict(keys=fields.String()),
        required=True,
        metadata={"description": "Properties that fit better than an attribute's first source."},
    )


class ChangeSchema(Schema):
    """A change of the active mapping."""

    change = fields.String(required=True, metadata={"description": "Its number."})
    at = fields.String(required=True, metadata={"format": "date-time"})
    before = _sources("The mapping before it.")
    after = _sources("The mapping after it.")


class HistorySchema(Schema):
    """How the active mapping has changed, the newest first."""

    changes = fields.List(fields.Nested(ChangeSchema), required=True)


class SideSchema(Schema):
    """Which mapping of a change is to be active again."""

    side: Any = fields.String(
        load_default="before",
        validate=validate.OneOf(["before", "after"]),
        metadata={"description": "The mapping before the change, or the one after it."},
    )


class DiscardedSchema(Schema):
    """A draft that is gone."""

    draft = fields.String(required=True)
