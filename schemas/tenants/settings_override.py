"""Settings that a preview tries before they are saved; its run carries them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from schemas.errors import InvalidTenantError
from schemas.tenants.tenant import change_tenant, dump_tenant

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from schemas.tenants.tenant import Tenant

#: The settings that decide which users a run reads, what it would write, and whether the guard halts it. The
#: directory and its credentials are always those that are saved.
OVERRIDABLE_SETTINGS: Final = (
    "sources",
    "match_keys",
    "erase_blank",
    "replace_from_later_sources",
    "ssn_country",
    "skolon_profile",
    "birthdays",
    "scope",
    "guard",
)

_TITLE: Final = "These settings cannot be tried:"


def resolve_override(tenant: Tenant, changes: object, faults: Sequence[str] = ()) -> dict[str, Any]:
    """Return the complete override for `changes`, as `apply_override` takes it.

    Raises `InvalidTenantError` with every fault at once, those in `faults` first.
    """
    found = [*faults]
    if isinstance(changes, dict):
        foreign = [
            name
            for name in changes
            if name not in OVERRIDABLE_SETTINGS and name in (*dump_tenant(tenant), "client_secret")
        ]
        found += [
            f"{name}: can be saved, and not tried; a trial takes {', '.join(OVERRIDABLE_SETTINGS)}."
            for name in foreign
        ]
        changes = {name: value for name, value in changes.items() if name not in foreign}
    settings: dict[str, Any] = {}
    try:
        settings = dump_tenant(change_tenant(tenant, changes)[0])
    except InvalidTenantError as error:
        found += error.faults
    if found:
        raise InvalidTenantError(_TITLE, found)
    return {name: settings[name] for name in OVERRIDABLE_SETTINGS}


def apply_override(tenant: Tenant, trial: Mapping[str, Any]) -> Tenant:
    """Return the tenant as if the override were saved."""
    return change_tenant(tenant, dict(trial))[0]


def override_differences(tenant: Tenant, trial: Mapping[str, Any]) -> dict[str, tuple[Any, Any]]:
    """Return what an override changes: name (nested ones after a dot), saved value and new value."""
    return dict(
        _nested_differences({name: dump_tenant(tenant)[name] for name in OVERRIDABLE_SETTINGS}, trial)
    )


def _nested_differences(saved: Mapping[str, Any], other: Mapping[str, Any], path: str = "") -> Any:
    for name, value in saved.items():
        if isinstance(value, dict) and isinstance(other.get(name), dict) and path == "":
            yield from _nested_differences(value, other[name], f"{name}.")
        elif value != other.get(name):
            yield f"{path}{name}", (value, other.get(name))
