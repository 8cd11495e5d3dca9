"""What the API takes and answers about matches."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from marshmallow import Schema, ValidationError, fields, validate, validates_schema

from administration.matches.actions import AnswerKind
from hub.api.cursors import Cursor
from hub.api.schemas import DetailSchema
from schemas.dead_letter_reasons import Reason
from schemas.fields import is_object_id
from schemas.hub.session import AuditKind
from schemas.outcomes import Outcome
from schemas.reports.pending_match import MATCH_REASONS
from schemas.safe_text import is_storable
from schemas.tenants.match_decision import DecisionKind
from schemas.users.attributes import Attribute

if TYPE_CHECKING:
    from collections.abc import Mapping

#: Matches of a page.
_MOST = 200
_USUAL = 50

#: Characters of an id in Skolon, as the database has room for.
_MAX_SKOLON_ID = 255

_ATTRIBUTES = [str(each) for each in Attribute]


class _SkolonId(fields.String):
    """An id in Skolon, of whatever form, that the database can take."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        text: str = super()._deserialize(value, attr, data, **kwargs)
        if not text.isprintable() or not is_storable(text):
            raise ValidationError("Not an id.")
        return text


class _UserId(fields.String):
    """The id of a user in Entra, in small letters."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        text: str = super()._deserialize(value, attr, data, **kwargs)
        if not is_object_id(text):
            raise ValidationError("Not an id of Entra.")
        return text.lower()


def _skolon_id(about: str) -> _SkolonId:
    return _SkolonId(
        load_default=None,
        allow_none=True,
        validate=validate.Length(min=1, max=_MAX_SKOLON_ID),
        metadata={"description": about},
    )


def _text(about: str, *, nullable: bool = False) -> fields.String:
    return fields.String(required=True, allow_none=nullable, metadata={"description": about})


def _time(about: str) -> fields.String:
    return fields.String(required=True, metadata={"description": f"{about} (UTC)", "format": "date-time"})


def _attributes(about: str) -> fields.List[Any]:
    return fields.List(
        fields.String(validate=validate.OneOf(_ATTRIBUTES)), required=True, metadata={"description": about}
    )


class DecisionSchema(Schema):
    """A decision that is in force."""

    decision = fields.String(
        required=True,
        validate=validate.OneOf([str(each) for each in DecisionKind]),
        metadata={
            "description": "link: the two are one person. ignore: the one that is named is left alone."
        },
    )
    user = _text("The user's id in Entra.", nullable=True)
    skolon_user = _text("The user's id in Skolon.", nullable=True)
    decided = _time("When it was decided")


class WaitingMatchSchema(Schema):
    """A user whose match waits for a decision."""

    user = _text("The user's id in Entra.")
    run = _text("The last run that asked.")
    reason = fields.String(required=True, validate=validate.OneOf([str(each) for each in MATCH_REASONS]))
    detail = _text("Why, in English.", nullable=True)
    structured_detail = fields.Nested(DetailSchema, required=True, allow_none=True)
    skolon_users = fields.List(
        fields.String(), required=True, metadata={"description": "The users in Skolon that it may be."}
    )
    since = _time("Since when")


class MatchesSchema(Schema):
    """What waits for a decision, by the users' ids, and the decisions."""

    count = fields.Integer(required=True, metadata={"description": "How many users wait."})
    matches = fields.List(fields.Nested(WaitingMatchSchema), required=True)
    decisions = fields.List(fields.Nested(DecisionSchema), required=True)
    next = _text("The cursor of the next page of matches.", nullable=True)


class MatchesQuery(Schema):
    """Which page of the matches."""

    cursor = Cursor(load_default="", metadata={"description": "The `next` of the page before."})
    limit = fields.Integer(
        load_default=_USUAL,
        validate=validate.Range(min=1, max=_MOST),
        metadata={"description": "Entries of a page."},
    )


class ClaimantSchema(Schema):
    """Another user in Entra that claims the user in Skolon."""

    user = _text("The user's id in Entra.")
    keeps = fields.Boolean(required=True, metadata={"description": "Whether it is kept for that user."})


