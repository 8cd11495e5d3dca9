"""A tenant: one municipality's directory, how its users are mapped, and how far a run may go."""

from __future__ import annotations

from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from marshmallow import ValidationError

from schemas.errors import InvalidTenantError
from schemas.setting_validators import text_faults
from schemas.tenants.credentials.client_certificate import is_certificate
from schemas.tenants.scope import Scope
from schemas.tenants.skolon_target import SkolonLack, SkolonProfile, SkolonTarget
from schemas.tenants.tenant_schema import TENANT_KEY, TenantSchema
from schemas.users.attributes import ATTRIBUTE_TABLE, MATCH_KEYS, Attribute
from schemas.validation import flatten_errors

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping

#: Days before the date of a client secret from which on it is warned of.
SECRET_EXPIRES_SOON: Final = 30

_SECRET: Final = "client_secret"  # noqa: S105 - the name of a field, no secret


@dataclass(frozen=True, kw_only=True)
class Limit:
    """Exceeded by more than `count` users that are also more than `share` (0 to 1) of the tenant's users."""

    count: int
    share: float


@dataclass(frozen=True, kw_only=True)
class Guard:
    """How many users one run may change, not find, fail to update, or leave out; None is no limit."""

    changed: Limit | None = field(default_factory=lambda: Limit(count=1000, share=0.5))
    identity_changed: Limit | None = field(default_factory=lambda: Limit(count=100, share=0.1))
    not_found: Limit | None = None
    #: Users that become dead letters: a wrong source fails for all of them.
    failed: Limit | None = field(default_factory=lambda: Limit(count=20, share=0.25))
    #: Users that were synced and that the scope now leaves out: a wrong rule leaves out all. The share is of
    #: the users that were synced.
    left_scope: Limit | None = field(default_factory=lambda: Limit(count=20, share=0.25))


@dataclass(frozen=True, kw_only=True)
class Tenant:
    """The settings of a tenant, without its secret.

    `entra_tenant_id` and `client_id` are blank until the connection to Entra is set up.
    """

    key: str
    name: str
    organisation: str
    entra_tenant_id: str = ""
    client_id: str = ""
    client_secret_expires: dt.date | None = None
    sources: Mapping[Attribute, tuple[str, ...]] = field(
        default_factory=lambda: MappingProxyType({name: row.default for name, row in ATTRIBUTE_TABLE.items()})
    )
    match_keys: tuple[Attribute, ...] = MATCH_KEYS[:4]
    erase_blank: frozenset[Attribute] = frozenset()
    replace_from_later_sources: frozenset[Attribute] = frozenset()
    #: Of these a change of the sources needs a second person's approval in the Data Hub.
    needs_approval: frozenset[Attribute] = frozenset()
    ssn_country: str | None = None
    skolon_profile: SkolonProfile = SkolonProfile.ASSUMED
    skolon_lacks: frozenset[SkolonLack] = frozenset()
    birthdays: bool = True
    scope: Scope = field(default_factory=Scope)
    guard: Guard = field(default_factory=Guard)
    give_up_after_hours: float = 24
    trust_receipts_days: int = 0
    schedule: str | None = None
    time_zone: str = "Europe/Stockholm"
    enabled: bool = True

    @property
    def skolon_target(self) -> SkolonTarget:
        """How the organisation's server is to be used."""
        return SkolonTarget(profile=self.skolon_profile, lacks=self.skolon_lacks)

    @property
    def wants_birthdays(self) -> bool:
        """Whether birth dates are synced, and so asked for."""
        return self.birthdays and bool(self.sources[Attribute.BIRTH_DATE])


@dataclass(frozen=True, kw_only=True)
class Credentials:
    """What Entra gives a token for: an app of a directory, and its secret's Value.

    In the place of a secret there may be a certificate with its key.
    """

    directory: str
    client_id: str
    client_secret: str = field(repr=False)

    @property
    def is_complete(self) -> bool:
        """Whether the connection to Entra is set up, rightly or not."""
        return bool(self.directory and self.client_id and self.client_secret)


_SCHEMA: Final = TenantSchema()

#: Settings that hold settings: `tenants set` changes what is named inside them and keeps the rest.
_NESTED: Final = ("sources", "scope", "guard")

#: Settings that are blank until the connection to Entra is set up; blank ones are stored nowhere.
_CONNECTION: Final = ("entra_tenant_id", "client_id")


