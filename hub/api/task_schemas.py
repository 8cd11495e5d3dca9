"""What the API takes and answers where something is done with users that fail."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any, Final

from marshmallow import Schema, ValidationError, fields, validate, validates_schema

from administration.dead_letters.tasks.requests import MAX_NAMED, MAX_NOTE
from hub.api.cursors import Cursor
from schemas.dead_letter_reasons import Reason
from schemas.dead_letters.task import TaskControl, TaskKind, TaskStatus
from schemas.outcomes import Outcome
from schemas.users.graph_user import is_entra_id

if TYPE_CHECKING:
    from collections.abc import Mapping

#: Years that a moment may have: others cannot be told in each time zone.
_YEARS: Final = range(1970, 3000)


def _is_user(text: str) -> None:
    if not is_entra_id(text):
        raise ValidationError("Not the id of a user in Entra.")


def _is_near(moment: dt.datetime) -> None:
    if moment.year not in _YEARS:
        raise ValidationError("Not a moment between 1970 and 2999.")


def _is_plain(text: str) -> None:
    if not (text.strip() and text.isprintable()):
        raise ValidationError("Write why, in one line.")


def _moment(about: str) -> fields.AwareDateTime:
    return fields.AwareDateTime(
        format="iso",
        load_default=None,
        default_timezone=dt.UTC,
        validate=_is_near,
        metadata={"description": about},
    )


class NewTaskSchema(Schema):
    """What is to be done, and with whom."""

    kind = fields.Enum(
        TaskKind,
        by_value=True,
        required=True,
        metadata={
            "description": "forecast: find out what a replay would do. replay: try again. discard: set "
            "aside; that needs a note."
        },
    )
    reason = fields.Enum(
        Reason, by_value=True, required=True, metadata={"description": "The users that fail for it."}
    )
    users = fields.List(
        fields.String(validate=_is_user),
        load_default=list,
        validate=validate.Length(max=MAX_NAMED),
        metadata={"description": "These of them alone, by their ids in Entra."},
    )
    after = _moment("Those alone that have failed since a later moment.")
    before = _moment("Those alone that have failed since an earlier moment.")
    forecast = fields.Integer(
        load_default=None,
        strict=False,
        validate=validate.Range(min=1, max=2**31 - 1),
        metadata={"description": "A forecast: those alone that it found would not fail again."},
    )
    note = fields.String(
        load_default=None,
        validate=[validate.Length(max=MAX_NOTE), _is_plain],
        metadata={"description": "Why users are set aside. Without names or personal numbers."},
    )

    @validates_schema
    def _check_note(self, data: Mapping[str, Any], **_: Any) -> None:
        if (data.get("kind") is TaskKind.DISCARD) != (data.get("note") is not None):
            raise ValidationError("A note is for users that are set aside, and they need one.", "note")


class ControlSchema(Schema):
    """What is wanted of a task."""

    control = fields.Enum(TaskControl, by_value=True, required=True)


def _number(about: str) -> fields.Integer:
    return fields.Integer(required=True, metadata={"description": about})


def _counts(about: str) -> fields.Dict:
    return fields.Dict(
        required=True, keys=fields.String(), values=fields.Integer(), metadata={"description": about}
    )


class TaskSchema(Schema):
    """A task on users that fail."""

    task = fields.String(required=True, metadata={"description": "The task's number."})
    kind = fields.String(required=True, validate=validate.OneOf([str(kind) for kind in TaskKind]))
    status = fields.String(required=True, validate=validate.OneOf([str(status) for status in TaskStatus]))
    selection = fields.Dict(
        required=True, keys=fields.String(), metadata={"description": "Whom it is about, as asked for."}
    )
    users = _number("How many they were when it was asked for.")
    done = _number("Users that it has come to an end with.")
    on_their_way = _number("Users that are being processed.")
    left = _number("Users that have not had their turn.")
    outcomes = _counts("Users by outcome: of a forecast what would become of them.")
    reasons = _counts("Users that fail again, by reason.")
    obstacles = _counts("Of a forecast, users of which it is not known, by what is in the way.")
    blocked = _number("Users in a halted run that waits for an answer: they are left alone.")
    missing = _number("Users for whom there is nothing to try any more.")
    set_aside = _number("Users that were set aside.")
    cause = fields.String(
        required=True, allow_none=True, metadata={"description": "Why no user can be tried, if so."}
    )
    requested = fields.String(required=True, metadata={"format": "date-time"})
    finished = fields.String(required=True, allow_none=True, metadata={"format": "date-time"})


class TriedUserSchema(Schema):
    """What a forecast has found of a user."""

    user = fields.String(required=True, metadata={"description": "The id in Entra."})
    outcome = fields.String(required=True, allow_none=True)
    reason = fields.String(
        required=True, allow_none=True, metadata={"description": "Why the user would fail again."}
    )
    obstacle = fields.String(required=True, allow_none=True, metadata={"description": "Why it is not known."})


class TriedUsersSchema(Schema):
    """A page of them."""

    users = fields.List(fields.Nested(TriedUserSchema), required=True)
    next = fields.String(
        required=True, allow_none=True, metadata={"description": "The cursor of the next page."}
    )


class TriedUsersQuery(Schema):
    """Which of them, and which page."""

    cursor = Cursor(load_default="", metadata={"description": "The `next` of the page before."})
    limit = fields.Integer(
        load_default=50,
        validate=validate.Range(min=1, max=200),
        metadata={"description": "Entries of a page."},
    )
    outcome = fields.Enum(Outcome, by_value=True, load_default=None)


class SetAsideSchema(Schema):
    """Until when a group is set aside."""

    until = fields.Date(
        format="iso",
        required=True,
        metadata={"description": "The day on which it is back, by the tenant's clock; at most a year ahead."},
    )
    note = fields.String(
        load_default=None,
        validate=[validate.Length(max=MAX_NOTE), _is_plain],
        metadata={"description": "Why. Without names or personal numbers."},
    )


class GroupAsideSchema(Schema):
    """Whether a group is set aside."""

    reason = fields.String(required=True)
    until = fields.String(
        required=True,
        allow_none=True,
        metadata={
            "description": "When it is back (UTC); null if it is there.",
            "format": "date-time",
        },
    )
    note = fields.String(required=True, allow_none=True)
