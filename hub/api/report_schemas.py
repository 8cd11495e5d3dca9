"""What the API answers of the report; the OpenAPI description is made of it."""

from __future__ import annotations

from typing import Any, Final

from marshmallow import Schema, fields, validate

from schemas.runs.sign_in import ValueMatch

#: Entries of each list.
_MOST: Final = 10_000
_USUAL: Final = 50


def _number(about: str) -> fields.Integer:
    return fields.Integer(required=True, metadata={"description": about})


def _findings(about: str) -> fields.Nested:
    return fields.Nested(FindingsSchema, required=True, metadata={"description": about})


class FindingsSchema(Schema):
    """One kind of finding."""

    count = _number("How many there are.")
    users = fields.List(
        fields.Raw(),
        required=True,
        metadata={"description": "The first of them, as `tenants report --json` has them."},
    )


#: How many users have which match of a value.
ValueMatchesSchema: Final[Any] = Schema.from_dict(
    {
        "users": _number("Users that were compared."),
        "exact_share": fields.Float(required=True, allow_none=True),
        **{str(match): _number("Users with that match.") for match in ValueMatch},
    },
    name="ValueMatchesSchema",
)


class NotJudgedSchema(Schema):
    """Users of whom nothing was compared."""

    count = _number("How many there are.")
    reasons = fields.Dict(required=True, keys=fields.String(), values=fields.Integer())


class SignInSchema(Schema):
    """Whose values equal those in Entra to the letter, as sign-in by QR code needs it."""

    email = fields.Nested(ValueMatchesSchema, required=True)
    idp_identifier = fields.Nested(ValueMatchesSchema, required=True)
    locked_out = _findings("Users who cannot sign in by QR code.")
    not_judged = fields.Nested(NotJudgedSchema, required=True)


class ReportSchema(Schema):
    """What the last complete run of all users found to correct."""

    tenant = fields.String(required=True)
    run = fields.String(required=True, metadata={"description": "The run."})
    finished = fields.String(required=True, allow_none=True, metadata={"format": "date-time"})
    users = _number("Users of the run.")
    warnings = fields.List(fields.Raw(), required=True)
    collisions = _findings("Users that match one Skolon user; null is a user of another tenant.")
    same_eppn = _findings("Users that share an EPPN.")
    same_personal_number = _findings("Users that share a personal number.")
    eppn_is_mail_of_another = _findings("Users whose EPPN is another one's mail.")
    eppn_moved = _findings("Users whose EPPN another one had before.")
    eppn_has_personal_number = _findings("Users with a personal number in the EPPN.")
    sign_in = fields.Nested(SignInSchema, required=True)
    no_match_key = _findings("Users with nothing to look them up by.")
    not_found = _findings("Users that are not in Skolon.")
    left_entra = _findings("Users in Skolon who are no longer in Entra.")
    ambiguous = _findings("Users that several Skolon users match.")
    failed = _findings("Users that could not be updated.")


class ReportQuery(Schema):
    """How much of each list."""

    limit = fields.Integer(
        load_default=_USUAL,
        validate=validate.Range(min=1, max=_MOST),
        metadata={"description": "Entries of each list."},
    )