def load_tenant(key: str, data: object) -> tuple[Tenant, str]:
    """Check a whole tenant; return it and its client secret.

    Raises `InvalidTenantError` with every fault at once.
    """
    loaded = _load(key, data, partial=False, is_new=True)
    secret = loaded.pop(_SECRET)
    return _tenant(key, loaded), secret


def new_tenant(key: str, name: str, organisation: str) -> Tenant:
    """Return a disabled tenant without a connection to Entra; raises as `load_tenant` does."""
    settings = {"name": name, "organisation": organisation, "enabled": False}
    return _tenant(key, _load(key, settings, partial=True, is_new=True))


def restore_tenant(key: str, settings: object) -> Tenant:
    """Return the tenant whose settings `dump_tenant` gave."""
    return _tenant(key, _load(key, settings, partial=True))


def change_tenant(tenant: Tenant, changes: object) -> tuple[Tenant, str | None]:
    """Return the tenant with `changes` applied, and the new client secret if they name one.

    A new secret without a date has none: the stored one is the former secret's.
    """
    loaded = _load(tenant.key, changes, partial=True, is_new=True)
    secret = loaded.pop(_SECRET, None)
    if secret is not None:
        # The date that is stored is the former secret's.
        loaded.setdefault("client_secret_expires", None)
    current = _load(tenant.key, dump_tenant(tenant), partial=True)
    for name in _NESTED:
        loaded[name] = {**current[name], **loaded.get(name, {})}
    return _tenant(tenant.key, {**current, **loaded}), secret


def dump_tenant(tenant: Tenant) -> dict[str, Any]:
    """Return the settings as the contract's JSON object, all fourteen attributes' sources named."""
    dumped = _SCHEMA.dump(tenant)
    return {
        **{name: value for name, value in dumped.items() if value or name not in _CONNECTION},
        "sources": {str(name): list(sources) for name, sources in tenant.sources.items()},
        "erase_blank": sorted(str(name) for name in tenant.erase_blank),
        "replace_from_later_sources": sorted(str(name) for name in tenant.replace_from_later_sources),
        "needs_approval": sorted(str(name) for name in tenant.needs_approval),
        "skolon_lacks": sorted(map(str, tenant.skolon_lacks)),
    }


def _load(key: str, data: object, *, partial: bool, is_new: bool = False) -> dict[str, Any]:
    """Check settings; of what `is_new`, and not stored already, each text as well."""
    faults = flatten_errors(text_faults(_without_certificate(data))) if is_new else []
    loaded: dict[str, Any] = {}
    try:
        TENANT_KEY(key)
    except ValidationError as error:
        faults += flatten_errors({"key": error.messages})
    try:
        # By name, not True: inside a setting nothing may be missing.
        may_be_missing = tuple(_SCHEMA.fields) if partial else ()
        loaded = _SCHEMA.load(data, partial=may_be_missing)  # type: ignore[arg-type] # anything may have been given
    except ValidationError as error:
        faults += flatten_errors(error.messages)
    if faults:
        raise InvalidTenantError(f"Tenant '{key}' cannot be taken as it is:", faults)
    return loaded


def _without_certificate(data: object) -> object:
    """Return settings without a certificate, whose text has lines, as no other setting has."""
    secret = data.get(_SECRET) if isinstance(data, dict) else None
    if isinstance(data, dict) and isinstance(secret, str) and is_certificate(secret):
        return {name: value for name, value in data.items() if name != _SECRET}
    return data


def _tenant(key: str, loaded: dict[str, Any]) -> Tenant:
    values = dict(loaded)
    if "sources" in values:
        named = {name: tuple(sources) for name, sources in values["sources"].items()}
        values["sources"] = MappingProxyType(
            {name: named.get(name, row.default) for name, row in ATTRIBUTE_TABLE.items()}
        )
    if "match_keys" in values:
        values["match_keys"] = tuple(values["match_keys"])
    for name in ("erase_blank", "replace_from_later_sources", "needs_approval", "skolon_lacks"):
        if name in values:
            values[name] = frozenset(values[name])
    if "scope" in values:
        rules = {name: tuple(values["scope"].get(name, ())) for name in ("include", "exclude")}
        values["scope"] = Scope(**{**values["scope"], **rules})
    if "guard" in values:
        values["guard"] = Guard(**{name: limit and Limit(**limit) for name, limit in values["guard"].items()})
    return Tenant(key=key, **values)