class CandidateSchema(Schema):
    """A user in Skolon that the user may be: what agrees and what differs, without values."""

    skolon_user = _text("The user's id in Skolon.")
    found_by = _attributes("By what it was found.")
    equal_keys = _attributes("What finds users, and is the same.")
    agrees = fields.List(
        fields.String(), required=True, metadata={"description": "What speaks for one person."}
    )
    differs = fields.List(fields.String(), required=True, metadata={"description": "What speaks against it."})
    is_proven = fields.Boolean(
        required=True, metadata={"description": "Whether that is enough for the same person."}
    )
    equal = _attributes("The attributes that are the same.")
    different = _attributes("The attributes that differ.")
    claimants = fields.List(fields.Nested(ClaimantSchema), required=True)
    decision = fields.Nested(DecisionSchema, required=True, allow_none=True)


class ComparisonSchema(Schema):
    """Both sides of a match as they are now."""

    user = _text("The user's id in Entra.")
    outcome = _text("What a run would come to now.", nullable=True)
    reason = _text("Why it would fail.", nullable=True)
    decision = fields.Nested(DecisionSchema, required=True, allow_none=True)
    skolon_users = fields.List(fields.Nested(CandidateSchema), required=True)


class AnswerQuery(Schema):
    """An answer to a match, as one that is thought of."""

    answer = fields.Enum(
        AnswerKind,
        by_value=True,
        required=True,
        metadata={
            "description": "link: the user is `skolon_user`. ignore_user: the user in Entra is left alone. "
            "ignore_skolon_user: `skolon_user` is left alone."
        },
    )
    skolon_user = _skolon_id("The user in Skolon; needed but for ignore_user.")

    @validates_schema
    def _check(self, data: Mapping[str, Any], **_: Any) -> None:
        if (data["answer"] is AnswerKind.IGNORE_USER) is not (data["skolon_user"] is None):
            raise ValidationError("ignore_user names none, the others name one.", "skolon_user")


class AnswerBody(AnswerQuery):
    """An answer to a match."""

    confirmed = fields.Boolean(
        load_default=False,
        metadata={"description": "That its effects were read. Needed where `needs_confirmation` says so."},
    )


class TakeBackBody(Schema):
    """The decision that is taken back, by the one user that it is about."""

    user = _UserId(load_default=None, allow_none=True, metadata={"description": "The id in Entra."})
    skolon_user = _skolon_id("The id in Skolon.")
    confirmed = fields.Boolean(
        load_default=False,
        metadata={"description": "That its effects were read. Needed where another user gets one in Skolon."},
    )

    @validates_schema
    def _check(self, data: Mapping[str, Any], **_: Any) -> None:
        if (data["user"] is None) is (data["skolon_user"] is None):
            raise ValidationError("Name one of user and skolon_user.", "user")


class EffectSchema(Schema):
    """What a run would come to for a user then."""

    user = _text("The user's id in Entra.")
    outcome = fields.String(
        required=True,
        allow_none=True,
        metadata={"description": f"One of {', '.join(Outcome)}; null if that is not known."},
    )
    reason = fields.String(
        required=True, allow_none=True, metadata={"description": f"One of {', '.join(Reason)}."}
    )
    skolon_user = _text("The user in Skolon that it would be.", nullable=True)
    changes = _attributes("What would be written there.")


class LostValueSchema(Schema):
    """A value that is written over and could not be restored."""

    attribute = fields.String(required=True, validate=validate.OneOf(_ATTRIBUTES))
    skolon_users = fields.List(
        fields.String(), required=True, metadata={"description": "Who has the value too."}
    )


class EffectsSchema(Schema):
    """What an answer would do."""

    needs_confirmation = fields.Boolean(
        required=True, metadata={"description": "Whether the answer has to say that this was read."}
    )
    own = fields.Nested(EffectSchema, required=True, allow_none=True)
    others = fields.List(fields.Nested(EffectSchema), required=True)
    lost = fields.List(fields.Nested(LostValueSchema), required=True)
    halted_run = _text("The run that has to be answered before any run applies it.", nullable=True)


class DecidedSchema(Schema):
    """What was decided."""

    kind = fields.String(
        required=True,
        validate=validate.OneOf(
            [
                str(each)
                for each in (AuditKind.MATCH_LINKED, AuditKind.USER_IGNORED, AuditKind.DECISION_FORGOTTEN)
            ]
        ),
    )
    users = fields.List(
        fields.String(), required=True, metadata={"description": "The users that are synced because of it."}
    )
    run = _text(
        "The run that syncs them; null until it has begun: ask again with the same key.", nullable=True
    )
    halted_run = _text("The run that has to be answered first.", nullable=True)
