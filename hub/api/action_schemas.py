"""What the API takes and answers where something is done."""

from __future__ import annotations

from typing import Final

from marshmallow import Schema, fields, validate

from administration.runs.start import StartKind
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
