"""A tenant: one municipality's directory, how its users are mapped, and how far a run may go."""

from __future__ import annotations

from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from marshmallow import Schema, ValidationError, fields, validate, validates_schema

from schemas.errors import InvalidTenantError
from schemas.fields import StrictBoolean
from schemas.setting_validators import text_faults
from schemas.tenants.schedule import schedule_fault, time_zone_fault
from schemas.users.attributes import ATTRIBUTE_TABLE, MATCH_KEYS, Attribute
from schemas.users.graph_user import TEXT_SOURCES
from schemas.validation import flatten_errors

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Mapping

#: Tenant keys go into messages, command lines and logs.
TENANT_KEY: Final = validate.Regexp(
    r"^[a-z0-9][a-z0-9_-]{0,62}\Z",
    error="A tenant key is 1 to 63 of a-z, 0-9, - and _, and starts with a letter or digit.",
)

#: Countries whose personal numbers can be checked (ISO 3166-1).
SSN_COUNTRIES: Final = ("SE", "NO", "DK", "FI")

#: Entra's directories that are none: client credentials do not work against them.
_NO_DIRECTORY: Final = ("common", "organizations", "consumers")

_SECRET: Final = "client_secret"  # noqa: S105 - the name of a field, no secret


@dataclass(frozen=True, kw_only=True)
class Exclusion:
    """Excludes users whose `source` equals `equals`, ignoring case."""

    source: str
    equals: str


