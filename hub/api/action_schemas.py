"""What the API takes and answers where something is done."""

from __future__ import annotations

from typing import Final

from marshmallow import Schema, fields, validate

from administration.runs.actions.question import QuestionKind
from administration.runs.actions.start import StartKind
from hub.api.schemas import RunSchema

#: As `schemas.hub.action` has it.
_KEY: Final = r"^[A-Za-z0-9_-]{1,100}\Z"


class KeyHeader(Schema):
    """The key that the program makes up for what it asks for."""

    key = fields.String(
        required=True,
        data_key="Idempotency-Key",
        validate=validate.Regexp(_KEY),
        metadata={
            "description": "A text of your own, 1 to 100 letters, digits, hyphens and underscores: sent "
            "again, the same is not done twice.",
            "pattern": "^[A-Za-z0-9_-]{1,100}$",
        },
    )


class StartSchema(Schema):
    """What is to be started."""

    kind = fields.Enum(
        StartKind,
        by_value=True,
        required=True,
        metadata={
            "description": "full: all users. delta: those that changed in Entra since the last run. dry_run: "
            "all users, and nothing is changed."
        },
    )


class StartedSchema(Schema):
    """What was started."""

    event = fields.String(required=True, metadata={"description": "The request's id."})
    run = fields.String(
        required=True,
        allow_none=True,
        metadata={"description": "The run's number; null until it has begun: ask again with the same key."},
    )


class StartPlanSchema(Schema):
    """What there is to know before a run is started."""

    enabled = fields.Boolean(required=True, metadata={"description": "Whether the tenant is switched on."})
    open_run = fields.String(
        required=True,
        allow_none=True,
        metadata={"description": "The run that is going on: what it does not do as well waits for its end."},
    )
    unanswered_run = fields.String(
        required=True,
        allow_none=True,
        metadata={"description": "The halted run that waits for an answer: only a dry run can be started."},
    )
    last_full = fields.Nested(RunSchema, required=True, allow_none=True)


class AnswerSchema(Schema):
    """The answer to a halted run."""

    override_guard = fields.Boolean(
        load_default=False,
        metadata={"description": "It is right: the run may exceed the limits. Needed if it asks."},
    )
    accepts_other_settings = fields.Boolean(
        load_default=False,
        metadata={
            "description": "It goes on although the settings were changed since it began: users that have a "
            "result keep it."
        },
    )


class QuestionSchema(Schema):
    """What a halted run asks."""

    kind = fields.String(
        required=True,
        validate=validate.OneOf([str(each) for each in QuestionKind]),
        metadata={"description": "Which limit it would exceed."},
    )
    users = fields.Integer(required=True, metadata={"description": "How many users it is about."})
    attribute = fields.String(
        required=True,
        allow_none=True,
        metadata={"description": "The attribute of an identity that changes for most users."},
    )
    changed = fields.Integer(
        required=True, metadata={"description": "Users that were changed, and that would be."}
    )
    attributes = fields.Dict(
        required=True,
        keys=fields.String(),
        metadata={"description": "Users by attribute, and by what becomes of it."},
    )
    complete = fields.Boolean(
        required=True, metadata={"description": "Whether all users of the run were looked at."}
    )


class ResumePlanSchema(Schema):
    """What it means to let a halted run go on."""

    halted = fields.Boolean(required=True, metadata={"description": "Whether the run is halted."})
    settled = fields.Integer(required=True, metadata={"description": "Users that have a result and keep it."})
    settings_changed = fields.Boolean(
        required=True, metadata={"description": "Whether the settings were changed since it began."}
    )
    question = fields.Nested(
        QuestionSchema,
        required=True,
        allow_none=True,
        metadata={"description": "What it asks; null if it goes on without an answer."},
    )


class UndoSchema(Schema):
    """Which undo is to be started."""

    dry_run = fields.Boolean(
        required=True,
        metadata={"description": "Whether it is a preview, which changes nothing and counts all the same."},
    )


class UndoneBySchema(Schema):
    """An undo of a run."""

    run = fields.String(required=True)
    status = fields.String(required=True)
    finished = fields.String(required=True, allow_none=True)
    users = fields.Integer(required=True, metadata={"description": "Users that got former values back."})


class UndoOfferSchema(Schema):
    """What an undo of a run would restore at most."""

    refusal = fields.String(
        required=True,
        allow_none=True,
        metadata={"description": "Why the run cannot be undone: not_ended, nothing_to_undo; null if it can."},
    )
    users = fields.Integer(required=True, metadata={"description": "Users that the run may have changed."})
    forgotten = fields.Integer(
        required=True, metadata={"description": "Users whose values from before are no longer kept."}
    )
    attributes = fields.Dict(
        required=True,
        keys=fields.String(),
        metadata={"description": "Users by attribute, and by what the undo does to it."},
    )
    cancels_run = fields.Boolean(
        required=True, metadata={"description": "Whether the undo cancels the run, which is halted."}
    )
    reread = fields.Integer(
        required=True,
        metadata={
            "description": "Users whose match is found out again afterwards: a decision was taken back."
        },
    )
    would_halt = fields.List(
        fields.String(),
        required=True,
        metadata={"description": "The limits by which the undo stops and asks, in English."},
    )
    last_preview = fields.Nested(
        RunSchema,
        required=True,
        allow_none=True,
        metadata={"description": "The newest preview of the undo that has ended."},
    )
    undone_by = fields.List(fields.Nested(UndoneBySchema), required=True)
