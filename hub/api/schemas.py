"""What the API answers; the OpenAPI description is made of these."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from marshmallow import Schema, fields, validate

from hub.api.cursors import Cursor, RunCursor
from schemas.dead_letter_reasons import Reason
from schemas.errors import Dependency
from schemas.outcomes import Cause, Mode, NotFoundReason, Outcome, RunKind, Stage, Status
from schemas.reports.remedy import Owner
from schemas.reports.user_status import SyncState
from schemas.tenants.tenant_status import ProblemKind
from schemas.users.attributes import Attribute

if TYPE_CHECKING:
    from enum import StrEnum

#: Entries of a page.
_MOST = 200
_USUAL = 50


def _word(words: type[StrEnum], *, nullable: bool = False, about: str = "") -> fields.String:
    allowed = [str(word) for word in words]
    # JSON Schema's `enum` would refuse null, where null is allowed.
    check = None if nullable else validate.OneOf(allowed)
    meaning = f"{about} One of {', '.join(allowed)}.".strip() if nullable else about
    return fields.String(
        required=True, allow_none=nullable, validate=check, metadata={"description": meaning}
    )


def _text(about: str, *, nullable: bool = False) -> fields.String:
    return fields.String(required=True, allow_none=nullable, metadata={"description": about})


def _number(about: str, *, nullable: bool = False) -> fields.Integer:
    return fields.Integer(required=True, allow_none=nullable, metadata={"description": about})


def _truth(about: str, *, nullable: bool = False) -> fields.Boolean:
    return fields.Boolean(required=True, allow_none=nullable, metadata={"description": about})


def _time(about: str, *, nullable: bool = False) -> fields.String:
    return fields.String(
        required=True, allow_none=nullable, metadata={"description": f"{about} (UTC)", "format": "date-time"}
    )


def _counts(about: str) -> fields.Dict:
    return fields.Dict(
        required=True, keys=fields.String(), values=fields.Integer(), metadata={"description": about}
    )


def _attributes(about: str) -> fields.List[Any]:
    return fields.List(
        fields.String(validate=validate.OneOf([str(each) for each in Attribute])),
        required=True,
        metadata={"description": about},
    )


class DetailSchema(Schema):
    """What happened, in parts and in each language; never with a personal value."""

    kind = _text("What happened, in one word.")
    parameters = fields.Dict(required=True, keys=fields.String(), metadata={"description": "What it names."})
    texts = fields.Dict(
        required=True,
        keys=fields.String(),
        values=fields.String(),
        metadata={"description": "The sentence in Swedish (sv) and English (en)."},
    )


def _detail() -> fields.Nested:
    return fields.Nested(DetailSchema, required=True, allow_none=True)


class NeedSchema(Schema):
    """What needs a person."""

    kind = _word(ProblemKind)
    owner = _word(Owner, about="Who must act.")
    run = _text("The run that it is about.", nullable=True)
    cause = _word(Cause, nullable=True)
    reason = _word(Reason, nullable=True)
    users = _number("How many users it is about.", nullable=True)
    since = _time("Since when", nullable=True)
    expires = fields.String(required=True, allow_none=True, metadata={"format": "date"})
    service = _word(Dependency, nullable=True, about="What a run has waited for since then.")


class PauseSchema(Schema):
    """A pause of the schedule that is in force."""

    since = _time("When it was paused")
    until = _time("When it ends by itself")
    reason = _text("Why.", nullable=True)


class SyncSchema(Schema):
    """A tenant's sync at a glance."""

    tenant = _text("The tenant's key.")
    name = _text("The tenant's name.")
    enabled = _truth("Whether it is switched on.")
    never_synced = _truth("Whether no run of all users was ever complete.")
    last_run = _text("The newest run of all users.", nullable=True)
    users = fields.Dict(
        required=True, keys=fields.String(), metadata={"description": "Users by their state."}
    )
    next_due = _time("When the next run is due, after a pause", nullable=True)
    pause = fields.Nested(PauseSchema, required=True, allow_none=True)
    problems = fields.List(fields.Nested(NeedSchema), required=True)


class SyncsSchema(Schema):
    """The syncs that the token reads."""

    syncs = fields.List(fields.Nested(SyncSchema), required=True)


class SettingsSchema(Schema):
    """A tenant's settings that may be read, without secrets and without values of scope rules."""

    entra_tenant_id = _text("The directory in Entra; null until it is set up.", nullable=True)
    client_id = _text("The app in the directory; null until it is set up.", nullable=True)
    client_secret_set = _time("When the client secret was set", nullable=True)
    client_secret_expires = fields.String(required=True, allow_none=True, metadata={"format": "date"})
    organisation = _text("The organisation in Skolon.")
    sources = fields.Dict(
        required=True,
        keys=fields.String(),
        values=fields.List(fields.String()),
        metadata={"description": "The properties of Entra that fill each attribute, in order."},
    )
    match_keys = _attributes("By which attributes a user is found in Skolon, in order.")
    schedule = _text("When runs start by themselves, as a line of crontab.", nullable=True)
    time_zone = _text("The zone of the schedule.")


