"""How a tenant's settings are checked: the object that commands take and that the database keeps."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any, Final

from marshmallow import Schema, ValidationError, fields, post_load, validate, validates_schema

from schemas.fields import StrictBoolean, Word
from schemas.tenants.credentials.client_certificate import (
    MAX_CERTIFICATE,
    CertificateError,
    is_certificate,
    read_certificate,
)
from schemas.tenants.credentials.client_secret import MAX_SECRET
from schemas.tenants.schedule import schedule_fault, time_zone_fault
from schemas.tenants.scope import ScopeSchema
from schemas.tenants.skolon_target import SkolonLack, SkolonProfile
from schemas.users.attributes import (
    APPROVABLE_ATTRIBUTES,
    ATTRIBUTE_TABLE,
    MATCH_KEYS,
    SOURCE_ORDERED_ATTRIBUTES,
    Attribute,
)
from schemas.words import allowed_words, is_word

if TYPE_CHECKING:
    from collections.abc import Callable

#: Tenant keys go into messages, command lines and logs.
TENANT_KEY: Final = validate.Regexp(
    r"^[a-z0-9][a-z0-9_-]{0,62}\Z",
    error="A tenant key is 1 to 63 of a-z, 0-9, - and _, and starts with a letter or digit.",
)

#: Countries whose personal numbers can be checked (ISO 3166-1).
SSN_COUNTRIES: Final = ("SE", "NO", "DK", "FI")

#: How long a message may wait for a service, and a verified user for the next look at Skolon.
MAX_WAIT_HOURS: Final = 24 * 30
MAX_TRUST_DAYS: Final = 365

#: Entra's directories that are none: client credentials do not work against them.
_NO_DIRECTORY: Final = ("common", "organizations", "consumers")


class LimitSchema(Schema):
    """One limit of `guard`."""

    count = fields.Integer(required=True, strict=True, validate=validate.Range(min=0))
    share = fields.Float(required=True, validate=validate.Range(min=0, max=1))


class GuardSchema(Schema):
    """`guard` of a tenant."""

    error_messages = {  # noqa: RUF012 - marshmallow's own name, which it does not declare for the class
        "unknown": "There is no such limit. Allowed are: "
        "changed, identity_changed, not_found, failed, left_scope."
    }

    changed = fields.Nested(LimitSchema, allow_none=True)
    identity_changed = fields.Nested(LimitSchema, allow_none=True)
    not_found = fields.Nested(LimitSchema, allow_none=True)
    failed = fields.Nested(LimitSchema, allow_none=True)
    left_scope = fields.Nested(LimitSchema, allow_none=True)


def _directory(value: str) -> None:
    if value.lower() in _NO_DIRECTORY:
        raise ValidationError(
            "Name the directory (tenant) id of the municipality: client credentials do not work against "
            f"'{value.lower()}'."
        )


def _free_of(classify: Callable[[str], str | None]) -> Callable[[str], None]:
    """Return a validator for marshmallow out of a function that says what is wrong, if anything is."""

    def check(value: str) -> None:
        fault = classify(value)
        if fault is not None:
            raise ValidationError(fault)

    return check


def _attributes(*allowed: Attribute) -> fields.List[Any]:
    return fields.List(Word(Attribute, allowed=allowed))


#: Goes into a URL's path, so nothing that would change the path.
_URL_PART: Final = validate.Regexp(
    r"^(?!\.\.?\Z)[A-Za-z0-9._~-]{1,200}\Z", error="Only letters, digits and . _ ~ - are allowed here."
)


class TenantSchema(Schema):
    """The object that `tenants add --from` takes, and `tenants show --json` gives."""

    name = fields.String(required=True, validate=validate.Length(min=1, max=200))
    entra_tenant_id = fields.String(required=True, validate=[_URL_PART, _directory])
    client_id = fields.String(required=True, validate=validate.Length(min=1, max=200))
    client_secret = fields.String(
        required=True, load_only=True, validate=validate.Length(min=1, max=MAX_CERTIFICATE)
    )
    organisation = fields.String(required=True, validate=_URL_PART)
    client_secret_expires = fields.Date(allow_none=True)
    sources = fields.Dict(keys=Word(Attribute), values=fields.List(fields.String(required=True)))
    match_keys = _attributes(*MATCH_KEYS)
    erase_blank = _attributes(*Attribute)
    replace_from_later_sources = _attributes(*SOURCE_ORDERED_ATTRIBUTES)
    needs_approval = _attributes(*APPROVABLE_ATTRIBUTES)
    ssn_country = fields.String(allow_none=True, validate=validate.OneOf(SSN_COUNTRIES))
    skolon_profile = Word(SkolonProfile)
    skolon_lacks = fields.List(Word(SkolonLack))
    birthdays = StrictBoolean()
    scope = fields.Nested(ScopeSchema)
    guard = fields.Nested(GuardSchema)
    give_up_after_hours = fields.Float(
        validate=validate.Range(min=0, min_inclusive=False, max=MAX_WAIT_HOURS)
    )
    trust_receipts_days = fields.Integer(strict=True, validate=validate.Range(min=0, max=MAX_TRUST_DAYS))
    schedule = fields.String(
        allow_none=True, validate=validate.And(validate.Length(max=200), _free_of(schedule_fault))
    )
    time_zone = fields.String(validate=_free_of(time_zone_fault))
    enabled = StrictBoolean()

    @post_load
    def _certificate(self, data: dict[str, Any], **_: object) -> dict[str, Any]:
        """Check what is given as a client secret; a certificate brings its own date."""
        secret = data.get("client_secret", "")
        if is_certificate(secret):
            try:
                certificate = read_certificate(secret, dt.datetime.now(dt.UTC))
            except CertificateError as error:
                raise ValidationError({"client_secret": [str(error)]}) from None
            return {**data, "client_secret": certificate.pem, "client_secret_expires": certificate.expires}
        if len(secret) > MAX_SECRET:
            raise ValidationError({"client_secret": [f"Longer than maximum length {MAX_SECRET}."]})
        return data

    @validates_schema(skip_on_field_errors=False)
    def _allowed_sources(self, data: dict[str, Any], **_: object) -> None:
        faults = {
            str(attribute): [fault]
            for attribute, sources in data.get("sources", {}).items()
            if (fault := _source_fault(attribute, sources))
        }
        if faults:
            raise ValidationError({"sources": faults})

    @validates_schema(skip_on_field_errors=False)
    def _user_name_stays(self, data: dict[str, Any], **_: object) -> None:
        if Attribute.USER_NAME in data.get("erase_blank", ()):
            fault = "user_name is never erased: every SCIM user has one (RFC 7643 section 4.1.1)."
            raise ValidationError({"erase_blank": [fault]})

    @validates_schema(skip_on_field_errors=False)
    def _match_keys_once(self, data: dict[str, Any], **_: object) -> None:
        keys = data.get("match_keys")
        if keys is not None and (not keys or len(set(keys)) != len(keys)):
            raise ValidationError({"match_keys": ["Name at least one key, and each only once."]})


def _source_fault(attribute: Attribute, sources: list[str]) -> str | None:
    allowed = ATTRIBUTE_TABLE[attribute].sources
    unknown = [source for source in sources if source not in allowed]
    if unknown:
        title = ATTRIBUTE_TABLE[attribute].title
        named = ", ".join(unknown) if all(map(is_word, unknown)) else "This"
        return f"{named} cannot fill {title}. {allowed_words(unknown[0], allowed)}"
    if len(set(sources)) != len(sources):
        return "Name each source only once."
    return None
