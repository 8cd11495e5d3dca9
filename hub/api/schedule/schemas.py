"""What the API takes and answers about the schedule."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any, Final

from marshmallow import Schema, ValidationError, fields, validate

from administration.tenants.schedule.pauses import MAX_REASON
from hub.api.schemas import PauseSchema
from schemas.safe_text import is_storable
from schemas.tenants.schedule import schedule_fault, time_zone_fault

if TYPE_CHECKING:
    from collections.abc import Callable

_MAX_LINE: Final = 100
_MAX_ZONE: Final = 64


class _Moment(fields.AwareDateTime):
    """A date and time with its offset (RFC 3339), loaded in UTC."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> dt.datetime:
        moment: dt.datetime = super()._deserialize(value, attr, data, **kwargs)
        try:
            return moment.astimezone(dt.UTC)
        except OverflowError:
            raise ValidationError("Not a time.") from None


def _checked(fault: Callable[[str], str | None]) -> Callable[[str], None]:
    def check(text: str) -> None:
        if not text.isascii() or not text.isprintable():
            raise ValidationError("Not printable ASCII.")
        found = fault(text)
        if found is not None:
            raise ValidationError(found)

    return check


def _check_reason(text: str) -> None:
    if not text.strip() or not text.isprintable() or not is_storable(text):
        raise ValidationError("Not a text on one line.")


def _line(*, nullable: bool) -> fields.String:
    return fields.String(
        required=True,
        allow_none=nullable,
        validate=[validate.Length(max=_MAX_LINE), _checked(schedule_fault)],
        metadata={
            "description": "Five fields of crontab: minute, hour, day of the month, month, day of the week."
            + (" Null: no run starts by itself." if nullable else "")
        },
    )


def _zone() -> fields.String:
    return fields.String(
        required=True,
        validate=[validate.Length(min=1, max=_MAX_ZONE), _checked(time_zone_fault)],
        metadata={"description": "The zone of the schedule's clock, such as Europe/Stockholm."},
    )


def _seen() -> fields.String:
    return fields.String(
        required=True,
        metadata={"description": "The `version` that was read: if it is another one by now, 412."},
    )


class ScheduleSchema(Schema):
    """When runs start by themselves."""

    schedule = fields.String(required=True, allow_none=True, metadata={"description": "A line of crontab."})
    time_zone = fields.String(required=True, metadata={"description": "The zone of its clock."})
    version = fields.String(
        required=True, metadata={"description": "Another one after each change: send it with the next one."}
    )
    times = fields.List(
        fields.String(metadata={"format": "date-time"}),
        required=True,
        metadata={"description": "The next due times (UTC), after a pause."},
    )
    pause = fields.Nested(PauseSchema, required=True, allow_none=True)


class TimesQuery(Schema):
    """A schedule that is thought of."""

    schedule = _line(nullable=False)
    time_zone = _zone()


class TimesSchema(Schema):
    """When runs would be due."""

    times = fields.List(
        fields.String(metadata={"format": "date-time"}),
        required=True,
        metadata={"description": "The next due times (UTC), after a pause."},
    )


class ScheduleBody(Schema):
    """The schedule as it is to be."""

    schedule = _line(nullable=True)
    time_zone = _zone()
    seen = _seen()


class PauseBody(Schema):
    """A pause."""

    until = _Moment(required=True, metadata={"description": "When it ends: at most a year ahead."})
    reason = fields.String(
        required=True,
        validate=[validate.Length(min=1, max=MAX_REASON), _check_reason],
        metadata={"description": "Why, for the people who see the pause. No names of persons."},
    )
    seen = _seen()


class ResumeBody(Schema):
    """The end of a pause."""

    seen = _seen()