@dataclass(frozen=True, kw_only=True)
class Scope:
    """Which users of the directory the sync includes."""

    enabled_only: bool = False
    members_only: bool = False
    exclude: tuple[Exclusion, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Limit:
    """Exceeded by more than `count` users that are also more than `share` (0 to 1) of the tenant's users."""

    count: int
    share: float


@dataclass(frozen=True, kw_only=True)
class Guard:
    """How much one run may change; None is no limit."""

    changed: Limit | None = field(default_factory=lambda: Limit(count=1000, share=0.5))
    identity_changed: Limit | None = field(default_factory=lambda: Limit(count=100, share=0.1))
    not_found: Limit | None = None


@dataclass(frozen=True, kw_only=True)
class Tenant:
    """The settings of a tenant, without its secret."""

    key: str
    name: str
    entra_tenant_id: str
    client_id: str
    organisation: str
    client_secret_expires: dt.date | None = None
    sources: Mapping[Attribute, tuple[str, ...]] = field(
        default_factory=lambda: MappingProxyType({name: row.default for name, row in ATTRIBUTE_TABLE.items()})
    )
    match_keys: tuple[Attribute, ...] = MATCH_KEYS[:4]
    erase_blank: frozenset[Attribute] = frozenset()
    ssn_country: str | None = None
    birthdays: bool = True
    scope: Scope = field(default_factory=Scope)
    guard: Guard = field(default_factory=Guard)
    give_up_after_hours: float = 24
    trust_receipts_days: int = 0
    schedule: str | None = None
    time_zone: str = "Europe/Stockholm"
    enabled: bool = True

    @property
    def wants_birthdays(self) -> bool:
        """Whether birth dates are synced, and so asked for."""
        return self.birthdays and bool(self.sources[Attribute.BIRTH_DATE])


@dataclass(frozen=True, kw_only=True)
class Credentials:
    """What Entra gives a token for: an app of a directory, and its secret's Value."""

    directory: str
    client_id: str
    client_secret: str = field(repr=False)


class ExclusionSchema(Schema):
    """One rule of `scope.exclude`."""

    source = fields.String(required=True, validate=validate.OneOf(TEXT_SOURCES))
    equals = fields.String(
        required=True, validate=validate.Regexp(r"\s*\S", error="A blank value excludes no user: name one.")
    )


class ScopeSchema(Schema):
    """`scope` of a tenant."""

    enabled_only = StrictBoolean()
    members_only = StrictBoolean()
    # `exclude` itself is taken: marshmallow schemas have an attribute of that name.
    exclusions = fields.List(fields.Nested(ExclusionSchema), data_key="exclude", attribute="exclude")


class LimitSchema(Schema):
    """One limit of `guard`."""

    count = fields.Integer(required=True, strict=True, validate=validate.Range(min=0))
    share = fields.Float(required=True, validate=validate.Range(min=0, max=1))


class GuardSchema(Schema):
    """`guard` of a tenant."""

    changed = fields.Nested(LimitSchema, allow_none=True)
    identity_changed = fields.Nested(LimitSchema, allow_none=True)
    not_found = fields.Nested(LimitSchema, allow_none=True)


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


def _attributes(*allowed: Attribute) -> fields.List[Attribute]:
    return fields.List(fields.Enum(Attribute, by_value=True, validate=validate.OneOf(allowed)))


#: Goes into a URL's path, so nothing that would change the path.
_URL_PART: Final = validate.Regexp(
    r"^(?!\.\.?\Z)[A-Za-z0-9._~-]{1,200}\Z", error="Only letters, digits and . _ ~ - are allowed here."
)


class TenantSchema(Schema):
    """The object that `tenants add --from` takes, and `tenants show --json` gives."""

    name = fields.String(required=True, validate=validate.Length(min=1, max=200))
    entra_tenant_id = fields.String(required=True, validate=[_URL_PART, _directory])
    client_id = fields.String(required=True, validate=validate.Length(min=1, max=200))
    client_secret = fields.String(required=True, load_only=True, validate=validate.Length(min=1, max=1000))
    organisation = fields.String(required=True, validate=_URL_PART)
    client_secret_expires = fields.Date(allow_none=True)
    sources = fields.Dict(
        keys=fields.Enum(Attribute, by_value=True), values=fields.List(fields.String(required=True))
    )
    match_keys = _attributes(*MATCH_KEYS)
    erase_blank = _attributes(*Attribute)
    ssn_country = fields.String(allow_none=True, validate=validate.OneOf(SSN_COUNTRIES))
    birthdays = StrictBoolean()
    scope = fields.Nested(ScopeSchema)
    guard = fields.Nested(GuardSchema)
    give_up_after_hours = fields.Float(validate=validate.Range(min=0, min_inclusive=False, max=24 * 30))
    trust_receipts_days = fields.Integer(strict=True, validate=validate.Range(min=0, max=365))
    schedule = fields.String(
        allow_none=True, validate=validate.And(validate.Length(max=200), _free_of(schedule_fault))
    )
    time_zone = fields.String(validate=_free_of(time_zone_fault))
    enabled = StrictBoolean()

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
    def _match_keys_once(self, data: dict[str, Any], **_: object) -> None:
        keys = data.get("match_keys")
        if keys is not None and (not keys or len(set(keys)) != len(keys)):
            raise ValidationError({"match_keys": ["Name at least one key, and each only once."]})


def _source_fault(attribute: Attribute, sources: list[str]) -> str | None:
    allowed = ATTRIBUTE_TABLE[attribute].sources
    unknown = [source for source in sources if source not in allowed]
    if unknown:
        title = ATTRIBUTE_TABLE[attribute].title
        return f"{', '.join(unknown)} cannot fill {title}; allowed: {', '.join(allowed)}."
    if len(set(sources)) != len(sources):
        return "Name each source only once."
    return None


_SCHEMA: Final = TenantSchema()

#: Settings that hold settings: `tenants set` changes what is named inside them and keeps the rest.
_NESTED: Final = ("sources", "scope", "guard")


def load_tenant(key: str, data: object) -> tuple[Tenant, str]:
    """Check a whole tenant; return it and its client secret.

    Raises `InvalidTenantError` with every fault at once.
    """
    loaded = _load(key, data, partial=False, is_new=True)
    secret = loaded.pop(_SECRET)
    return _tenant(key, loaded), secret


def restore_tenant(key: str, settings: object) -> Tenant:
    """Return the tenant whose settings `dump_tenant` gave."""
    return _tenant(key, _load(key, settings, partial=True))


def change_tenant(tenant: Tenant, changes: object) -> tuple[Tenant, str | None]:
    """Return the tenant with `changes` applied, and the new client secret if they name one."""
    loaded = _load(tenant.key, changes, partial=True, is_new=True)
    secret = loaded.pop(_SECRET, None)
    current = _load(tenant.key, dump_tenant(tenant), partial=True)
    for name in _NESTED:
        loaded[name] = {**current[name], **loaded.get(name, {})}
    return _tenant(tenant.key, {**current, **loaded}), secret


def dump_tenant(tenant: Tenant) -> dict[str, Any]:
    """Return the settings as the contract's JSON object, all fourteen attributes' sources named."""
    return {
        **_SCHEMA.dump(tenant),
        "sources": {str(name): list(sources) for name, sources in tenant.sources.items()},
        "erase_blank": sorted(str(name) for name in tenant.erase_blank),
    }


def _load(key: str, data: object, *, partial: bool, is_new: bool = False) -> dict[str, Any]:
    """Check settings; of what `is_new`, and not stored already, each text as well."""
    faults = flatten_errors(text_faults(data)) if is_new else []
    loaded: dict[str, Any] = {}
    try:
        TENANT_KEY(key)
    except ValidationError as error:
        faults += [f"key: {message}" for message in error.messages]
    try:
        # By name, not True: inside a setting nothing may be missing.
        may_be_missing = tuple(_SCHEMA.fields) if partial else ()
        loaded = _SCHEMA.load(data, partial=may_be_missing)  # type: ignore[arg-type] # anything may have been given
    except ValidationError as error:
        faults += flatten_errors(error.messages)
    if faults:
        raise InvalidTenantError(f"Tenant '{key}' cannot be taken as it is:", faults)
    return loaded


def _tenant(key: str, loaded: dict[str, Any]) -> Tenant:
    values = dict(loaded)
    if "sources" in values:
        named = {name: tuple(sources) for name, sources in values["sources"].items()}
        values["sources"] = MappingProxyType(
            {name: named.get(name, row.default) for name, row in ATTRIBUTE_TABLE.items()}
        )
    if "match_keys" in values:
        values["match_keys"] = tuple(values["match_keys"])
    if "erase_blank" in values:
        values["erase_blank"] = frozenset(values["erase_blank"])
    if "scope" in values:
        exclusions = tuple(Exclusion(**rule) for rule in values["scope"].get("exclude", ()))
        values["scope"] = Scope(**{**values["scope"], "exclude": exclusions})
    if "guard" in values:
        values["guard"] = Guard(**{name: limit and Limit(**limit) for name, limit in values["guard"].items()})
    return Tenant(key=key, **values)
