"""What the API takes and answers about a tenant's connection to Entra."""

from __future__ import annotations

from typing import Any, Final

from marshmallow import Schema, ValidationError, fields, validate

from administration.tenants.check_steps import CheckStep, Severity
from administration.tenants.set_up.connection import (
    ConnectionFault,
    ConnectionField,
    app_faults,
    secret_fault,
)
from hub.api.action_schemas import KeyHeader
from hub.api.schemas import DetailSchema
from schemas.tenants.credentials.client_certificate import MAX_CERTIFICATE
from schemas.tenants.credentials.client_secret import MAX_SECRET

#: A state that a `connection` has named.
_STATE: Final = r"^[0-9a-f]{16}\Z"

_MESSAGES: Final = {
    ConnectionFault.NOT_AN_ID: "This is no id of Entra's.",
    ConnectionFault.SAME_ID: "This is the directory's id: give the Application (client) ID.",
    ConnectionFault.SECRET_ID: "This is the Secret ID: give the Value.",
    ConnectionFault.WHITE_SPACE: "There is white space in it.",
    ConnectionFault.UNUSABLE: "No client secret is like that.",
    ConnectionFault.MISSING: "It is missing.",
}


class StateHeader(KeyHeader):
    """The key, and the state that the change is meant for."""

    state = fields.String(
        load_default=None,
        data_key="If-Match",
        validate=validate.Regexp(_STATE),
        metadata={
            "description": "The `state` of the connection that was read: if it has another one by now, "
            "nothing is changed (412).",
            "pattern": "^[0-9a-f]{16}$",
        },
    )


def _fault(field: ConnectionField, fault: ConnectionFault | None) -> None:
    if fault is not None:
        raise ValidationError({str(field): [_MESSAGES[fault]]})


class AppSchema(Schema):
    """An app in a directory."""

    entra_tenant_id = fields.String(
        required=True,
        validate=validate.Length(min=1, max=200),
        metadata={"description": "The Directory (tenant) ID, or a domain of the directory."},
    )
    client_id = fields.String(
        required=True,
        validate=validate.Length(min=1, max=200),
        metadata={"description": "The Application (client) ID."},
    )


def check_app(body: dict[str, Any]) -> None:
    """Raise `ValidationError` for ids that are none."""
    for field, fault in app_faults(body["entra_tenant_id"], body["client_id"]).items():
        _fault(field, fault)


class SecretSchema(Schema):
    """A client secret."""

    client_secret = fields.String(
        required=True,
        validate=validate.Length(min=1, max=MAX_SECRET),
        metadata={"description": "Its Value. It is never told again."},
    )
    client_secret_expires = fields.Date(
        load_default=None, allow_none=True, metadata={"description": "When it expires, as Entra shows it."}
    )


class CertificateSchema(Schema):
    """A certificate in the place of a client secret."""

    certificate = fields.String(
        required=True,
        validate=validate.Length(min=1, max=MAX_CERTIFICATE),
        metadata={
            "description": "A private key without a password and its certificate, as PEM. It is never told "
            "again. The date on which it expires is read from it."
        },
    )


def check_secret(body: dict[str, Any]) -> None:
    """Raise `ValidationError` for a secret that is none."""
    _fault(ConnectionField.SECRET, secret_fault(body["client_secret"], is_known=False))


class SwitchSchema(Schema):
    """Whether the sync is to be on."""

    enabled = fields.Boolean(required=True, metadata={"description": "Whether runs may start."})


class ConnectionSchema(Schema):
    """A tenant's connection to Entra, without its secret."""

    entra_tenant_id = fields.String(required=True, allow_none=True)
    client_id = fields.String(required=True, allow_none=True)
    client_secret_set = fields.String(
        required=True,
        allow_none=True,
        metadata={"description": "When the secret was entered (UTC), null if there is none."},
    )
    client_secret_expires = fields.String(required=True, allow_none=True, metadata={"format": "date"})
    proven = fields.String(
        required=True,
        allow_none=True,
        metadata={"description": "When a test was last right (UTC), null if it was changed since."},
    )
    enabled = fields.Boolean(required=True, metadata={"description": "Whether the sync is switched on."})
    state = fields.String(
        required=True, metadata={"description": "Sent as If-Match, a change is refused if this is another."}
    )


class CheckStepSchema(Schema):
    """What one step of the test found."""

    step = fields.String(required=True, validate=validate.OneOf([str(each) for each in CheckStep]))
    severity = fields.String(required=True, validate=validate.OneOf([str(each) for each in Severity]))
    detail = fields.String(required=True, metadata={"description": "What was found, in English."})
    structured_detail = fields.Nested(DetailSchema, required=True, allow_none=True)
    fix = fields.String(required=True, allow_none=True, metadata={"description": "How to mend it."})
    structured_fix = fields.Nested(DetailSchema, required=True, allow_none=True)


class CheckSchema(Schema):
    """The test of a connection."""

    works = fields.Boolean(required=True, metadata={"description": "Whether a run would work."})
    complete = fields.Boolean(
        required=True, metadata={"description": "False if the time was over before the last step."}
    )
    steps = fields.List(fields.Nested(CheckStepSchema), required=True)
