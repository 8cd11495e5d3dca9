"""What the API takes and answers about notifications."""

from __future__ import annotations

from typing import Final

from marshmallow import Schema, fields, validate

from hub.api.action_schemas import KeyHeader
from schemas.notifications.delivery import Channel, DeliveryStatus
from schemas.notifications.news import Event, NewsKind
from schemas.notifications.settings import (
    MAX_ADDRESS,
    MAX_DAYS,
    MAX_FAILED,
    MAX_RECIPIENTS,
    MAX_URL,
    REPAIR_OWNERS,
    Weekday,
)
from schemas.reports.remedy import Language

_STATE: Final = "^[0-9a-f]{16}$"
_TIME: Final = "^([01][0-9]|2[0-3]):[0-5][0-9]$"


def _count(what: str) -> fields.Integer:
    return fields.Integer(required=True, metadata={"description": f"How many addresses get {what}."})


def _addresses(what: str) -> fields.List[str]:
    return fields.List(
        fields.String(validate=validate.Length(min=3, max=MAX_ADDRESS)),
        validate=validate.Length(max=MAX_RECIPIENTS),
        metadata={"description": f"Who gets {what}: e-mail addresses. They are never told again."},
    )


def _time(what: str) -> fields.String:
    return fields.String(
        allow_none=True,
        validate=validate.Regexp(_TIME.replace("$", r"\Z")),
        metadata={"description": what, "pattern": _TIME},
    )


class StateHeader(KeyHeader):
    """The key, and the state that the change is meant for."""

    state = fields.String(
        load_default=None,
        data_key="If-Match",
        validate=validate.Regexp(_STATE.replace("$", r"\Z")),
        metadata={
            "description": "The `state` that was read: if it is another by now, nothing is changed (412).",
            "pattern": _STATE,
        },
    )


class NotificationDeliverySchema(Schema):
    """What was told, and what became of it."""

    created = fields.String(required=True, metadata={"format": "date-time"})
    event = fields.String(required=True, validate=validate.OneOf([str(each) for each in Event]))
    kind = fields.String(
        required=True, allow_none=True, validate=validate.OneOf([*(str(each) for each in NewsKind), None])
    )
    owner = fields.String(
        required=True, allow_none=True, metadata={"description": "Of a repair list: who must act."}
    )
    channel = fields.String(required=True, validate=validate.OneOf([str(each) for each in Channel]))
    status = fields.String(required=True, validate=validate.OneOf([str(each) for each in DeliveryStatus]))
    attempts = fields.Integer(required=True)
    answer = fields.String(
        required=True, allow_none=True, metadata={"description": "The last answer: a word, and a code."}
    )


class NotificationsSchema(Schema):
    """Who is told of what, without addresses, and what was told last."""

    recipients = _count("mail")
    webhook = fields.Boolean(required=True, metadata={"description": "Whether webhooks have an address."})
    webhook_secret = fields.Boolean(
        required=True, metadata={"description": "Whether there is a secret to sign them with."}
    )
    most_failed = fields.Integer(required=True)
    unconfirmed_days = fields.Integer(required=True, allow_none=True)
    quiet_from = fields.String(required=True, allow_none=True)
    quiet_to = fields.String(required=True, allow_none=True)
    language = fields.String(required=True)
    repair_day = fields.String(required=True, allow_none=True)
    repair_entra = _count("the repair list of Entra")
    repair_skolon = _count("the repair list of Skolon")
    repair_administrator = _count("the repair list of the Data Hub's settings")
    state = fields.String(required=True, metadata={"description": "Another one after each change."})
    last = fields.List(fields.Nested(NotificationDeliverySchema), required=True)


class NotificationSettingsBody(Schema):
    """Settings that are to change; what is not named stays as it is."""

    recipients = _addresses("mail")
    webhook_url = fields.String(
        allow_none=True,
        validate=validate.Length(max=MAX_URL),
        metadata={
            "description": "Where webhooks are sent (https://…); null: nowhere. It is never told again."
        },
    )
    most_failed = fields.Integer(
        strict=True,
        validate=validate.Range(min=0, max=MAX_FAILED),
        metadata={"description": "If more users fail, it is told."},
    )
    unconfirmed_days = fields.Integer(
        strict=True,
        allow_none=True,
        validate=validate.Range(min=1, max=MAX_DAYS),
        metadata={"description": "After so many days without a confirmed user it is a problem; null: never."},
    )
    quiet_from = _time("From when nothing is told, by the tenant's clock.")
    quiet_to = _time("Until when nothing is told.")
    language = fields.String(validate=validate.OneOf([str(each) for each in Language]))
    repair_day = fields.String(
        allow_none=True,
        validate=validate.OneOf([*(str(each) for each in Weekday), None]),
        metadata={"description": "On which day the repair lists are sent; null: never."},
    )
    repair_entra = _addresses("the repair list of Entra")
    repair_skolon = _addresses("the repair list of Skolon")
    repair_administrator = _addresses("the repair list of the Data Hub's settings")


class NotificationTestBody(Schema):
    """What is tested."""

    channel = fields.String(required=True, validate=validate.OneOf([str(each) for each in Channel]))


class NotificationTestSchema(Schema):
    """What each receiver has answered."""

    answers = fields.List(
        fields.String(), required=True, metadata={"description": "A word, and a code of SMTP or HTTP."}
    )


class WebhookSecretSchema(Schema):
    """The new secret."""

    webhook_secret = fields.String(
        required=True,
        allow_none=True,
        metadata={"description": "Told this once: null if it was made with the same key before."},
    )


#: The names of the counts, by the settings that they count.
COUNTED: Final = ("recipients", *(f"repair_{owner}" for owner in REPAIR_OWNERS))