class OneSyncSchema(SyncSchema):
    """A tenant's sync with its settings."""

    settings = fields.Nested(SettingsSchema, required=True)


class RunSchema(Schema):
    """A run."""

    run = _text("The run's number.")
    tenant = _text("The tenant's key.")
    kind = _word(RunKind)
    mode = _word(Mode)
    dry_run = _truth("Whether it changes nothing.")
    status = _word(Status)
    cause = _word(Cause, nullable=True, about="Why it was halted.")
    detail = _text("More about that.", nullable=True)
    structured_detail = _detail()
    published = _number("Users of the run.")
    pending = _number("Users without an outcome.")
    outcomes = _counts("Users by outcome; with `pending` they add up to `published`.")
    reasons = _counts("Failed users by reason.")
    started = _time("When it began")
    finished = _time("When it ended", nullable=True)


class RunsSchema(Schema):
    """Runs, the newest first."""

    runs = fields.List(fields.Nested(RunSchema), required=True)
    next = _text("The cursor of the next page.", nullable=True)


class ResultSchema(Schema):
    """What became of a user in a run."""

    user = _text("The user's id in Entra.")
    run = _text("The run's number.")
    outcome = _word(Outcome)
    reason = _word(Reason, nullable=True)
    stage = _word(Stage, nullable=True)
    detail = _text("What is wrong, in English.", nullable=True)
    structured_detail = _detail()
    not_found_reason = _word(NotFoundReason, nullable=True)
    skolon_user = _text("The user's id in Skolon.", nullable=True)
    changed = _attributes("What was changed in Skolon.")
    finished = _time("When it was done", nullable=True)


class ResultsSchema(Schema):
    """Users of a run, by their ids."""

    users = fields.List(fields.Nested(ResultSchema), required=True)
    next = _text("The cursor of the next page.", nullable=True)


class FailureGroupSchema(Schema):
    """Users that fail for one reason as things stand."""

    reason = _word(Reason)
    owner = _word(Owner, about="Who must act.")
    users = _number("How many.")
    first = _time("Since when the first of them fails")
    last = _time("Since when the last of them fails")
    settled_before = _time("When the reason was last settled, if it came back", nullable=True)
    set_aside_until = _time("Until when the group is set aside, if it is", nullable=True)


class FailuresSchema(Schema):
    """Users that fail as things stand, in groups."""

    groups = fields.List(fields.Nested(FailureGroupSchema), required=True)


class FailedUserSchema(Schema):
    """A user that fails as things stand."""

    user = _text("The user's id in Entra.")
    run = _text("The last run that failed to update the user.")
    reason = _word(Reason)
    owner = _word(Owner, about="Who must act.")
    detail = _text("What is wrong, in English.", nullable=True)
    structured_detail = _detail()
    since = _time("Since when")


class FailedUsersSchema(Schema):
    """Users that fail, by their ids."""

    users = fields.List(fields.Nested(FailedUserSchema), required=True)
    next = _text("The cursor of the next page.", nullable=True)


class HistoryEntrySchema(Schema):
    """What one run did for a user."""

    run = _text("The run's number.")
    kind = _word(RunKind)
    dry_run = _truth("Whether it changed nothing.")
    run_status = _word(Status)
    outcome = _word(Outcome)
    reason = _word(Reason, nullable=True)
    detail = _text("What is wrong, in English.", nullable=True)
    structured_detail = _detail()
    not_found_reason = _word(NotFoundReason, nullable=True)
    changed = _attributes("What was changed in Skolon.")
    skolon_user = _text("The user's id in Skolon.", nullable=True)
    at = _time("When it was done", nullable=True)


class UserSchema(Schema):
    """What runs recorded of a user: ids and words, no values."""

    user = _text("The user's id in Entra.")
    skolon_user = _text("The user's id in Skolon.", nullable=True)
    state = _word(SyncState)
    in_sync = _truth("Whether Skolon is right; null where that is not known.", nullable=True)
    since = _time("Since when", nullable=True)
    reason = _word(Reason, nullable=True)
    owner = _word(Owner, nullable=True, about="Who must act.")
    detail = _text("What is wrong, in English.", nullable=True)
    structured_detail = _detail()
    history = fields.List(fields.Nested(HistoryEntrySchema), required=True)


def _limit() -> fields.Integer:
    return fields.Integer(
        load_default=_USUAL,
        validate=validate.Range(min=1, max=_MOST),
        metadata={"description": "Entries of a page."},
    )


class RunsQuery(Schema):
    """Which page of runs."""

    cursor = RunCursor(load_default=None, metadata={"description": "The `next` of the page before."})
    limit = _limit()


class FailedUsersQuery(Schema):
    """Which users, and which page of them."""

    reason = fields.Enum(Reason, by_value=True, load_default=None)
    cursor = Cursor(load_default="", metadata={"description": "The `next` of the page before."})
    limit = _limit()


class ResultsQuery(FailedUsersQuery):
    """Which users of a run, and which page of them."""

    outcome = fields.Enum(Outcome, by_value=True, load_default=None)
